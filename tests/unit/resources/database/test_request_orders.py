"""What people order of data sets, on a real database."""

import msgspec
import pytest
from sqlalchemy import Engine

from tip_resources.database import audit
from tip_resources.database.request_orders import RequestOrders
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.priority import Priority

SPEC = DatasetSpec(name="calls", count=50, domain="healthcare", requested_by="ann")


@pytest.fixture
def store(fresh_database: Engine) -> RequestStore:
    made = RequestStore(fresh_database)
    made.add(SPEC, source="cli")
    return made


@pytest.fixture
def orders(fresh_database: Engine) -> RequestOrders:
    return RequestOrders(fresh_database)


def ask(store: RequestStore, name: str, priority: Priority = "normal") -> None:
    store.add(msgspec.structs.replace(SPEC, name=name, priority=priority), source="cli")


def test_a_paused_set_does_not_wait_any_more_and_says_by_whom_and_since_when(
    store: RequestStore, orders: RequestOrders, fresh_database: Engine
):
    asked = store.get("calls")
    paused = orders.pause("calls", "bob@desk")
    assert asked is not None and paused is not None
    assert (paused.state, paused.state_by) == ("paused", "bob@desk")
    assert paused.state_since > asked.state_since
    assert store.waiting() == []
    assert [row.dataset for row in orders.paused()] == ["calls"]
    newest = audit.recent(fresh_database, target="calls")[0]
    assert (newest.actor, newest.action) == ("bob@desk", "dataset.paused")


def test_progress_does_not_change_since_when_it_is_paused(store: RequestStore, orders: RequestOrders):
    paused = orders.pause("calls", "bob")
    store.set_note("calls", "12/50 calls kept")
    now = store.get("calls")
    assert paused is not None and now is not None
    assert (now.state_since, now.note) == (paused.state_since, "12/50 calls kept")


def test_each_resume_is_an_attempt_of_its_own(store: RequestStore, orders: RequestOrders):
    for attempt in (1, 2):
        orders.pause("calls", "bob")
        resumed = orders.resume("calls", "bob")
        assert resumed is not None and (resumed.state, resumed.attempt) == ("requested", attempt)
    assert [row.attempt for row in store.waiting()] == [2]


@pytest.mark.parametrize("state", ["cancelled", "failed"])
def test_a_set_that_was_cancelled_or_failed_can_be_taken_up_again(store: RequestStore, orders: RequestOrders, state):
    store.set_state("calls", state, run_id="run-1")
    resumed = orders.resume("calls", "bob")
    assert resumed is not None and (resumed.state, resumed.run_id, resumed.attempt) == ("requested", "run-1", 1)


@pytest.mark.parametrize("state", ["requested", "running", "done", "deleting"])
def test_nothing_else_is_taken_up(store: RequestStore, orders: RequestOrders, state):
    store.set_state("calls", state)
    before = store.get("calls")
    assert orders.resume("calls", "bob") is None
    assert store.get("calls") == before


@pytest.mark.parametrize("state", ["paused", "done", "failed", "cancelled", "deleting"])
def test_only_what_waits_or_is_made_can_be_paused(store: RequestStore, orders: RequestOrders, state):
    store.set_state("calls", state)
    assert orders.pause("calls", "bob") is None


def test_a_run_launched_in_the_moment_of_the_pause_does_not_begin(store: RequestStore, orders: RequestOrders):
    orders.pause("calls", "bob@desk")
    with pytest.raises(BadInput, match=r"is paused by bob@desk.*tip resume calls"):
        store.begin("calls", "run-1", attempt=0)
    orders.resume("calls", "bob@desk")
    with pytest.raises(BadInput, match="is requested"):  # the run of the attempt that was taken back
        store.begin("calls", "run-1", attempt=0)
    assert store.begin("calls", "run-2", attempt=1).run_id == "run-2"
    assert store.begin("calls", "run-2", attempt=1).state == "running", "a step may be repeated"


def test_a_run_launched_in_the_moment_of_a_cancel_does_not_begin(store: RequestStore, orders: RequestOrders):
    orders.cancel("calls", "bob")
    with pytest.raises(BadInput, match="is cancelled"):
        store.begin("calls", "run-1", attempt=0)


def test_a_person_may_start_a_cancelled_set_in_dagster_but_no_paused_one(store: RequestStore, orders: RequestOrders):
    orders.cancel("calls", "bob")
    assert store.begin("calls", "run-1").state == "running"
    orders.pause("calls", "bob")
    with pytest.raises(BadInput, match="is paused"):
        store.begin("calls", "run-2")


def test_a_set_under_way_cannot_be_deleted(store: RequestStore, orders: RequestOrders):
    assert orders.start_deleting("calls", "bob", {}) is None
    orders.forget("calls", "bob", {})
    assert store.get("calls") is not None


def test_a_deletion_may_be_repeated_and_the_audit_log_keeps_it(
    store: RequestStore, orders: RequestOrders, fresh_database: Engine
):
    store.set_state("calls", "done")
    for _ in range(2):  # as after a kill
        assert orders.start_deleting("calls", "bob", {"kept_calls": 50}) is not None
    assert orders.resume("calls", "bob") is None
    for _ in range(2):
        orders.forget("calls", "bob", {"kept_calls": 50})
    assert store.get("calls") is None
    deleted = [one for one in audit.recent(fresh_database, target="calls") if one.action == "dataset.deleted"]
    assert [(one.actor, one.detail) for one in deleted] == [("bob", {"kept_calls": 50})]


def test_those_of_higher_priority_wait_in_front_and_of_one_priority_the_oldest(
    store: RequestStore, orders: RequestOrders
):
    ask(store, "low", "low")
    ask(store, "high", "high")
    ask(store, "second-high", "high")
    assert [row.dataset for row in store.waiting()] == ["high", "second-high", "calls", "low"]
    assert orders.set_priority("low", "high", "bob").spec.priority == "high"
    assert [row.dataset for row in store.waiting()] == ["low", "high", "second-high", "calls"]
    with pytest.raises(BadInput, match="no data set 'none'"):
        orders.set_priority("none", "high", "bob")


def test_asking_again_for_the_same_in_another_hurry_is_the_same_request(store: RequestStore):
    again = store.add(msgspec.structs.replace(SPEC, priority="high"), source="cli")
    assert again.spec.priority == "normal"
