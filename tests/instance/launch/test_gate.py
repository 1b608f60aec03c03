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


def the_queue_went_on(project: Project) -> None:
    """Another run, which is in no pool, came later and has ended: the queue was looked at in between."""
    assert project.wait_for_end(project.launch("chain")) == SUCCESS


def test_a_closed_gate_holds_the_queue_and_nothing_that_has_begun(project: Project) -> None:
    begun = project.launch("gated")
    wait_until(lambda: project.noted("begin"), "the first step, with no limit set yet")
    limit(project, 0)
    held = project.launch("gated")
    project.instance.add_run_tags(held, {WAITS_TAG: "nothing starts: desk is in use: a game"})
    the_queue_went_on(project)
    assert project.run(held).status == QUEUED
    project.release("go-on")
    assert project.wait_for_end(begun) == SUCCESS, "its second step needed no slot of the pool"
    assert project.run(held).status == QUEUED
    limit(project, 1)
    assert project.wait_for_end(held) == SUCCESS
    assert project.run(held).tags[WAITS_TAG] == STARTED


@pytest.mark.slow
def test_one_run_at_a_time_under_a_limit_of_one(project: Project) -> None:
    limit(project, 1)
    first, second = project.launch("gated"), project.launch("gated")
    wait_until(lambda: project.noted("begin"), "the first step")
    the_queue_went_on(project)
    assert {project.run(run).status for run in (first, second)} == {QUEUED, STARTED_RUN}
    project.release("go-on")
    assert project.wait_for_end(first) == project.wait_for_end(second) == SUCCESS
