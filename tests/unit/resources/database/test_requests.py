import msgspec
import pytest
from sqlalchemy import Engine, text

from tip_resources.database import audit
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import Budget, DatasetSpec
from tip_resources.domain.failures import BadInput

SPEC = DatasetSpec(
    name="frustrated-50",
    count=50,
    domain="healthcare",
    query="50 healthcare calls",
    emotional_tone="frustrated",
    scenario_templates=("insurance_denial",),
    requested_by="ann",
    created_at="2026-11-21T10:00:00Z",
)


def test_a_request_comes_back_as_it_was_made(fresh_database: Engine):
    store = RequestStore(fresh_database)
    added = store.add(SPEC, source="cli")
    assert (added.spec, added.state, added.source, added.run_id) == (SPEC, "requested", "cli", None)
    assert store.get(SPEC.name) == added
    assert (store.count("requested"), store.count("running")) == (1, 0)


def test_a_spec_that_could_not_be_read_back_is_not_written(fresh_database: Engine):
    store = RequestStore(fresh_database)
    with pytest.raises(BadInput, match=r"data set 'frustrated-50'.*seed"):
        store.add(msgspec.structs.replace(SPEC, seed=2**40), source="cli")
    assert store.get(SPEC.name) is None and not store.waiting()


def test_a_row_of_another_version_stops_no_other_data_set_and_is_told_once(
    fresh_database: Engine, caplog: pytest.LogCaptureFixture
):
    store = RequestStore(fresh_database)
    for name in ("of-another-version", "of-ours"):
        store.add(msgspec.structs.replace(SPEC, name=name), source="cli")
    with fresh_database.begin() as connection:
        unknown = text(
            "UPDATE tip.dataset_requests SET spec = jsonb_set(spec, '{language}', '7') WHERE dataset = :name"
        )
        connection.execute(unknown, {"name": "of-another-version"})
    assert [row.dataset for row in store.waiting()] == [row.dataset for row in store.list()] == ["of-ours"]
    told = [record.message for record in caplog.records]
    assert len(told) == 1 and "'of-another-version' is left out" in told[0] and "version of tip" in told[0]
    with pytest.raises(BadInput, match="version of tip"):
        store.get("of-another-version")


def test_nobody_asked_for_an_unknown_data_set(fresh_database: Engine):
    assert RequestStore(fresh_database).get("never-heard-of") is None


def test_asking_again_for_the_same_gives_the_same_row_whoever_asks(fresh_database: Engine):
    store = RequestStore(fresh_database)
    first = store.add(SPEC, source="cli")
    again = msgspec.structs.replace(SPEC, requested_by="bob", created_at="2026-11-22T10:00:00Z", query="fifty calls")
    assert store.add(again, source="file") == first


def test_a_taken_name_is_refused_and_the_first_request_stays(fresh_database: Engine):
    store = RequestStore(fresh_database)
    first = store.add(SPEC, source="cli")
    with pytest.raises(BadInput, match="exists with another count, seed"):
        store.add(msgspec.structs.replace(SPEC, count=51, seed=7), source="cli")
    assert store.get(SPEC.name) == first


def test_the_same_key_gives_the_first_row_whatever_is_asked(fresh_database: Engine):
    store = RequestStore(fresh_database)
    first = store.add(SPEC, source="file", idempotency_key="sha256:1")
    other = msgspec.structs.replace(SPEC, name="renamed", count=7)
    assert store.add(other, source="file", idempotency_key="sha256:1") == first
    assert store.get("renamed") is None


def test_waiting_requests_come_oldest_first_and_leave_when_they_run(fresh_database: Engine):
    store = RequestStore(fresh_database)
    for name in ("first", "second", "third"):
        store.add(msgspec.structs.replace(SPEC, name=name), source="cli")
    store.set_state("second", "running", run_id="run-2")
    assert [request.dataset for request in store.waiting(10)] == ["first", "third"]
    assert [request.dataset for request in store.waiting(1)] == ["first"]
    assert [request.dataset for request in store.list()] == ["third", "second", "first"]
    assert [request.run_id for request in store.list(state="running")] == ["run-2"]


def test_a_later_state_keeps_the_run(fresh_database: Engine):
    store = RequestStore(fresh_database)
    store.add(SPEC, source="cli")
    running = store.set_state(SPEC.name, "running", run_id="run-1")
    failed = store.set_state(SPEC.name, "failed", note="the endpoint was away")
    assert (failed.run_id, failed.note, failed.state) == ("run-1", "the endpoint was away", "failed")
    assert failed.updated_at > running.updated_at


def test_the_state_of_an_unknown_data_set_cannot_be_set(fresh_database: Engine):
    with pytest.raises(BadInput, match="there is no data set 'nothing'"):
        RequestStore(fresh_database).set_state("nothing", "done")


def test_every_change_is_in_the_audit_log(fresh_database: Engine):
    store = RequestStore(fresh_database)
    store.add(SPEC, source="cli")
    store.add(SPEC, source="cli")
    store.set_state(SPEC.name, "running", run_id="run-1")
    entries = audit.recent(fresh_database, target=SPEC.name)
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("tip", "dataset.running"),
        ("ann", "dataset.requested"),
    ]


def test_progress_is_noted_without_filling_the_audit_log(fresh_database: Engine):
    store = RequestStore(fresh_database)
    store.add(SPEC, source="cli")
    before = len(audit.recent(fresh_database))
    for kept in range(5):
        store.set_note(SPEC.name, f"{kept}/5 calls kept")
    row = store.get(SPEC.name)
    assert row is not None and row.note == "4/5 calls kept"
    assert len(audit.recent(fresh_database)) == before


def test_asking_again_finds_the_right_row_among_others_without_a_key(fresh_database: Engine):
    store = RequestStore(fresh_database)
    other = msgspec.structs.replace(SPEC, name="another", count=7)
    store.add(other, source="cli")
    mine = store.add(SPEC, source="cli")
    assert store.add(SPEC, source="launchpad") == mine


def test_a_set_that_has_ended_is_made_again_with_a_raised_budget(fresh_database: Engine):
    store = RequestStore(fresh_database)
    store.add(SPEC, source="cli")
    raised = msgspec.structs.replace(SPEC, budget=Budget(max_tokens=2_000_000))
    with pytest.raises(BadInput, match="another budget"):  # not while it is being made
        store.add(raised, source="cli")
    store.set_state(SPEC.name, "done", run_id="run-1", note="stopped at the budget")
    again = store.add(raised, source="cli")
    assert (again.state, again.run_id, again.spec.budget) == ("requested", "run-1", raised.budget)
    assert [request.dataset for request in store.waiting()] == [SPEC.name]
    with pytest.raises(BadInput, match="another count"):
        store.add(msgspec.structs.replace(raised, count=1), source="cli")
