"""Slots of nodes that steps hold, agreed upon by many holders on a real PostgreSQL."""

import os
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from sqlalchemy import Engine, create_engine, text

from node_agent.identity import node_name
from tip_resources.database.step_leases import Outcome, StepLease, StepLeaseStore
from tip_resources.launch.step_slots import DatabaseAway, StepSlots

LEASE = StepLease(run_id="run-1", step_key="a", node="desk", holder=str(uuid.uuid4()), host="host", pid=7)


def other(step_key: str, **change: object) -> StepLease:
    return msgspec.structs.replace(LEASE, step_key=step_key, holder=str(uuid.uuid4()), **change)


def pass_time(database: Engine, seconds: float) -> None:
    """Makes every lease that much older, as if nobody had renewed it meanwhile."""
    statement = "UPDATE tip.step_leases SET expires_at = expires_at - make_interval(secs => :seconds)"
    with database.begin() as connection:
        connection.execute(text(statement), {"seconds": seconds})


def work_of(database: Engine, node: str) -> tuple[int, int]:
    with database.connect() as connection:
        query = text(
            "SELECT coalesce(sum(steps), 0), coalesce(sum(failed_steps), 0) FROM tip.node_work WHERE node = :n"
        )
        steps, failed = connection.execute(query, {"n": node}).one()
    return int(steps), int(failed)


