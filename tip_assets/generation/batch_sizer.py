"""How many calls the next request asks for, learned from how the last ones came back. Pure; no request is made here.

It starts with the size that complexity and context window allow (batching.py) and never goes above it. Sizes go
down at once and up slowly, as congestion windows do; near the end they shrink so that every slot has work to the
last (guided self-scheduling, Polychronopoulos and Kuck 1987, with two requests per slot for a margin).
"""

import math

import msgspec

from tip_assets.generation.batching import BatchPlan

# Whole answers in a row before one call more is asked for; each size that turned out too big doubles it.
_CLEAN_BEFORE_ONE_MORE = 4
_MOST_CLEAN = 64
# The later half of the answers is worse than the earlier one if it loses this share more of its calls, seen over
# at least so many calls in each half, and if chance would show such a difference less than once in 20 times.
_WORSE_SHARE = 0.15
_CALLS_TO_JUDGE_BY = 20
_STANDARD_ERRORS = 1.65
_WHEN_WORSE = 0.75
_REQUESTS_PER_SLOT = 2

_CUT_OFF = ("truncated", "context_overflow")


class BatchOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one request came back.

    `kept` are the positions (from 0) of the calls that passed, `finished` how many calls were whole at all;
    `failure` is the kind of failure the request ended with.
    """

    asked: int
    kept: frozenset[int]
    finished: int
    failure: str | None = None


class BatchSizer:
    """The size for the next request of a set.

    Args:
        plan: Where to start, and the most that fits.
    """

    def __init__(self, plan: BatchPlan) -> None:
        self._most = self._size = plan.size
        self._is_fixed = plan.is_fixed
        self._why = plan.reason
        self._clean = 0
        self._needed = _CLEAN_BEFORE_ONE_MORE
        self._halves = [[0, 0], [0, 0]]  # asked and lost, of the earlier and the later positions

    @property
    def size(self) -> int:
        """Calls per request, before the end of a round makes it smaller."""
        return self._size

    @property
    def reason(self) -> str:
        """Why the size is what it is, for people."""
        return self._why

    def next_size(self, missing: int, slots: int) -> int:
        """Calls for the next request, at least 1.

        Args:
            missing: Calls that nobody was asked for yet in this round.
            slots: Requests that the endpoints take at once.
        """
        # A single slot has nobody to share the end with, and a size that was set is kept.
        share = missing if slots <= 1 or self._is_fixed else math.ceil(missing / (_REQUESTS_PER_SLOT * slots))
        return max(1, min(self._size, share))

    def observed(self, outcome: BatchOutcome) -> None:
        """Learns from one ended request."""
        if outcome.failure in _CUT_OFF:
            self._cut_off(outcome)
            return
        if outcome.failure == "moved" or (outcome.failure is not None and not outcome.finished):
            return  # the machine's or the server's trouble, not the batch's
        if outcome.asked > 1:
            self._judge_positions(outcome)
        if outcome.asked < self._size or outcome.finished < outcome.asked:
            self._clean = 0 if outcome.finished < outcome.asked else self._clean
            return
        self._clean += 1
        if self._clean >= self._needed and self._size < self._most:
            self._size += 1
            self._why = f"{self._clean} answers in a row were whole"
            self._clean = 0

    def _cut_off(self, outcome: BatchOutcome) -> None:
        fitted = outcome.finished or outcome.asked // 2
        smaller = max(1, min(fitted, outcome.asked - 1))
        if smaller >= self._size:
            return  # asked for before the size was lowered
        what = "did not fit the context window" if outcome.failure == "context_overflow" else "was cut off"
        self._lower(smaller, f"an answer of {outcome.asked} calls {what}")

    def _judge_positions(self, outcome: BatchOutcome) -> None:
        """Calls lost late in the answers, but not early, are lost because so many were asked for at once."""
        for position in range(outcome.asked):
            half = self._halves[2 * position >= outcome.asked]
            half[0] += 1
            half[1] += position not in outcome.kept
        (early, early_lost), (late, late_lost) = self._halves
        if min(early, late) < _CALLS_TO_JUDGE_BY:
            return
        difference = late_lost / late - early_lost / early
        share = (late_lost + early_lost) / (late + early)
        by_chance = _STANDARD_ERRORS * math.sqrt(share * (1 - share) * (1 / late + 1 / early))
        self._halves = [[0, 0], [0, 0]]
        if difference > max(_WORSE_SHARE, by_chance) and self._size > 1:
            smaller = max(1, min(self._size - 1, int(self._size * _WHEN_WORSE)))
            lost = f"{late_lost / late:.0%} of the calls late in the answers were lost, {early_lost / early:.0%} early"
            self._lower(smaller, lost)

    def _lower(self, size: int, why: str) -> None:
        self._size, self._why = size, why
        self._clean = 0
        self._needed = min(_MOST_CLEAN, 2 * self._needed)
