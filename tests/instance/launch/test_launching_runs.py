"""Runs through the real queue, daemon, launcher and executor, with processes killed on the way."""

from functools import partial

import dagster as dg
import psutil
import pytest

from node_agent.identity import node_name
from tests.instance.launch.small_project import Project, service, services_of, wait_until

SUCCESS = dg.DagsterRunStatus.SUCCESS


def begun(project: Project, number: int) -> int:
    return len(project.noted(f"work-{number}-begins-on-*"))


def has_begun(project: Project, count: int) -> bool:
    """Whether so many mapped steps have begun."""
    return len(project.noted("work-*-begins-on-*")) >= count


def is_released(project: Project, number: int) -> bool:
    return (project.notes / f"release-work-{number}").exists()


def step_pid(project: Project, number: int) -> int:
    """The process that works on a mapped step now."""
    note = wait_until(lambda: project.noted(f"work-{number}-begins-on-*"), f"the start of work {number}")[-1]
    return int(note.name.split(".")[-2])


def test_a_run_succeeds_and_says_where_it_ran_and_why(project: Project) -> None:
    run_id = project.launch("chain")
    assert project.wait_for_end(run_id) == SUCCESS
    assert [len(project.noted(asset)) for asset in ("first", "second", "third")] == [1, 1, 1]
    tags = project.run(run_id).tags
    assert tags["tip/node_auto"] == "true"
    assert f"{tags['tip/node']} scores" in tags["tip/node_why"]


@pytest.mark.slow
def test_a_node_chosen_by_the_submitter_stays(project: Project) -> None:
    run_id = project.launch("chain", tags={"tip/node": node_name()})
    assert project.wait_for_end(run_id) == SUCCESS
    assert "tip/node_auto" not in project.run(run_id).tags


def test_a_run_for_a_node_that_cannot_be_reached_fails_at_once_and_says_what_to_do(project: Project) -> None:
    run_id = project.launch("chain", tags={"tip/node": "elsewhere"})
    assert project.wait_for_end(run_id) == dg.DagsterRunStatus.FAILURE
    told = str(project.instance.all_logs(run_id))
    assert f"run tag tip/node: 'elsewhere': no run can be started on this node, only on {node_name()}" in told
    assert "Launch the run without the tag tip/node" in told
    assert not project.noted("first")


@pytest.mark.slow
def test_no_more_steps_run_at_once_than_there_are_slots(project: Project) -> None:
    run_id = project.launch("mapped", {"execution": {"config": {"slots": 1}}})
    for count in range(1, 5):
        wait_until(partial(has_begun, project, count), "the next step")
        at_work = [number for number in range(4) if begun(project, number) and not is_released(project, number)]
        assert len(at_work) == 1
        project.release(f"work-{at_work[0]}")
    assert project.wait_for_end(run_id) == SUCCESS


def test_a_killed_run_worker_is_replaced_and_no_step_is_repeated(project: Project) -> None:
    run_id = project.launch("mapped")
    project.release("work-0")
    wait_until(lambda: project.noted("work-0-ends") and begun(project, 1) and begun(project, 2), "three steps")
    survivors = [step_pid(project, 1), step_pid(project, 2)]
    project.workers(run_id)[0].kill()
    project.release("work-2", "work-3")
    wait_until(lambda: project.noted("work-3-ends"), "a step started by the new worker")
    assert psutil.pid_exists(survivors[0])
    project.release("work-1")
    assert project.wait_for_end(run_id) == SUCCESS
    assert [begun(project, number) for number in range(4)] == [1, 1, 1, 1]
    assert len(project.noted("plan")) == 1


@pytest.mark.slow
def test_a_worker_killed_with_its_steps_repeats_only_the_steps_in_flight(project: Project) -> None:
    run_id = project.launch("mapped")
    project.release("work-0")
    wait_until(lambda: project.noted("work-0-ends") and begun(project, 1) and begun(project, 2), "three steps")
    for process in project.workers(run_id):
        process.kill()
    project.release("work-1", "work-2", "work-3")
    assert project.wait_for_end(run_id) == SUCCESS
    assert [begun(project, number) for number in range(4)] == [1, 2, 2, 1]
    assert len(project.noted("plan")) == 1


def test_a_killed_step_is_noticed_and_tried_again(project: Project) -> None:
    project.release("work-1", "work-2", "work-3")
    run_id = project.launch("mapped")
    psutil.Process(step_pid(project, 0)).kill()
    wait_until(lambda: begun(project, 0) == 2, "the second attempt")
    project.release("work-0")
    assert project.wait_for_end(run_id) == SUCCESS
    assert [begun(project, number) for number in range(4)] == [2, 1, 1, 1]
    events = project.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert "exit code -9" in str(events[0].dagster_event)


