"""Workers that come too late, die too early, or are not the one on record: never two on one run."""

import logging
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import pytest
from dagster import DagsterEventType, DagsterRunStatus
from dagster._core.launcher.base import ResumeRunContext, WorkerStatus
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from tests.instance.launch.small_project import Project, wait_until
from tip_resources.domain.failures import PermanentFailure
from tip_resources.launch.local_launcher import run_log_file
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.run_watch import worker_of
from tip_resources.launch.tags import WORKER_TAG


def worker_before_begin(project: Project, run_id: str, number: int = 1) -> psutil.Process:
    """The run's worker after its `number`th start, stopped while it still loads."""

    def stopped() -> psutil.Process | None:
        worker = worker_of(project.run(run_id))
        if len(project.events(run_id, DagsterEventType.RUN_STARTING)) < number or worker is None:
            return None
        if not worker.is_alive():
            return None
        process = psutil.Process(worker.pid)
        process.suspend()
        return process

    process = wait_until(stopped, "the worker")
    assert project.run(run_id).status == DagsterRunStatus.STARTING
    return process


@contextmanager
def impatient(project: Project) -> Iterator[WorkspaceProcessContext]:
    """What Dagster's monitoring needs, with a start timeout of one second."""
    folder = Path(tempfile.mkdtemp())
    text = (project.home / "dagster.yaml").read_text()
    assert "start_timeout_seconds: 120" in text
    (folder / "dagster.yaml").write_text(text.replace("start_timeout_seconds: 120", "start_timeout_seconds: 1"))
    target = WorkspaceFileTarget([str(project.home / ".tip" / "workspace.yaml")])
    try:
        with (
            dg.DagsterInstance.from_config(str(folder)) as instance,
            WorkspaceProcessContext(instance, target) as found,
        ):
            yield found
    finally:
        shutil.rmtree(folder)


def has_timed_out(project: Project, monitor: WorkspaceProcessContext, run_id: str) -> bool:
    list(execute_run_monitoring_iteration(monitor, logging.getLogger("test")))
    return project.run(run_id).is_finished


def test_a_worker_that_wakes_up_after_the_start_timeout_does_nothing(project: Project) -> None:
    run_id = project.launch("chain")
    worker = worker_before_begin(project, run_id)
    with impatient(project) as monitor:
        wait_until(lambda: has_timed_out(project, monitor, run_id), "the start timeout")
    assert project.run(run_id).status == DagsterRunStatus.FAILURE
    worker.resume()
    wait_until(lambda: not project.workers(run_id), "the end of the late worker")
    assert project.run(run_id).status == DagsterRunStatus.FAILURE
    assert project.events(run_id, DagsterEventType.STEP_WORKER_STARTING, DagsterEventType.RUN_START) == []
    assert not project.noted("first")
    assert f"does not work on run {run_id}: the run is FAILURE" in run_log_file(run_id).read_text()


def test_a_worker_killed_before_its_run_begins_is_replaced_at_once(project: Project) -> None:
    run_id = project.launch("chain")
    worker_before_begin(project, run_id).kill()
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert [len(project.noted(asset)) for asset in ("first", "second", "third")] == [1, 1, 1]
    assert len(project.events(run_id, DagsterEventType.RUN_STARTING)) == 2
    assert len(project.events(run_id, DagsterEventType.RUN_START)) == 1
    said = [event.message or "" for event in project.events(run_id, DagsterEventType.ENGINE_EVENT)]
    expected = "ended before the run began (exit code -9); the run goes back into the queue (1 of 3)"
    assert any(expected in message for message in said)


@pytest.mark.slow
def test_a_run_whose_workers_always_die_before_it_begins_fails_and_says_why(project: Project) -> None:
    run_id = project.launch("chain")
    for number in (1, 2, 3):
        worker_before_begin(project, run_id, number).kill()
    assert project.wait_for_end(run_id) == DagsterRunStatus.FAILURE
    failure = project.events(run_id, DagsterEventType.RUN_FAILURE)[0].message
    assert "ended before the run began (exit code -9), 3 times" in (failure or "")
    assert str(run_log_file(run_id)) in (failure or "")
    assert not project.noted("first")