def ended_process() -> int:
    """The pid of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_node_has_as_many_holders_as_slots(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    assert store.take(LEASE, 2)
    assert store.take(other("b"), 2)
    assert not store.take(other("c"), 2)
    assert store.take(other("c", node="pi"), 1), "another node"
    assert store.take(LEASE, 2), "its own slot is never in its own way"
    assert store.used() == {"desk": 2, "pi": 1}
    store.release("run-1", "a", node="desk", outcome=None)
    assert store.take(other("d"), 2)


def test_many_at_once_never_take_more_than_there_are(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda number: store.take(other(f"step-{number}"), 3), range(24)))
    assert sum(taken) == 3
    assert store.used() == {"desk": 3}


def test_the_slot_of_a_holder_that_is_gone_is_free_when_its_lease_expires(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database, lease_seconds=20)
    store.take(LEASE, 1)
    pass_time(fresh_database, 19)
    assert not store.take(other("b"), 1)
    store.renew([LEASE])
    pass_time(fresh_database, 19)
    assert not store.take(other("b"), 1), "it was renewed"
    pass_time(fresh_database, 2)
    assert store.take(other("b"), 1)


def test_a_renewal_brings_back_what_expired_and_takes_nothing_from_who_adopted_it(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    store.take(LEASE, 1)
    adopted = msgspec.structs.replace(LEASE, holder=str(uuid.uuid4()))
    store.adopt(adopted)
    store.renew([LEASE])
    assert list(store.live()) == [adopted]
    pass_time(fresh_database, 60)
    assert not store.live()
    store.renew([adopted])
    assert list(store.live()) == [adopted]


def test_what_a_node_got_done_is_counted(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    outcomes: tuple[tuple[str, Outcome | None], ...] = (("a", "succeeded"), ("b", "failed"), ("c", None))
    for step_key, outcome in outcomes:
        store.take(other(step_key), 5)
        store.release("run-1", step_key, node="desk", outcome=outcome)
    assert work_of(fresh_database, "desk") == (2, 1)
    assert not store.live()


def test_the_slot_of_a_step_whose_process_has_ended_here_is_free_at_once(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    here, dead = node_name(), ended_process()
    store.take(other("ended", host=here, pid=dead), 9)
    store.take(other("runs", host=here, pid=os.getpid()), 9)
    store.take(other("starts", host=here, pid=0), 9)
    store.take(other("elsewhere", host="another-host", pid=dead), 9)
    slots = StepSlots(store)
    slots.begin("run-2")
    assert {lease.step_key for lease in slots.usage().held} == {"runs", "starts", "elsewhere"}
    assert store.used() == {"desk": 3}


def test_a_run_gives_back_what_it_holds_and_counts_each_step_once(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    slots = StepSlots(store)
    slots.begin("run-2")
    assert slots.take("a", "desk", 2)
    assert slots.take("b", "desk", 2)
    assert not slots.take("c", "desk", 2)
    slots.works("a", os.getpid())
    slots.release("a", "failed")
    slots.release("a", "failed")
    assert store.used() == {"desk": 1}
    slots.release_all()
    assert store.used() == {}
    assert work_of(fresh_database, "desk") == (1, 1)


def test_the_next_worker_of_a_run_counts_what_ended_while_none_looked(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    killed = StepSlots(store)
    killed.begin("run-2")
    killed.take("ended", "desk", 3)
    killed.take("runs", "desk", 3)
    following = StepSlots(store)
    following.begin("run-2")
    following.release("of an older worker", "succeeded")
    following.release("ended", "succeeded")
    following.adopt("runs", "desk", os.getpid())
    assert work_of(fresh_database, "desk") == (1, 0)
    assert store.used() == {"desk": 1}
    killed.release_all()
    assert store.used() == {"desk": 1}, "it has another holder now"


def test_held_slots_are_renewed_every_few_seconds(fresh_database: Engine) -> None:
    seconds = [0.0]
    store = StepLeaseStore(fresh_database, lease_seconds=20)
    slots = StepSlots(store, clock=lambda: seconds[0])
    slots.begin("run-2")
    slots.take("a", "desk", 1)
    for _ in range(4):
        pass_time(fresh_database, 8)
        seconds[0] += 8
        slots.renew()
    assert store.used() == {"desk": 1}


def test_while_the_database_is_away_nothing_starts_nothing_stops_and_it_is_said_once(
    fresh_database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    store = StepLeaseStore(fresh_database)
    seconds = [0.0]
    slots = StepSlots(store, clock=lambda: seconds[0])
    slots.begin("run-2")
    slots.take("a", "desk", 5)
    slots.take("b", "desk", 5)
    store._engine = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    slots.release("a", "succeeded")
    assert not slots.take("c", "desk", 5)
    with pytest.raises(DatabaseAway):
        slots.usage()
    seconds[0] += 60
    slots.renew()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    store._engine = fresh_database
    pass_time(fresh_database, 60)
    seconds[0] += 60
    slots.renew()
    assert {lease.step_key for lease in store.live()} == {"b"}, "what ended is released late, what runs is held again"
    assert work_of(fresh_database, "desk") == (1, 0)


def test_runs_that_wait_for_a_node_take_turns(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    large, small = StepSlots(store), StepSlots(store)
    large.begin("large")
    small.begin("small")
    assert large.take("1", "desk", 1)
    large.wait("2", "desk")
    assert not small.take("only", "desk", 1)
    small.wait("only", "desk")
    large.release("1", "succeeded")
    assert not small.take("only", "desk", 1), "the other waits longer"
    assert [lease.step_key for lease in large.usage().waiting] == ["only"]
    assert large.take("2", "desk", 1)
    large.wait("3", "desk")
    large.release("2", "succeeded")
    assert not large.take("3", "desk", 1), "now it is the other's turn"
    assert large.take("3", "pi", 1), "another node has no such line"
    assert small.take("only", "desk", 1)
    assert not store.waiting()


def test_who_waits_no_more_holds_nobody_up(fresh_database: Engine) -> None:
    store = StepLeaseStore(fresh_database)
    store.wait(other("a", run_id="stopped", host="another-host"))
    store.wait(other("a", run_id="killed", host=node_name(), pid=ended_process()))
    slots = StepSlots(store)
    slots.begin("run-2")
    assert not slots.take("b", "desk", 1)
    assert [lease.run_id for lease in slots.usage().waiting] == ["stopped"]
    pass_time(fresh_database, 60)
    assert slots.take("b", "desk", 1)
