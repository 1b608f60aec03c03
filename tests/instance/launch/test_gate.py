"""The pool of runs under the real queue: what a limit of 0 holds, and what it does not."""

from collections.abc import Iterator

import dagster as dg
import pytest

from tests.instance.launch.small_project import Project, wait_until
from tip_assets.catalogue import RUN_POOL
from tip_resources.launch.tags import STARTED, WAITS_TAG

QUEUED, STARTED_RUN, SUCCESS = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS


@pytest.fixture(autouse=True)
def no_limit_is_left(project: Project) -> Iterator[None]:
    yield
    project.instance.event_log_storage.delete_concurrency_limit(RUN_POOL)


def limit(project: Project, runs: int) -> None:
    project.instance.event_log_storage.set_concurrency_slots(RUN_POOL, runs)


def taken_past_the_others(project: Project) -> str:
    """A run in no pool that came later and has left the queue, which was looked at from its oldest run on."""
    run_id = project.launch("chain")
    wait_until(lambda: project.run(run_id).status not in {dg.DagsterRunStatus.NOT_STARTED, QUEUED}, "its start")
    return run_id


def test_a_closed_gate_holds_the_queue_and_nothing_that_has_begun(project: Project) -> None:
    begun = project.launch("gated")
    wait_until(lambda: project.noted("begin"), "the first step, with no limit set yet")
    limit(project, 0)
    held = project.launch("gated")
    project.instance.add_run_tags(held, {WAITS_TAG: "nothing starts: desk is in use: a game"})
    later = taken_past_the_others(project)
    assert project.run(held).status == QUEUED
    project.release("go-on")
    assert project.wait_for_end(begun) == SUCCESS, "its second step needed no slot of the pool"
    assert project.run(held).status == QUEUED
    limit(project, 1)
    assert project.wait_for_end(held) == SUCCESS
    assert project.run(held).tags[WAITS_TAG] == STARTED
    assert project.wait_for_end(later) == SUCCESS


@pytest.mark.slow
def test_one_run_at_a_time_under_a_limit_of_one(project: Project) -> None:
    limit(project, 1)
    first, second = project.launch("gated"), project.launch("gated")
    wait_until(lambda: project.noted("begin"), "the first step")
    later = taken_past_the_others(project)
    assert {project.run(run).status for run in (first, second)} == {QUEUED, STARTED_RUN}
    project.release("go-on")
    assert [project.wait_for_end(run_id) for run_id in (first, second, later)] == [SUCCESS] * 3