def test_a_run_cancelled_while_its_worker_loads_is_cancelled_at_once(project: Project) -> None:
    run_id = project.launch("chain")
    worker = worker_before_begin(project, run_id)
    assert project.instance.run_launcher.terminate(run_id)  # the web UI offers only to force it
    worker.resume()
    project.wait_for_cancel(run_id)
    assert project.events(run_id, DagsterEventType.STEP_WORKER_STARTING) == []


@pytest.mark.slow
def test_processes_of_a_run_that_is_failed_from_outside_stop(project: Project) -> None:
    run_id = project.launch("mapped")
    step = wait_until(lambda: project.noted("work-0-begins-on-*"), "a step")[0]
    project.instance.report_run_failed(project.run(run_id), "failed from outside, as by a start timeout")
    wait_until(lambda: not project.workers(run_id), "the end of the worker")
    assert not psutil.pid_exists(int(step.name.split(".")[-2]))
    assert project.run(run_id).status == DagsterRunStatus.FAILURE
    assert not project.noted("work-*-ends")


@pytest.mark.slow
def test_a_worker_that_is_not_on_record_stops_and_leaves_the_steps_to_the_other(project: Project) -> None:
    run_id = project.launch("mapped")
    step = wait_until(lambda: project.noted("work-0-begins-on-*"), "a step")[0]
    old = project.workers(run_id)[0]
    # Stands for a worker on record: alive, so that Dagster starts no third one while the old one looks.
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        identity = ProcessIdentity.of(other.pid)
        assert identity is not None
        project.instance.add_run_tags(run_id, {WORKER_TAG: identity.to_json()})
        old.wait(timeout=60)
        assert f"process {other.pid} is the worker on record" in run_log_file(run_id).read_text()
        assert psutil.pid_exists(int(step.name.split(".")[-2]))
        other.kill()
    project.release("work-0", "work-1", "work-2", "work-3")
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert [len(project.noted(f"work-{number}-begins-on-*")) for number in range(4)] == [1, 1, 1, 1]


def test_a_worker_is_running_or_gone_and_never_unknown(project: Project) -> None:
    run_id = project.launch("chain")
    worker = worker_before_begin(project, run_id)  # stopped, as on a machine that is asleep
    launcher, run = project.instance.run_launcher, project.run(run_id)
    assert launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    with pytest.raises(PermanentFailure, match=f"still worked on by process {worker.pid}"):
        launcher.resume_run(ResumeRunContext(dagster_run=run, workspace=None))
    project.instance.add_run_tags(run_id, {WORKER_TAG: ProcessIdentity(worker.pid, "another start").to_json()})
    assert launcher.check_run_worker_health(project.run(run_id)).status == WorkerStatus.NOT_FOUND
    worker.kill()


def test_a_run_cancelled_after_its_worker_was_killed_leaves_no_step(project: Project) -> None:
    run_id = project.launch("mapped")
    step = wait_until(lambda: project.noted("work-0-begins-on-*"), "a step")[0]
    worker = project.workers(run_id)[0]
    worker.kill()
    worker.wait(timeout=60)
    project.instance.run_launcher.terminate(run_id)
    project.wait_for_cancel(run_id)
    wait_until(lambda: not psutil.pid_exists(int(step.name.split(".")[-2])), "the end of the step")


def test_a_step_that_gets_sigterm_is_handed_back_and_done_again(project: Project) -> None:
    run_id = project.launch("patient")
    step = wait_until(lambda: project.noted("patient-begins"), "the step")[0]
    psutil.Process(int(step.name.split(".")[-2])).terminate()
    wait_until(lambda: len(project.noted("patient-begins")) == 2, "the second attempt")
    assert project.noted("patient-cleans-up")
    project.release("patient")
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert project.events(run_id, DagsterEventType.STEP_FAILURE) == []
    assert len(project.events(run_id, DagsterEventType.STEP_UP_FOR_RETRY)) == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_run_worker_that_gets_sigterm_leaves_its_steps_to_the_next_one(project: Project) -> None:
    run_id = project.launch("mapped")
    wait_until(lambda: project.noted("work-0-begins-on-*") and project.noted("work-1-begins-on-*"), "two steps")
    worker = project.workers(run_id)[0]
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=60)
    project.release("work-0", "work-1", "work-2", "work-3")
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert [len(project.noted(f"work-{number}-begins-on-*")) for number in range(4)] == [1, 1, 1, 1]
    assert len(project.noted("plan")) == 1
