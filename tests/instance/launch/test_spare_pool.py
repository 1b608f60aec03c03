"""Runs whose steps are taken from a pool of interpreters, as where there is no fork."""

import psutil
import pytest
from dagster import DagsterEventType, DagsterRunStatus

from tests.instance.launch.small_project import Project, wait_until
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.tags import STEP_WORKER

POOL = {"execution": {"config": {"start_method": "pool", "slots": 1}}}


def spares(project: Project, run_id: str) -> list[psutil.Process]:
    """The interpreters of the run's worker that no step has taken."""
    starts = project.events(run_id, DagsterEventType.STEP_WORKER_STARTING)
    records = [ProcessIdentity.from_json(str(start.engine_event_data.metadata[STEP_WORKER].value)) for start in starts]
    steps = {record.pid for record in records if record}
    return [process for process in project.workers(run_id) if is_interpreter(process) and process.pid not in steps]


def is_interpreter(process: psutil.Process) -> bool:
    try:
        return "--load" in process.cmdline()
    except psutil.Error:
        return False


def step_pids(project: Project, what: str) -> list[int]:
    return [int(note.name.split(".")[-2]) for note in project.noted(what)]


def two_spares(project: Project, run_id: str) -> list[psutil.Process]:
    """The spares beside the only step at work."""
    return wait_until(lambda: found if len(found := spares(project, run_id)) == 2 else None, "two spares")


@pytest.mark.slow
def test_a_run_takes_its_steps_from_a_pool_that_is_filled_and_ends_with_it(project: Project) -> None:
    run_id = project.launch("gated", POOL)
    wait_until(lambda: project.noted("begin"), "the first step")
    waiting = two_spares(project, run_id)
    project.release("go-on")
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert len({*step_pids(project, "begin"), *step_pids(project, "go-on")}) == 2
    wait_until(lambda: not any(process.is_running() for process in waiting), "the end of the spares")
    wait_until(lambda: not project.workers(run_id), "the end of the worker")


@pytest.mark.slow
def test_steps_are_taken_from_the_pool_and_the_pool_is_refilled(project: Project) -> None:
    run_id = project.launch("mapped", POOL)
    first = wait_until(lambda: step_pids(project, "work-*-begins-on-*"), "a step")
    waiting = two_spares(project, run_id)
    project.release("work-0", "work-1", "work-2", "work-3")
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert [len(project.noted(f"work-{number}-begins-on-*")) for number in range(4)] == [1, 1, 1, 1]
    pids = step_pids(project, "work-*-begins-on-*") + step_pids(project, "collect")
    assert {process.pid for process in waiting} <= set(pids)
    assert len(set(pids)) == 5
    assert set(first) <= set(pids)
    wait_until(lambda: not any(process.is_running() for process in waiting), "the end of the steps")
    wait_until(lambda: not project.workers(run_id), "the end of the worker")


@pytest.mark.slow
def test_killed_spares_are_replaced_and_a_killed_step_is_done_again(project: Project) -> None:
    run_id = project.launch("mapped", POOL)
    step = wait_until(lambda: step_pids(project, "work-*-begins-on-*"), "a step")[0]
    killed = two_spares(project, run_id)
    for process in (*killed, psutil.Process(step)):
        process.kill()
    project.release("work-0", "work-1", "work-2", "work-3")
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert sorted(len(project.noted(f"work-{number}-begins-on-*")) for number in range(4)) == [1, 1, 1, 2]


@pytest.mark.slow
def test_a_cancelled_run_leaves_neither_steps_nor_spares(project: Project) -> None:
    run_id = project.launch("mapped", POOL)
    step = wait_until(lambda: step_pids(project, "work-*-begins-on-*"), "a step")[0]
    found = [*two_spares(project, run_id), psutil.Process(step)]
    project.cancel(run_id)
    project.wait_for_cancel(run_id)
    wait_until(lambda: not any(process.is_running() for process in found), "the end of all interpreters")


@pytest.mark.slow
def test_a_step_whose_code_ends_its_interpreter_is_noticed_and_tried_again(project: Project) -> None:
    run_id = project.launch("crashing", POOL)
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    retries = project.events(run_id, DagsterEventType.STEP_UP_FOR_RETRY)
    assert "exit code 7" in str(retries[0])
    assert len(set(step_pids(project, "crash"))) == 2


@pytest.mark.slow
def test_spares_end_with_their_killed_worker_and_its_step_is_taken_over(project: Project) -> None:
    run_id = project.launch("mapped", POOL)
    step = wait_until(lambda: step_pids(project, "work-*-begins-on-*"), "a step")[0]
    waiting = two_spares(project, run_id)
    project.workers(run_id)[0].kill()
    wait_until(lambda: not any(process.is_running() for process in waiting), "the end of the spares")
    assert psutil.pid_exists(step)
    project.release("work-0", "work-1", "work-2", "work-3")
    assert project.wait_for_end(run_id) == DagsterRunStatus.SUCCESS
    assert [len(project.noted(f"work-{number}-begins-on-*")) for number in range(4)] == [1, 1, 1, 1]
