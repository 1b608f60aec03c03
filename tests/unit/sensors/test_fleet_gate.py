"""When queued runs may be told why they wait, and which."""

from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg

from sensors.fleet_gate import may_mark, unmarked
from tip_resources.database.fleet_gate import GateRow
from tip_resources.fleet.gate import decide
from tip_resources.fleet.node_state import NodeState
from tip_resources.launch.tags import STARTED, WAITS_TAG
from tip_resources.settings.models import GateSettings

READY = NodeState("desk", "ready", "", slots=2)
OPEN = decide([READY], GateSettings(), 0.0)
CLOSED = decide([replace(READY, status="in_use", reason="a game")], GateSettings(), 0.0)


def row(run_limit: int, held_seconds: float) -> GateRow:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return GateRow(
        run_limit=run_limit,
        reason="",
        since=now,
        decided_at=now,
        held_seconds=held_seconds,
        age_seconds=1.0,
        memory=None,
    )


def test_tags_are_changed_only_while_no_run_can_be_in_the_middle_of_its_launch() -> None:
    assert may_mark(row(0, 60.0), CLOSED)
    assert not may_mark(row(0, 5.0), CLOSED), "a launch may have begun before the queue was held"
    assert not may_mark(row(0, 60.0), OPEN), "the queue goes on this very moment"
    assert not may_mark(row(2, 60.0), CLOSED)
    assert not may_mark(None, CLOSED)


def test_a_run_is_told_once_and_again_when_the_reason_is_of_another_kind() -> None:
    told, redone, new = (
        dg.DagsterRun(job_name="make_dataset", tags=tags)
        for tags in ({WAITS_TAG: "nothing starts"}, {WAITS_TAG: STARTED}, {})
    )
    assert unmarked([told, redone, new], same_kind=True) == [redone.run_id, new.run_id]
    assert unmarked([told, redone, new], same_kind=False) == [told.run_id, redone.run_id, new.run_id]
