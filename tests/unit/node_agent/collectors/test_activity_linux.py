"""Games, full screen and idle time on Linux, from what the desktop's own programs print."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from node_agent.collectors.activity_linux import LinuxActivity, idle_seconds, sessions_in
from node_agent.collectors.activity_reading import Unknown
from node_agent.report import Activity
from tests.unit.node_agent.collectors.activity_recordings import RecordedPrograms

BUS = "org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus"
GAME_MODE = "com.feralinteractive.GameMode"
MUTTER = "org.gnome.Mutter.IdleMonitor"
BUSCTL_HAS_GAME_MODE = f"busctl --user call {BUS} NameHasOwner s {GAME_MODE}"
BUSCTL_HAS_MUTTER = f"busctl --user call {BUS} NameHasOwner s {MUTTER}"
BUSCTL_INSTALLED = f"busctl --user call {BUS} ListActivatableNames"
BUSCTL_GAMES = f"busctl --user get-property {GAME_MODE} /com/feralinteractive/GameMode {GAME_MODE} ClientCount"
BUSCTL_IDLE = f"busctl --user call {MUTTER} /org/gnome/Mutter/IdleMonitor/Core {MUTTER} GetIdletime"
GDBUS = "gdbus call --session --dest {} --object-path {} --method {}"
GDBUS_BUS = GDBUS.format("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.")
LIST_SESSIONS = "loginctl list-sessions --no-legend"
SHOW = (
    "--property=Class --property=Remote --property=State --property=Type --property=IdleHint"
    " --property=IdleSinceHintMonotonic"
)
DESKTOP = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus"}


def look(recordings: dict[str, str], environ: dict[str, str] = DESKTOP, now: float = 1_000.0) -> Activity:
    nowhere = Path("/nonexistent")
    return LinuxActivity(RecordedPrograms(recordings), environ, nowhere, nowhere, lambda: now).collect()


@pytest.mark.parametrize(("printed", "is_gaming"), [("i 1\n", True), ("i 2\n", True), ("i 0\n", False)])
def test_a_game_that_told_gamemode_is_seen_through_busctl(printed: str, is_gaming: bool) -> None:
    assert look({BUSCTL_HAS_GAME_MODE: "b true\n", BUSCTL_GAMES: printed}).gaming.value is is_gaming


@pytest.mark.parametrize(("printed", "is_gaming"), [("(<1>,)\n", True), ("(<0>,)\n", False)])
def test_a_game_is_seen_through_gdbus_where_there_is_no_busctl(printed: str, is_gaming: bool) -> None:
    get = GDBUS.format(GAME_MODE, "/com/feralinteractive/GameMode", "org.freedesktop.DBus.Properties.Get")
    recordings = {
        f"{GDBUS_BUS}NameHasOwner {GAME_MODE}": "(true,)\n",
        f"{get} {GAME_MODE} ClientCount": printed,
    }
    assert look(recordings).gaming.value is is_gaming


def test_gamemode_is_not_started_by_asking_about_it() -> None:
    programs = RecordedPrograms(
        {BUSCTL_HAS_GAME_MODE: "b false\n", BUSCTL_INSTALLED: f'as 2 "{MUTTER}" "{GAME_MODE}"\n'}
    )
    nowhere = Path("/nonexistent")
    activity = LinuxActivity(programs, DESKTOP, nowhere, nowhere).collect()
    assert activity.gaming.value is False
    assert not [line for line in programs.asked if "ClientCount" in line]


def test_without_gamemode_nobody_knows_of_games() -> None:
    gaming = look({BUSCTL_HAS_GAME_MODE: "b false\n", BUSCTL_INSTALLED: 'as 1 "org.freedesktop.DBus"\n'}).gaming
    assert gaming.value is None
    assert "GameMode is not installed" in gaming.why_unknown


@pytest.mark.parametrize("printed", ["", "b maybe", "i -", "Traceback (most recent call last):", "(true,)(true,)"])
def test_an_answer_of_another_form_is_unknown(printed: str) -> None:
    assert "unexpected form" in look({BUSCTL_HAS_GAME_MODE: printed}).gaming.why_unknown


def test_a_system_service_has_no_session_bus_and_says_how_to_mend_it() -> None:
    programs = RecordedPrograms({BUSCTL_HAS_GAME_MODE: "b true\n", BUSCTL_GAMES: "i 1\n"})
    nowhere = Path("/nonexistent")
    gaming = LinuxActivity(programs, {}, nowhere, nowhere).collect().gaming
    assert "systemctl --user" in gaming.why_unknown
    assert not [line for line in programs.asked if "bus" in line.split()[0]], "gdbus would start a bus of its own"


def test_the_session_bus_is_found_by_its_socket(tmp_path: Path) -> None:
    (tmp_path / "bus").touch()
    recordings = {BUSCTL_HAS_GAME_MODE: "b true\n", BUSCTL_GAMES: "i 1\n"}
    assert look(recordings, {"XDG_RUNTIME_DIR": str(tmp_path)}).gaming.value is True


@pytest.mark.skipif(
    not (shutil.which("dbus-run-session") and shutil.which("busctl")), reason="needs a D-Bus session bus and busctl"
)
def test_a_real_session_bus_without_gamemode_says_that_it_is_not_installed() -> None:
    code = "from node_agent.collectors.activity_linux import LinuxActivity; print(LinuxActivity().collect().gaming)"
    done = subprocess.run(
        ["dbus-run-session", "--", sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "GameMode is not installed" in done.stdout


def test_gnome_tells_the_idle_time_to_the_millisecond() -> None:
    assert look({BUSCTL_HAS_MUTTER: "b true\n", BUSCTL_IDLE: "t 83421\n"}).idle_seconds.value == 83.421
    idle = GDBUS.format(MUTTER, "/org/gnome/Mutter/IdleMonitor/Core", f"{MUTTER}.GetIdletime")
    recordings = {f"{GDBUS_BUS}NameHasOwner {MUTTER}": "(true,)\n", idle: "(uint64 83421,)\n"}
    assert look(recordings).idle_seconds.value == 83.421


def test_the_login_manager_tells_when_a_desktop_went_idle() -> None:
    recordings = {
        LIST_SESSIONS: "     2 1000 anna     seat0 tty2\n    c1   42 gdm      seat0 tty1\n",
        f"loginctl show-session 2 c1 {SHOW}": (
            "Class=user\nRemote=no\nState=active\nType=wayland\nIdleHint=yes\nIdleSinceHintMonotonic=400000000\n\n"
            "Class=greeter\nRemote=no\nState=online\nType=wayland\nIdleHint=no\nIdleSinceHintMonotonic=0\n"
        ),
    }
    assert look(recordings, environ={}, now=1_000.0).idle_seconds.value == 600.0


def session(**fields: str) -> dict[str, str]:
    usual = {"Class": "user", "Remote": "no", "State": "active", "Type": "x11", "IdleHint": "no"}
    return {**usual, "IdleSinceHintMonotonic": "0", **fields}


def test_a_desktop_that_took_its_idle_hint_back_has_a_person_before_it() -> None:
    assert idle_seconds([session(IdleSinceHintMonotonic="990000000")], 1_000.0) == 0.0


def test_a_desktop_that_never_told_about_idle_times_is_unknown() -> None:
    with pytest.raises(Unknown, match="has not told"):
        idle_seconds([session()], 1_000.0)


def test_a_text_terminal_tells_its_last_input_without_a_hint() -> None:
    assert idle_seconds([session(Type="tty", IdleSinceHintMonotonic="940000000")], 1_000.0) == 60.0


def test_the_person_who_touched_the_machine_last_counts() -> None:
    long_idle = session(IdleHint="yes", IdleSinceHintMonotonic="100000000")
    typing = session(Type="tty", IdleSinceHintMonotonic="999000000")
    assert idle_seconds([long_idle, typing], 1_000.0) == 1.0


@pytest.mark.parametrize("other", [{"Class": "greeter"}, {"Remote": "yes"}, {"State": "online"}, {"Class": "manager"}])
def test_greeters_remote_logins_and_sessions_in_the_background_are_nobody_at_the_machine(other: dict[str, str]) -> None:
    with pytest.raises(Unknown, match="nobody is logged in"):
        idle_seconds([session(IdleHint="yes", IdleSinceHintMonotonic="1", **other)], 1_000.0)


def test_no_sessions_at_all_is_nobody() -> None:
    assert "nobody is logged in" in look({LIST_SESSIONS: "\n"}).idle_seconds.why_unknown
    assert list(sessions_in("\n\n")) == []


def test_a_machine_without_gnome_and_login_manager_does_not_tell_the_idle_time() -> None:
    assert "neither GNOME nor" in look({}, environ={}).idle_seconds.why_unknown


@pytest.mark.parametrize(
    ("window", "state", "is_full_screen"),
    [
        ("window id # 0x3a00007", "_NET_WM_STATE(ATOM) = _NET_WM_STATE_FULLSCREEN, _NET_WM_STATE_FOCUSED\n", True),
        ("window id # 0x3a00007", "_NET_WM_STATE(ATOM) = _NET_WM_STATE_MAXIMIZED_VERT\n", False),
        ("window id # 0x3a00007", "_NET_WM_STATE:  not found.\n", False),
        ("window id # 0x0", "", False),
    ],
)
def test_x11_tells_whether_the_window_in_front_fills_the_screen(window: str, state: str, is_full_screen: bool) -> None:
    recordings = {
        "xprop -root _NET_ACTIVE_WINDOW": f"_NET_ACTIVE_WINDOW(WINDOW): {window}\n",
        "xprop -id 0x3a00007 _NET_WM_STATE": state,
    }
    assert look(recordings, {"DISPLAY": ":0"}).full_screen.value is is_full_screen


@pytest.mark.parametrize(
    ("environ", "recordings", "reason"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, {}, "Wayland"),
        ({}, {}, "no display"),
        ({"DISPLAY": ":0"}, {}, "xprop is not installed"),
        (
            {"DISPLAY": ":0"},
            {"xprop -root _NET_ACTIVE_WINDOW": "_NET_ACTIVE_WINDOW:  not found.\n"},
            "window manager does not tell",
        ),
    ],
)
def test_full_screen_is_unknown_with_a_reason(environ: dict[str, str], recordings: dict[str, str], reason: str) -> None:
    assert reason in look(recordings, environ).full_screen.why_unknown


def test_no_name_of_a_person_or_program_reaches_the_report() -> None:
    recordings = {
        BUSCTL_HAS_GAME_MODE: "b true anna plays SuperTuxKart\n",
        LIST_SESSIONS: "     2 1000 anna     seat0 tty2\n",
        f"loginctl show-session 2 {SHOW}": "Name=anna\nLeader=SuperTuxKart\n",
        "xprop -root _NET_ACTIVE_WINDOW": 'WM_NAME(STRING) = "SuperTuxKart - anna"\n',
    }
    told = str(look(recordings, {**DESKTOP, "DISPLAY": ":0"}))
    assert "anna" not in told
    assert "Tux" not in told
