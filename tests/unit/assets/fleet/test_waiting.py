"""What a person is told who waits for a data set."""

from datetime import UTC, datetime

from tip_assets.fleet.waiting import why_waiting
from tip_resources.database.fleet_gate import GateRow


def gate(run_limit: int, reason: str, age_seconds: float = 1.0) -> GateRow:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return GateRow(
        run_limit=run_limit,
        reason=reason,
        since=now,
        decided_at=now,
        held_seconds=9.0,
        age_seconds=age_seconds,
        memory=None,
    )


def test_a_closed_gate_is_the_reason() -> None:
    reason = "nothing starts: rtx-laptop is in use: a game for 12 min"
    assert why_waiting(gate(0, reason), running=0) == reason


def test_an_old_decision_is_told_as_one() -> None:
    said = why_waiting(gate(0, "nothing starts: desk is hot", age_seconds=7200), running=0)
    assert said == "nothing starts: desk is hot (as of 2 h ago: nothing looks at the machines now)"


def test_when_as_many_are_made_as_may_be_it_is_a_matter_of_turns() -> None:
    reason = "1 run may go on at once: pi is throttled: 72 C"
    assert why_waiting(gate(1, reason), running=1) == f"1 data set is being made; {reason}"
    assert why_waiting(gate(1, reason), running=0) is None


def test_before_the_first_look_nothing_is_in_the_way() -> None:
    assert why_waiting(None, running=5) is None
