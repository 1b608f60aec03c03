"""The section as a whole, and the running of real programs."""

import platform
import sys
from pathlib import Path

import psutil
import pytest

from node_agent.collectors.activity import ActivityCollector
from node_agent.collectors.activity_reading import NotInstalled, Unknown, run_command, sign_of
from node_agent.collectors.base import NoData
from node_agent.report import Activity


@pytest.mark.parametrize("system", ["Linux", "Windows", "Darwin", platform.system()])
def test_each_system_gives_a_whole_section_wherever_it_is_asked(system: str) -> None:
    activity = ActivityCollector(system).collect()
    assert isinstance(activity, Activity)
    for sign in (activity.gaming, activity.full_screen, activity.microphone, activity.camera, activity.idle_seconds):
        assert sign.value is not None or sign.why_unknown


def test_a_system_nobody_wrote_for_has_no_data() -> None:
    with pytest.raises(NoData, match="Plan9"):
        ActivityCollector("Plan9").collect()


def test_a_program_gives_what_it_printed() -> None:
    assert run_command((sys.executable, "-c", "print('b true')")).strip() == "b true"


def test_a_missing_program_is_not_installed() -> None:
    with pytest.raises(NotInstalled, match="no-such-program is not installed"):
        run_command(("no-such-program",))


def test_a_program_that_fails_is_unknown_without_its_words() -> None:
    code = "import sys; print('anna'); print('anna', file=sys.stderr); sys.exit(3)"
    with pytest.raises(Unknown) as why:
        run_command((sys.executable, "-c", code))
    assert "exit status 3" in str(why.value)
    assert "anna" not in str(why.value)


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    number = tmp_path / "number"
    with pytest.raises(Unknown, match="did not answer"):
        run_command(("sh", "-c", f"echo $$ > {number}; exec sleep 30"))
    assert not psutil.pid_exists(int(number.read_text(encoding="utf-8")))


def test_a_place_the_agent_may_not_look_at_is_unknown_without_its_name() -> None:
    def look() -> bool:
        raise PermissionError(13, "Permission denied", "/run/user/1000/pulse/anna")

    assert sign_of(look).why_unknown == "the agent may not look: Permission denied"
