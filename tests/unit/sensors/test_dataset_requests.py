"""Every request that waits becomes one launch, keyed by the request."""

from datetime import UTC, datetime

from sensors.dataset_requests import Skip, decide
from tip_resources.database.fleet_gate import GateRow
from tip_resources.database.requests import DatasetRequest
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.priority import Priority


def waiting(name: str, number: int, attempt: int = 0, priority: Priority = "normal") -> DatasetRequest:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return DatasetRequest(
        id=f"request-{number}",
        dataset=name,
        spec=DatasetSpec(name=name, count=1, domain="retail", requested_by="ann", priority=priority),
        source="cli",
        state="requested",
        run_id=None,
        note="",
        created_at=now,
        updated_at=now,
        state_since=now,
        attempt=attempt,
    )


def test_nothing_waiting_is_a_skip_that_says_so() -> None:
    assert isinstance(decide([]), Skip)


def test_each_request_is_launched_under_its_own_key() -> None:
    launches = decide([waiting("a", 1), waiting("b", 2)])
    assert not isinstance(launches, Skip)
    assert [(launch.run_key, launch.dataset) for launch in launches] == [("request-1", "a"), ("request-2", "b")]
    assert launches[0].tags["tip/requested_by"] == "ann"


def test_deciding_twice_asks_for_the_same_runs() -> None:
    assert decide([waiting("a", 1)]) == decide([waiting("a", 1)])


def test_a_set_that_is_asked_for_again_gets_a_run_of_its_own() -> None:
    launches = [decide([waiting("a", 1, attempt)]) for attempt in range(3)]
    keys = {launch[0].run_key for launch in launches if not isinstance(launch, Skip)}
    assert len(keys) == 3


def test_dagsters_queue_is_told_the_priority() -> None:
    asked: list[Priority] = ["high", "normal", "low"]
    launches = decide([waiting(name, number, priority=name) for number, name in enumerate(asked)])
    assert not isinstance(launches, Skip)
    numbers = [int(launch.tags["dagster/priority"]) for launch in launches]
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == 3


def gate(run_limit: int) -> GateRow:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return GateRow(
        run_limit=run_limit,
        reason="nothing starts: desk is in use: a game",
        since=now,
        decided_at=now,
        held_seconds=9.0,
        age_seconds=1.0,
        memory=None,
    )


def test_while_the_gate_is_closed_requests_wait_with_its_reason() -> None:
    assert decide([waiting("a", 1), waiting("b", 2)], gate(0)) == Skip(
        "2 data sets wait: nothing starts: desk is in use: a game"
    )
    assert isinstance(decide([waiting("a", 1)], gate(1)), list)
    assert isinstance(decide([waiting("a", 1)], None), list), "nobody has looked yet: nothing is held"
