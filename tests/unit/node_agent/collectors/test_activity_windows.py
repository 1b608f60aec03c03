"""What the answers of Windows mean: recorded numbers, and registry keys as they are after calls and crashes."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from node_agent.collectors.activity_reading import Unknown
from node_agent.collectors.activity_windows import (
    RegistryTree,
    WindowsActivity,
    idle_seconds,
    is_in_use,
    registry_tree,
    signs_of_state,
)

# 2026-11-08 00:00 UTC, and times around it, as FILETIME.
BOOTED = 134_385_696_000_000_000
HOUR = 36_000_000_000
STOPPED = {"LastUsedTimeStart": BOOTED + HOUR, "LastUsedTimeStop": BOOTED + 2 * HOUR}
IN_USE = {"LastUsedTimeStart": BOOTED + 3 * HOUR, "LastUsedTimeStop": 0}
LEFT_BY_A_CRASH = {"LastUsedTimeStart": BOOTED - 9 * HOUR, "LastUsedTimeStop": 0}


def store(packaged: dict[str, int], desktop_program: dict[str, int]) -> RegistryTree:
    return {
        "Value": "Allow",
        "MSTeams_8wekyb3d8bbwe": {"Value": "Allow", **packaged},
        "Microsoft.WindowsCamera_8wekyb3d8bbwe": {"Value": "Prompt"},
        "NonPackaged": {"Value": "Allow", "C:#Program Files#Zoom#bin#Zoom.exe": desktop_program},
    }


@pytest.mark.parametrize(
    ("state", "gaming", "full_screen"),
    [
        (1, False, False),
        (2, None, True),
        (3, True, True),
        (4, False, True),
        (5, False, False),
        (6, False, False),
        (7, None, None),
        (99, None, None),
    ],
)
def test_each_notification_state_has_its_meaning(state: int, gaming: bool | None, full_screen: bool | None) -> None:
    signs = signs_of_state(state)
    assert (signs[0].value, signs[1].value) == (gaming, full_screen)


@pytest.mark.parametrize(
    ("last_input_ms", "now_ms", "idle"),
    [
        (1_000, 61_000, 60.0),
        (2**32 - 5_000, 25_000, 30.0),
        (50_016, 50_000, 0.0),
        (0, 2**32 - 60_000, 4_294_907.296),
    ],
    ids=["usual", "the ticks began anew since", "the clocks disagree by 16 ms", "idle for weeks"],
)
def test_idle_time_survives_the_32_bit_clock(last_input_ms: int, now_ms: int, idle: float) -> None:
    assert idle_seconds(last_input_ms, now_ms) == idle


@pytest.mark.parametrize(
    ("packaged", "desktop_program", "in_use"),
    [
        (STOPPED, STOPPED, False),
        (IN_USE, STOPPED, True),
        (STOPPED, IN_USE, True),
        (STOPPED, LEFT_BY_A_CRASH, False),
        (IN_USE, LEFT_BY_A_CRASH, True),
        ({}, {}, False),
    ],
)
def test_a_device_is_in_use_while_a_program_has_started_and_not_stopped(
    packaged: dict[str, int], desktop_program: dict[str, int], in_use: bool
) -> None:
    assert is_in_use(store(packaged, desktop_program), BOOTED) is in_use


@dataclass
class RecordedDesktop:
    """Answers as Windows gave them."""

    session: int = 1
    state: int = 5
    ticks: tuple[int, int] = (10_000, 40_000)
    stores: dict[str, RegistryTree] = field(default_factory=dict)

    def session_id(self) -> int:
        return self.session

    def notification_state(self) -> int:
        if self.state < 0:
            raise Unknown("SHQueryUserNotificationState failed with 0x80004005")
        return self.state

    def last_input_and_now_ms(self) -> tuple[int, int]:
        return self.ticks

    def consent_store(self, device: str) -> RegistryTree:
        return self.stores[device]

    def booted_at_filetime(self) -> int:
        return BOOTED


STORES = {"microphone": store(IN_USE, STOPPED), "webcam": store(STOPPED, STOPPED)}


def test_a_call_while_a_game_fills_the_screen() -> None:
    activity = WindowsActivity(RecordedDesktop(state=3, stores=STORES)).collect()
    assert (activity.gaming.value, activity.full_screen.value) == (True, True)
    assert (activity.microphone.value, activity.camera.value) == (True, False)
    assert activity.idle_seconds.value == 30.0


def test_one_answer_that_fails_leaves_the_others() -> None:
    activity = WindowsActivity(RecordedDesktop(state=-1, stores=STORES)).collect()
    assert "0x80004005" in activity.gaming.why_unknown
    assert "0x80004005" in activity.full_screen.why_unknown
    assert activity.microphone.value is True


def test_a_windows_service_sees_no_desktop_and_says_how_to_mend_it() -> None:
    activity = WindowsActivity(RecordedDesktop(session=0, state=3, stores=STORES)).collect()
    signs = (activity.gaming, activity.full_screen, activity.microphone, activity.camera)
    assert all(sign.value is None and "scheduled task" in sign.why_unknown for sign in signs)
    assert "scheduled task" in activity.idle_seconds.why_unknown


def test_no_program_of_the_registry_is_named_in_the_report() -> None:
    told = str(WindowsActivity(RecordedDesktop(state=3, stores=STORES)).collect())
    assert "Zoom" not in told
    assert "Teams" not in told


def test_elsewhere_than_on_windows_every_sign_is_unknown() -> None:
    assert WindowsActivity().collect().gaming.why_unknown == "this is not Windows"


class RecordedRegistry:
    """The part of `winreg` that is read, over a recorded tree; keys are found without regard to case, as there."""

    HKEY_CURRENT_USER = object()

    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree = tree

    class Key:
        def __init__(self, tree: dict[str, Any]) -> None:
            self.keys = [name for name, entry in tree.items() if isinstance(entry, dict)]
            self.values = [(name, entry) for name, entry in tree.items() if not isinstance(entry, dict)]

        def __enter__(self) -> "RecordedRegistry.Key":
            return self

        def __exit__(self, *_: object) -> None: ...

    def OpenKey(self, root: object, path: str) -> Key:
        assert root is self.HKEY_CURRENT_USER
        tree = self._tree
        for name in path.split("\\"):
            if name not in tree:
                raise FileNotFoundError(2, "The system cannot find the file specified")
            tree = tree[name]
        return self.Key(tree)

    def QueryInfoKey(self, key: Key) -> tuple[int, int, int]:
        return len(key.keys), len(key.values), BOOTED

    def EnumKey(self, key: Key, index: int) -> str:
        return key.keys[index]

    def EnumValue(self, key: Key, index: int) -> tuple[str, Any, int]:
        name, value = key.values[index]
        return name, value, 11 if isinstance(value, int) else 1


def test_the_registry_is_read_with_all_its_keys() -> None:
    recorded = store(STOPPED, IN_USE)
    tree = registry_tree(RecordedRegistry({"ConsentStore": {"microphone": recorded}}), r"ConsentStore\microphone")
    assert tree == recorded
    assert is_in_use(tree, BOOTED)


def test_an_old_windows_keeps_no_record() -> None:
    with pytest.raises(Unknown, match="Windows 10 1903"):
        registry_tree(RecordedRegistry({"ConsentStore": {}}), r"ConsentStore\webcam")
