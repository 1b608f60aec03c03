"""Steps that share slots with other runs, wait for their node, and go elsewhere, in real runs."""

import dagster as dg
import pytest
from sqlalchemy import text

from node_agent.identity import node_name
from tests.instance.launch.small_project import Project, service, wait_until
from tip_resources.database.connection import database
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.database.step_leases import StepLease, StepLeaseStore
from tip_resources.fleet.node_state import NodeState

SUCCESS = dg.DagsterRunStatus.SUCCESS
ONE_SLOT = {"execution": {"config": {"slots": 1}}}


def waits_of(project: Project, run_id: str) -> list[str]:
    """What the steps of a run said that they wait for."""
    entries = project.instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    return [entry.message for entry in entries if "Waits: " in entry.message]


def leases_of(run_id: str) -> list[StepLease]:
    return [lease for lease in StepLeaseStore(database()).live() if lease.run_id == run_id]


def moments(project: Project, what: str) -> list[int]:
    return sorted(int(note.name.rsplit(".", maxsplit=1)[1]) for note in project.noted(what))


@pytest.mark.slow
def test_two_runs_share_the_one_slot_of_a_node(project: Project) -> None:
    runs = [project.launch("crowd", ONE_SLOT), project.launch("crowd", ONE_SLOT)]
    assert [project.wait_for_end(run_id) for run_id in runs] == [SUCCESS, SUCCESS]
    begins, ends = moments(project, "busy-begins"), moments(project, "busy-ends")
    assert len(begins) == len(ends) == 6
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False)), "two steps at once"
    assert not any(leases_of(run_id) for run_id in runs)


def test_a_step_waits_for_a_paused_machine_with_the_reason_and_goes_on_when_it_is_resumed(project: Project) -> None:
    orders = NodeOrderStore(database())
    orders.give(node_name(), "pause", by="anna", reason="a demo at four")
    try:
        run_id = project.launch("crowd")
        wait_until(lambda: len(waits_of(project, run_id)) >= 3, "the reason of each step")
        assert not project.noted("busy-begins")
    finally:
        orders.lift(node_name(), by="anna")
    assert project.wait_for_end(run_id) == SUCCESS
    paused = [words for words in waits_of(project, run_id) if "draining (paused by anna: a demo at four)" in words]
    assert len(paused) == 3, "each step says it once"


@pytest.mark.slow
def test_a_throttled_machine_takes_fewer_steps_at_once(project: Project) -> None:
    warm = NodeState(node=node_name(), status="throttled", reason="CPU at 76 C", slots=1, concurrency_factor=0.7)
    row = NodeRow(name=warm.node, state=warm.status, state_reason=warm.reason, since_unix_seconds=0.0)
    watcher = service(project.home, "tip_resources.fleet.fleet_service")
    watcher.suspend()  # It would write what it measures.
    NodeStore(database()).note([row])
    NodeStateStore(database()).write([warm])
    try:
        run_id = project.launch("crowd", {"execution": {"config": {"slots": 2}}})
        assert project.wait_for_end(run_id) == SUCCESS
    finally:
        with database().begin() as connection:
            connection.execute(text("DELETE FROM tip.nodes"))
        watcher.resume()
    begins, ends = moments(project, "busy-begins"), moments(project, "busy-ends")
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False)), "2 x 0.7 is one"


def test_steps_go_where_their_tags_say_and_a_retry_goes_to_another_node(project: Project) -> None:
    run_id = project.launch("choosy")
    assert project.wait_for_end(run_id) == SUCCESS
    tried = {note.name.split(".")[0] for note in project.noted("try-on-*")}
    assert tried == {"try-on-twin-pi-a", "try-on-twin-pi-b"}
    assert [note.name.split(".")[0] for note in project.noted("card-on-*")] == ["card-on-twin-desk"]
    query = text("SELECT node, sum(steps), sum(failed_steps) FROM tip.node_work WHERE node LIKE 'twin-%' GROUP BY node")
    with database().connect() as connection:
        work = {node: (steps, failed) for node, steps, failed in connection.execute(query)}
    assert work["twin-desk"] == (1, 0)
    assert sorted([work["twin-pi-a"], work["twin-pi-b"]]) == [(1, 0), (1, 1)]


@pytest.mark.slow
def test_a_step_with_a_tag_that_cannot_be_used_fails_at_once(project: Project) -> None:
    run_id = project.launch("wrongly_tagged")
    assert project.wait_for_end(run_id) == dg.DagsterRunStatus.FAILURE
    (failure,) = project.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    assert "op tag tip/memory-mb: 'lots': is not a whole number of MiB above 0." in failure.message
    assert "Write for example tip/memory-mb: '2048'" in failure.message
    assert not project.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert not project.noted("lots")


def test_a_step_that_no_node_can_ever_take_says_so_and_can_be_cancelled(project: Project) -> None:
    run_id = project.launch("impossible")
    (words,) = wait_until(lambda: waits_of(project, run_id), "the reason")
    assert "no node on which steps can be started will ever take it: tip/requires asks for warp-drive" in words
    assert f"{node_name()} has class:hybrid, cpu" in words
    assert "change the tags of the op" in words
    project.cancel(run_id)
    project.wait_for_cancel(run_id)
    assert not project.noted("warp")


@pytest.mark.slow
def test_the_next_worker_takes_over_the_slots_of_living_steps_and_a_cancelled_run_gives_them_back(
    project: Project,
) -> None:
    run_id = project.launch("mapped")
    wait_until(lambda: len(project.noted("work-*-begins-on-*")) == 2, "two steps")
    before = leases_of(run_id)
    project.workers(run_id)[0].kill()
    after = wait_until(lambda: taken_over(run_id, before), "the new worker")
    assert {(lease.step_key, lease.pid) for lease in after} == {(lease.step_key, lease.pid) for lease in before}
    assert len(project.noted("work-*-begins-on-*")) == 2
    project.cancel(run_id)
    project.wait_for_cancel(run_id)
    wait_until(lambda: not leases_of(run_id), "the slots are free")


def taken_over(run_id: str, before: list[StepLease]) -> list[StepLease]:
    """The leases of a run when they all have a new holder, which takes them one after the other."""
    after = leases_of(run_id)
    have_new_holder = not {lease.holder for lease in before} & {lease.holder for lease in after}
    return after if have_new_holder and len(after) == len(before) else []


@pytest.mark.slow
def test_two_runs_finish_when_the_one_that_held_the_slot_was_killed_with_its_step(project: Project) -> None:
    killed = project.launch("mapped", ONE_SLOT)
    wait_until(lambda: project.noted("work-*-begins-on-*"), "a step")
    other = project.launch("crowd", ONE_SLOT)
    wait_until(lambda: any(f"run {killed[:8]} holds 1" in words for words in waits_of(project, other)), "the reason")
    for process in project.workers(killed):
        process.kill()
    project.release("work-0", "work-1", "work-2", "work-3")
    assert [project.wait_for_end(run_id) for run_id in (killed, other)] == [SUCCESS, SUCCESS]