@pytest.mark.slow
def test_a_killed_step_is_tried_again_twice_without_a_retry_policy_and_then_fails(project: Project) -> None:
    run_id, killed = project.launch("patient"), set[int]()
    for _ in range(3):
        pid = wait_until(lambda: patient_pids(project) - killed, "the next attempt").pop()
        psutil.Process(pid).kill()
        killed.add(pid)
    assert project.wait_for_end(run_id) == dg.DagsterRunStatus.FAILURE
    assert len(project.events(run_id, dg.DagsterEventType.STEP_UP_FOR_RETRY)) == 2
    assert patient_pids(project) == killed


def patient_pids(project: Project) -> set[int]:
    """The processes that have begun to wait patiently."""
    return {int(note.name.split(".")[-2]) for note in project.noted("patient-begins")}


@pytest.mark.slow
def test_a_cancelled_run_leaves_no_process(project: Project) -> None:
    run_id = project.launch("mapped")
    steps = [step_pid(project, 0), step_pid(project, 1)]
    project.cancel(run_id)
    project.wait_for_cancel(run_id)
    wait_until(lambda: not project.workers(run_id), "the end of the worker")
    assert not any(psutil.pid_exists(pid) for pid in steps)


@pytest.mark.slow
def test_a_step_that_does_not_listen_is_killed_when_its_run_is_cancelled(project: Project) -> None:
    run_id, pid = deaf_step(project)
    project.cancel(run_id)
    project.wait_for_cancel(run_id)
    assert not psutil.pid_exists(pid)


@pytest.mark.slow
def test_asking_again_kills_at_once(project: Project) -> None:
    run_id, pid = deaf_step(project)
    launcher = project.instance.run_launcher
    assert launcher.terminate(run_id)
    assert psutil.pid_exists(pid)
    assert launcher.terminate(run_id)
    assert project.run(run_id).status == dg.DagsterRunStatus.CANCELED
    assert not psutil.pid_exists(pid)


def deaf_step(project: Project) -> tuple[str, int]:
    """A run with the process of its only step, which ignores interrupts."""
    run_id = project.launch("stubborn")
    note = wait_until(lambda: project.noted("deaf"), "the step")[0]
    return run_id, int(note.name.split(".")[-2])


@pytest.mark.slow
def test_steps_run_without_a_fork_server_too(project: Project) -> None:
    project.release("work-0", "work-1", "work-2", "work-3")
    run_id = project.launch("mapped", {"execution": {"config": {"start_method": "subprocess"}}})
    assert project.wait_for_end(run_id) == SUCCESS
    assert [begun(project, number) for number in range(4)] == [1, 1, 1, 1]


@pytest.mark.slow
def test_a_killed_fork_server_is_replaced_and_its_steps_work_on(project: Project) -> None:
    run_id = project.launch("mapped")
    at_work = psutil.Process(step_pid(project, 0))
    step_pid(project, 1)
    fork_server = at_work.parent()
    assert fork_server is not None
    fork_server.kill()
    project.release("work-1", "work-2", "work-3")
    wait_until(lambda: project.noted("work-3-ends"), "a step forked from the new server")
    assert at_work.is_running()
    project.release("work-0")
    assert project.wait_for_end(run_id) == SUCCESS
    assert [begun(project, number) for number in range(4)] == [1, 1, 1, 1]


@pytest.mark.slow
def test_a_run_goes_on_without_the_daemon(project: Project) -> None:
    run_id = project.launch("mapped")
    step_pid(project, 0)
    service(project.home, "tip_resources.launch.daemon").kill()
    project.release("work-0", "work-1", "work-2", "work-3")
    assert project.wait_for_end(run_id) == SUCCESS
    assert [begun(project, number) for number in range(4)] == [1, 1, 1, 1]


@pytest.mark.slow
def test_runs_are_launched_again_after_the_code_server_was_killed(project: Project) -> None:
    before = {process.pid for process in services_of(project.home)}
    service(project.home, "code-server").kill()
    wait_until(lambda: {process.pid for process in services_of(project.home)} - before, "the new code server")
    run_id = wait_until(lambda: launched_or_none(project, "chain"), "the first launch that is taken")
    assert project.wait_for_end(run_id) == SUCCESS


def launched_or_none(project: Project, job: str) -> str | None:
    """A run, or None while the code server is not reachable."""
    try:
        return project.launch(job)
    except (AssertionError, KeyError, TypeError):
        return None
