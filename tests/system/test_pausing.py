"""A set is paused while its calls are written, outlives a restart of the services, goes on, and is deleted."""

import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.system.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

COUNT = 60
NAME = "paused"


def up(project: Project) -> subprocess.Popen[str]:
    process = project.start("up", "--no-web")
    project.wait_until(lambda: "Ctrl-C stops" in (process.stdout.readline() if process.stdout else ""), 240)
    return process


def down(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(120)


def kept(project: Project) -> dict[str, int]:
    """Kept calls, and when each was written."""
    folder = project.folder / ".tip" / "data" / "parts" / NAME / "calls"
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.json")}


def workers(project: Project) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "tip_resources.launch.worker" in words and str(project.folder) in " ".join(words):
            found.append(process)
    return found


def files_of_the_set(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if NAME in path.name]


def test_a_paused_set_goes_on_where_it_was_and_asks_for_no_kept_call_again(project: Project) -> None:
    # Slow enough that the pause lands in the middle on a busy machine too: a minute for the set.
    options = '["--slots", "2", "--tokens-per-second", "300"]'
    project.tip("config", "set", "models.rehearsal_options", options)
    services = up(project)
    try:
        asked = project.tip("request", f"{COUNT} healthcare calls", "--name", NAME, "--rehearsal", "--json")
        assert asked.returncode == 0, asked.stderr
        project.wait_until(lambda: len(kept(project)) >= 5, 300)
        paused = project.tip("pause", NAME)
        assert paused.returncode == 0, paused.stderr
        project.wait_until(lambda: not workers(project), 60)
        before = kept(project)
        assert 5 <= len(before) < COUNT
        status = project.status(NAME)
        assert status["state"] == "paused" and "@" in status["by"] and status["since"]

        down(services)
        services = up(project)
        refused = project.tip("delete", NAME, "--keep-exports", timeout_seconds=60)
        assert refused.returncode != 0, "it asks, and nobody answers"
        assert project.status(NAME)["state"] == "paused"
        assert kept(project) == before and not workers(project)

        assert project.tip("resume", NAME).returncode == 0
        done = project.wait_until(
            lambda: found if (found := project.status(NAME))["state"] in ("done", "failed", "cancelled") else None, 400
        )
        assert done["state"] == "done", f"{done} {project.log()}"
        assert done["summary"]["exported"] == COUNT
        assert done["run_id"] != status["run_id"]
        after = kept(project)
        assert {name: after[name] for name in before} == before

        project.wait_until(lambda: not workers(project), 60)
        deleted = project.tip("delete", NAME, "--yes")
        assert deleted.returncode == 0, deleted.stderr
        assert files_of_the_set(project.folder / ".tip" / "data") == []
        assert project.status(NAME)["state"] is None
    finally:
        down(services)
