"""A machine that is shut down sends SIGTERM to everything; after the next start the runs go on by themselves."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster import DagsterEventType, DagsterRunStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from sqlalchemy import text

from tests.instance.launch.small_project import Project, environment_of, service, temporary_project, wait_until
from tip_resources.database import embedded
from tip_resources.database.connection import close, database
from tip_resources.launch.run_watch import worker_of
from tip_resources.launch.supervisor import running_services

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send"),
]


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_project() as home, environment_of(home):
        (home / "notes").mkdir()
        yield home
        close(home)


@contextmanager
def machine_on(home: Path) -> Iterator[Project]:
    """The project with its services, until the block ends: then everything gets SIGTERM, the database last."""
    with running_services(home, web_port=None), dg.DagsterInstance.from_config(str(home)) as instance:
        target = WorkspaceFileTarget([str(home / ".tip" / "workspace.yaml")])
        with WorkspaceProcessContext(instance, target) as context:
            yield Project(home, home / "notes", context)
    close(home)
    embedded.stop(home)


def shut_down(processes: list[psutil.Process]) -> None:
    """SIGTERM to all at once, then SIGKILL for what is left, as an operating system does it."""
    for process in processes:
        process.send_signal(signal.SIGTERM)
    _, left = psutil.wait_procs(processes, timeout=60)
    for process in left:
        process.kill()


def test_a_run_at_work_goes_on_after_the_next_start(home: Path) -> None:
    with machine_on(home) as project:
        run_id = project.launch("mapped")
        project.release("work-0")
        wait_until(lambda: project.noted("work-0-ends"), "the end of one step")
        wait_until(lambda: project.noted("work-1-begins-on-*"), "a step at work")
        service(home, "tip_resources.launch.daemon").suspend()  # It may not start a new worker while all else ends.
        shut_down(project.workers(run_id))
        assert project.run(run_id).status == DagsterRunStatus.STARTED
    project.release("work-1", "work-2", "work-3")
    with machine_on(home) as project:
        assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
        assert project.events(run_id, DagsterEventType.STEP_FAILURE) == []
        assert project.instance.count_resume_run_attempts(run_id) == 0  # a night is not held against it
        assert len(project.noted("plan")) == len(project.noted("work-0-begins-on-*")) == 1


def test_a_run_that_was_starting_long_ago_is_started_again_instead_of_timing_out(home: Path) -> None:
    with machine_on(home) as project:
        run_id = project.launch("chain")
        worker = wait_until(lambda: worker_of(project.run(run_id)), "the worker")
        service(home, "tip_resources.launch.daemon").suspend()
        psutil.Process(worker.pid).kill()
        assert project.run(run_id).status == DagsterRunStatus.STARTING
        with database(home).begin() as connection:
            sql = "UPDATE tip_dagster.event_logs SET timestamp = timestamp - interval '1 hour' WHERE run_id = :run"
            connection.execute(text(sql), {"run": run_id})
    with machine_on(home) as project:
        assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
        assert [len(project.noted(asset)) for asset in ("first", "second", "third")] == [1, 1, 1]
