"""The supervisor: its services start together, are kept running, and end with it, whatever ends it."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.instance.launch.small_project import ROOT, service, services_of, temporary_project, wait_until
from tip_resources.database.connection import close, database
from tip_resources.database.node_states import NodeStateStore
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.launch.ports import free_ports
from tip_resources.launch.supervisor import running, running_services

FLEET = "tip_resources.fleet.fleet_service"
UP = [str(Path(sys.executable).with_name("tip")), "up"]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with temporary_project() as folder:
        yield folder


@contextmanager
def closing_database(home: Path) -> Iterator[NodeStateStore]:
    """The states in the project's database."""
    try:
        yield NodeStateStore(database(home))
    finally:
        close(home)


def fleet_watchers(home: Path) -> list[psutil.Process]:
    return [process for process in services_of(home) if FLEET in process.cmdline()]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "TIP_HOME": str(home), "PYTHONPATH": str(ROOT), "LAUNCH_TEST_FOLDER": str(home)}


@contextmanager
def up(home: Path, *arguments: str, shell: str = "") -> Iterator[subprocess.Popen[str]]:
    """`tip up` in a process of its own, ready. With `shell`, started by that command line, where $UP is the command."""
    command = ["bash", "-c", shell] if shell else [*UP, *arguments]
    log = home / "up.log"
    log.write_text("")
    with log.open("a") as output:
        process = subprocess.Popen(
            command,
            env={**environment(home), "UP": " ".join(UP)},
            cwd=home,
            stdout=output,
            stderr=output,
            text=True,
        )
    try:
        wait_until(lambda: "Ctrl-C stops" in log.read_text() or process.poll() is not None, f"the start of {command}")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        if found := running(home):
            os.kill(found.pid, signal.SIGKILL)
        process.wait()


def test_up_starts_everything_and_ctrl_c_stops_all_of_it(home: Path) -> None:
    port = free_ports(1)[0]
    with up(home, "--port", str(port)) as process:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info") as answer:
            assert answer.status == 200
        assert len(services_of(home)) == 4
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert services_of(home) == []
    assert running(home) is None


def test_a_second_supervisor_is_refused_and_told_who_runs_the_first(home: Path) -> None:
    with running_services(home, web_port=None):
        with pytest.raises(BadInput, match=f"process {os.getpid()}"), running_services(home, web_port=None):
            pytest.fail("two supervisors on one project")
        found = running(home)
        assert found is not None
        assert found.pid == os.getpid()
    assert running(home) is None


@pytest.mark.slow
def test_started_in_the_background_by_a_script_it_stops_at_sigterm(home: Path) -> None:
    with up(home, shell="nohup $UP --no-web & wait"):
        found = running(home)
        assert found is not None
        supervisor = psutil.Process(found.pid)
        supervisor.terminate()
        supervisor.wait(timeout=60)
    assert services_of(home) == []


@pytest.mark.slow
def test_services_end_when_their_supervisor_is_killed(home: Path) -> None:
    with up(home, "--no-web") as process:
        assert len(services_of(home)) == 3
        process.kill()
        wait_until(lambda: not services_of(home), "the end of the services")
    assert running(home) is None


@pytest.mark.slow
def test_a_service_that_dies_is_started_again(home: Path) -> None:
    said: list[str] = []
    with running_services(home, web_port=None, on_log=said.append):
        before = {process.pid for process in services_of(home)}
        service(home, "tip_resources.launch.daemon").kill()
        wait_until(lambda: {process.pid for process in services_of(home)} - before, "the new daemon")
        assert any("daemon ended with exit code -9" in line for line in said)


@pytest.mark.slow
def test_a_watcher_that_is_killed_is_started_again_and_writes_states_as_before(home: Path) -> None:
    with running_services(home, web_port=None), closing_database(home) as states:
        (name,) = states.all()
        watcher = service(home, FLEET)
        watcher.kill()
        wait_until(lambda: all(one.pid != watcher.pid for one in fleet_watchers(home)), "its end")
        wait_until(lambda: fleet_watchers(home), "the new one")
        age = states.all()[name].age_seconds
        wait_until(lambda: states.all()[name].age_seconds < age, "a state that the new one wrote")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("definitions_with_an_error", "exit code 1: RuntimeError: this module does not load"),
        ("definitions_that_cannot_be_sent", "definitions_that_cannot_be_sent cannot be used: .*SerializationError"),
    ],
)
def test_definitions_that_do_not_load_are_shown_with_their_error(location: str, message: str) -> None:
    with temporary_project(location) as broken:
        with pytest.raises(TransientFailure, match=message), running_services(broken, web_port=None):
            pytest.fail("the services are not ready")
        assert services_of(broken) == []


def test_a_taken_port_is_named_with_who_has_it(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [*UP, "--port", str(port)]
        done = subprocess.run(command, env=environment(home), cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"port {port} is taken by" in done.stderr
    assert f"(process {os.getpid()})" in done.stderr
    assert f"--port {port + 1}" in done.stderr
