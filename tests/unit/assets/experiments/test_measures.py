"""The figures of a trial say what they claim, and what is not known is None."""

from typing import Any

import pytest

from tip_assets.experiments.measures import Measures, mean_scores, measured, percentile
from tip_assets.generation.write_calls import WritingSummary
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.grade import Grade
from tip_resources.domain.provenance import Provenance
from tip_resources.storage.checkpoint import CallUsage


def call(index: int, *, text: str = "", attempt: int = 1, call_id: str = "a", first_token: float | None = 10.0):
    provenance = Provenance(
        model="m", endpoint="u", node="n", tier="local", prompt_template="t", prompt_hash="h", request_hash="r",
        attempt=attempt, call_id=call_id, time_to_first_token_ms=first_token,
    )  # fmt: skip
    turns = (Turn(speaker="agent", text=text or f"call {index}"),)
    return Conversation(id=str(index), turns=turns, index=index, provenance=provenance)


def summary(**fields: Any) -> WritingSummary:
    base: dict[str, Any] = {
        "asked": 4, "kept": 3, "reused": 0, "rejected": {}, "failures": {}, "rounds": 1, "model_calls": 2,
        "tokens_in": 300, "tokens_out": 900, "batch_size": 2, "batch_reason": "simple calls",
    }  # fmt: skip
    return WritingSummary(**{**base, **fields})


def usage(call_id: str, milliseconds: float, tokens: int | None = 50) -> CallUsage:
    return CallUsage(
        call_id=call_id, endpoint="u", tokens_in=tokens, tokens_out=tokens, duration_ms=milliseconds, items=2
    )


def figures(kept: list[Conversation], wrote: WritingSummary | None = None, **fields: Any) -> Measures:
    base: dict[str, Any] = {
        "rejected": {}, "usages": [usage("a", 100), usage("b", 300)], "seconds": 6.0, "local": [], "judged": None,
    }  # fmt: skip
    return measured(wrote or summary(), kept, **{**base, **fields})


THREE = [call(0), call(1, attempt=2), call(2, call_id="b", first_token=30.0)]


def test_what_was_spent_is_shared_by_the_calls_that_were_kept() -> None:
    found = figures(THREE)
    assert (found.tokens_in_per_kept, found.tokens_out_per_kept, found.seconds_per_kept) == (100, 300, 2)
    assert found.calls_per_model_call == 1.5


def test_only_a_first_answer_that_was_kept_counts_as_valid_at_first_attempt() -> None:
    assert figures(THREE).first_attempt_share == pytest.approx(2 / 4)


def test_first_tokens_are_counted_once_per_model_call() -> None:
    found = figures(THREE)
    assert (found.first_token_p50_ms, found.first_token_p95_ms) == (10, 30)
    assert (found.latency_p50_ms, found.latency_p95_ms) == (100, 300)


def test_duplicates_are_those_refused_and_those_left_among_the_kept() -> None:
    kept = [call(0, text="Hello there."), call(1, text="hello there"), call(2)]
    found = figures(kept, rejected={"duplicate": 2, "too_short": 1})
    assert found.duplicate_share == pytest.approx(3 / 6)


def test_a_resumed_trial_counts_the_tokens_of_all_its_runs() -> None:
    found = figures(THREE, summary(reused=2, tokens_in=10, tokens_out=10))
    assert found.tokens_in_per_kept == pytest.approx(100 / 3, abs=0.001)


def test_tokens_of_a_server_that_reports_none_are_unknown_and_not_zero() -> None:
    found = figures(THREE, summary(tokens_in=0, tokens_out=0))
    assert (found.tokens_in_per_kept, found.tokens_out_per_kept) == (None, None)
    resumed = figures(THREE, summary(reused=1), usages=[usage("a", 1, None), usage("b", 1)])
    assert resumed.tokens_in_per_kept is None


def test_nothing_kept_leaves_every_share_unknown_without_failing() -> None:
    found = figures([], summary(kept=0), usages=[])
    assert (found.seconds_per_kept, found.duplicate_share, found.latency_p50_ms) == (None, None, None)
    assert (found.local.graded, found.local.realism, found.first_attempt_share) == (0, None, 0)


def test_grades_are_averaged() -> None:
    grades = [Grade(realism=value, coherence=4, naturalness=3, overall=2) for value in (4.0, 5.0)]
    assert mean_scores(grades).realism == 4.5 and mean_scores(grades).graded == 2


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.95, 4), (0.0, 1), (1.0, 4), (0.25, 1), (0.26, 2)])
def test_percentiles_are_values_that_were_measured(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == expected
    assert percentile([], share) is None
