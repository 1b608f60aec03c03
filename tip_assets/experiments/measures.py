"""What one trial came to, in numbers. Pure: kept calls, rejects and usages in, figures out; unknown is None."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tip_assets.generation.write_calls import WritingSummary
from tip_assets.quality.duplicates.comparison import Comparison
from tip_assets.quality.duplicates.whole_set import first_survive
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.grade import Grade
from tip_resources.storage.checkpoint import CallUsage

_DUPLICATE = "duplicate"


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Mean grades of the kept calls on 0-5; `graded` is how many have one."""

    graded: int
    realism: float | None = None
    coherence: float | None = None
    naturalness: float | None = None
    overall: float | None = None


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one trial.

    Shares are 0-1. `first_attempt_share` is the share of the planned calls whose first answer was kept;
    `duplicate_share` the answers that repeat another kept call, among all answers that held a call. Tokens and
    seconds include what was spent on calls that were not kept. `batch_size` is what was aimed at,
    `calls_per_model_call` what came back on average. Latency is of what the checkpoint keeps usage of: a model
    call, or all turns of a call written in `two_agent` mode.
    """

    asked: int
    kept: int
    rejected: dict[str, int]
    failures: dict[str, int]
    rounds: int
    model_calls: int
    batch_size: int
    batch_reason: str
    calls_per_model_call: float | None
    first_attempt_share: float
    duplicate_share: float | None
    tokens_in_per_kept: float | None
    tokens_out_per_kept: float | None
    seconds: float
    seconds_per_kept: float | None
    first_token_p50_ms: float | None
    first_token_p95_ms: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    local: Scores
    judged: Scores | None = None


def measured(
    summary: WritingSummary,
    kept: Sequence[Conversation],
    *,
    rejected: Mapping[str, int],
    usages: Iterable[CallUsage],
    seconds: float,
    local: Sequence[Grade],
    judged: Sequence[Grade] | None,
) -> Measures:
    """The figures of a trial.

    Args:
        summary: What the writing said of its last (often its only) run.
        kept: The kept calls, with provenance.
        rejected: Answers that were not kept, by reason, over all runs of the trial.
        usages: Model calls that brought something, over all runs of the trial.
        seconds: Spent writing, over all runs of the trial.
        local: Grades without a model, one per kept call.
        judged: Grades of the judge, for the calls it could grade; None without a judge.
    """
    usages = list(usages)
    repeats = sum(1 for _, removed in first_survive(kept, Comparison()) if removed is not None)
    answers = len(kept) + sum(rejected.values())
    model_calls = max(summary.model_calls, len(usages))
    tokens_in, tokens_out = _tokens(summary, usages)
    first_tokens = _first_token_times(kept)
    latencies = [usage.duration_ms for usage in usages]
    return Measures(
        asked=summary.asked,
        kept=len(kept),
        rejected=dict(rejected),
        failures=summary.failures,
        rounds=summary.rounds,
        model_calls=model_calls,
        batch_size=summary.batch_size,
        batch_reason=summary.batch_reason,
        calls_per_model_call=_per(answers, model_calls),
        first_attempt_share=sum(1 for call in kept if _attempt(call) == 1) / summary.asked,
        duplicate_share=(repeats + rejected.get(_DUPLICATE, 0)) / answers if answers else None,
        tokens_in_per_kept=_per(tokens_in, len(kept)),
        tokens_out_per_kept=_per(tokens_out, len(kept)),
        seconds=round(seconds, 3),
        seconds_per_kept=_per(seconds, len(kept)),
        first_token_p50_ms=percentile(first_tokens, 0.5),
        first_token_p95_ms=percentile(first_tokens, 0.95),
        latency_p50_ms=percentile(latencies, 0.5),
        latency_p95_ms=percentile(latencies, 0.95),
        local=mean_scores(local),
        judged=None if judged is None else mean_scores(judged),
    )


def mean_scores(grades: Sequence[Grade]) -> Scores:
    """Means over the grades there are."""
    if not grades:
        return Scores(graded=0)
    return Scores(
        graded=len(grades),
        **{
            side: round(sum(getattr(grade, side) for grade in grades) / len(grades), 3)
            for side in ("realism", "coherence", "naturalness", "overall")
        },
    )


def percentile(values: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile: the smallest value that at least `share` (0-1) of all do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def reasons(rejects: Iterable[str]) -> dict[str, int]:
    """Reasons with their counts, most frequent first."""
    return dict(Counter(rejects).most_common())


def _tokens(summary: WritingSummary, usages: Sequence[CallUsage]) -> tuple[int | None, int | None]:
    """Tokens spent. The summary knows model calls that brought nothing too, but only those of its own run."""
    if summary.reused:
        return _sum([usage.tokens_in for usage in usages]), _sum([usage.tokens_out for usage in usages])
    # A server that reports no usage leaves the sums at 0.
    return summary.tokens_in or None, summary.tokens_out or None


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _per(total: float | None, count: int) -> float | None:
    return None if total is None or not count else round(total / count, 3)


def _attempt(call: Conversation) -> int | None:
    return call.provenance.attempt if call.provenance else None


def _first_token_times(kept: Sequence[Conversation]) -> list[float]:
    """Once per model call, however many calls were kept from it."""
    times: dict[str, float] = {}
    for call in kept:
        source = call.provenance
        if source is not None and source.time_to_first_token_ms is not None:
            times[source.call_id] = source.time_to_first_token_ms
    return list(times.values())
