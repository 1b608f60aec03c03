"""Real services, real kills: a set ends complete, with exactly the calls asked, and exactly one run."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.system.conftest import Project

pytestmark = pytest.mark.slow

COUNT = 60


@pytest.fixture(scope="module")
def up(project: Project) -> Iterator[subprocess.Popen[str]]:
    # Slow enough that a kill lands in the middle: about 1,400 tokens a call, a few seconds for the set.
    project.tip("config", "set", "models.rehearsal_options", '["--tokens-per-second", "12000"]')
    process = project.start("up", "--no-web")
    project.wait_until(lambda: "Ctrl-C stops" in (process.stdout.readline() if process.stdout else ""))
    yield process
    process.send_signal(signal.SIGTERM)
    process.wait(30)


def ask(project: Project, name: str) -> None:
    asked = project.tip("request", f"{COUNT} healthcare calls", "--name", name, "--rehearsal", "--json")
    assert asked.returncode == 0, asked.stderr


def kept(project: Project, name: str) -> list[Path]:
    return list((project.folder / ".tip" / "data" / "parts" / name / "calls").rglob("*.json"))


def processes(project: Project, word: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if word in words and str(project.folder) in " ".join(words):
            found.append(process)
    return found


def assert_complete(project: Project, name: str) -> dict:
    status = project.wait_until(
        lambda: found if (found := project.status(name))["state"] in ("done", "failed", "cancelled") else None, 150
    )
    assert status["state"] == "done", f"{status} {project.log()}"
    assert status["summary"]["exported"] == COUNT
    files = list((project.folder / ".tip" / "data" / "exports" / name / "lex").rglob("*analysis*.json"))
    assert len(files) == COUNT
    assert len({json.loads(file.read_text())["CustomerMetadata"]["ContactId"] for file in files}) == COUNT
    assert not list((project.folder / ".tip" / "data").rglob("*.tmp"))
    return status


def test_a_killed_run_worker_loses_only_the_calls_in_flight(project: Project, up: subprocess.Popen[str]) -> None:
    ask(project, "worker-killed")
    project.wait_until(lambda: len(kept(project, "worker-killed")) >= 10)
    finished = {path.name: path.stat().st_mtime_ns for path in kept(project, "worker-killed")}
    for process in processes(project, "tip_resources.launch.worker"):
        for child in process.children(recursive=True):
            child.kill()
        process.kill()
    assert_complete(project, "worker-killed")
    after = {path.name: path.stat().st_mtime_ns for path in kept(project, "worker-killed")}
    assert {name: after[name] for name in finished} == finished


def test_a_daemon_killed_between_request_and_run_launches_exactly_once(
    project: Project, up: subprocess.Popen[str]
) -> None:
    for process in processes(project, "tip_resources.launch.daemon"):
        os.kill(process.pid, signal.SIGKILL)
    ask(project, "daemon-killed")
    status = assert_complete(project, "daemon-killed")
    logs = list((project.folder / ".tip" / "logs" / "runs").glob("*.log"))
    mine = [log for log in logs if "daemon-killed" in log.read_text(errors="replace")]
    assert [log.stem for log in mine] == [status["run_id"]]


def test_a_cancelled_set_stops_and_keeps_what_is_finished(project: Project, up: subprocess.Popen[str]) -> None:
    ask(project, "cancelled")
    project.wait_until(lambda: len(kept(project, "cancelled")) >= 5)
    assert project.tip("cancel", "cancelled").returncode == 0
    assert project.status("cancelled")["state"] == "cancelled"
    assert len(kept(project, "cancelled")) >= 5
    project.wait_until(lambda: not processes(project, "tip_resources.launch.worker"), 30)


def test_a_spec_file_becomes_one_set_and_a_bad_one_says_why(project: Project, up: subprocess.Popen[str]) -> None:
    folder = project.folder / "requests"
    folder.mkdir()
    (folder / "good.yaml").write_text(
        f"datasets:\n  - {{name: from-file, count: {COUNT}, domain: retail, rehearsal: true}}\n"
    )
    (folder / "bad.yaml").write_text("name: bad\ncount: many\ndomain: retail\n")
    assert_complete(project, "from-file")
    assert "bad.yaml:2" in (folder / "bad.yaml.error.txt").read_text()
    assert not (folder / "good.yaml.error.txt").exists()
    (folder / "good.yaml").touch()  # read again, and found to be the same request
    names = [row["dataset"] for row in json.loads(project.tip("list", "--json").stdout)]
    assert names.count("from-file") == 1 and "bad" not in names


def test_asking_again_for_a_cancelled_set_says_how_to_go_on(project: Project, up: subprocess.Popen[str]) -> None:
    again = project.tip("request", f"{COUNT} healthcare calls", "--name", "cancelled", "--rehearsal")
    assert again.returncode == 1
    assert "is cancelled" in again.stderr and "tip resume cancelled" in again.stderr
