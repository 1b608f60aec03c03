"""What a re-balancing did. Its scenarios are others, so nothing is paired: either sample is drawn again by itself.

The rest is as in effects.py: intervals by bootstrap, wider for the number of changes tried, the reference as it is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tip_assets.quality.features.style_figures import TELLING_FIGURES
from tip_assets.quality.realism.balance import Rebalancing
from tip_assets.quality.realism.discriminator import LEAST_CALLS, style_table
from tip_assets.quality.realism.effects import (
    RESAMPLES,
    SEED,
    SIGNIFICANCE,
    Effect,
    Interval,
    distance_change,
    interval,
    what_got_worse,
)
from tip_assets.quality.realism.happenings import HAPPENINGS, heard_in
from tip_assets.quality.realism.sampling import Sample
from tip_resources.domain.conversation import Conversation

if TYPE_CHECKING:
    import numpy as np


def measure_rebalancing(
    before: Sample, after: Sample, reference: Sequence[Conversation], change: Rebalancing, *, tried: int
) -> Effect:
    """The effect of other weights: `target` is of the gap between the share of what is missing and the share wanted.

    Worse is what is worse for any change, and a greater mean distance of all other happenings to the reference.
    """
    import numpy as np

    marks = [np.array(change.marks(sample), dtype=float) for sample in (before, after)]
    calls = [[sample.calls[index] for index in sorted(sample.calls)] for sample in (before, after)]
    fewest = min(len(one) for one in (*marks, *calls))
    if fewest < LEAST_CALLS:
        return Effect(pairs=0, reason=f"too few calls on one side: {fewest}, and {LEAST_CALLS} are needed")
    share = SIGNIFICANCE / max(1, tried)
    rng = np.random.default_rng(SEED)
    target = _share_change([one[:, None] for one in marks], np.array([change.wanted]), rng, share)
    picks = [rng.integers(0, len(one), size=(RESAMPLES, len(one))) for one in calls]
    tables = [style_table(one) for one in calls]
    distance = distance_change(tables, style_table(reference), picks, share, np.ones(len(TELLING_FIGURES), dtype=bool))
    graded = [np.array([sample.grades[index] for index in sorted(sample.calls)]) for sample in (before, after)]
    drawn = graded[1][picks[1]].mean(axis=1) - graded[0][picks[0]].mean(axis=1)
    grade = interval(float(graded[1].mean() - graded[0].mean()), drawn, share)
    worse = what_got_worse(before, after, grade, distance)
    others = _others(calls, reference, change, rng, share)
    if others is not None and others.low > 0:
        worse = (*worse, f"the shares of other happenings went {others.effect:.3f} further from the reference")
    return Effect(
        pairs=0,
        is_paired=False,
        target=target,
        distance=distance,
        grade=grade,
        rejected_before=before.rejected,
        rejected_after=after.rejected,
        worse=worse,
    )


def _others(
    calls: Sequence[Sequence[Conversation]],
    reference: Sequence[Conversation],
    change: Rebalancing,
    rng: "np.random.Generator",
    share: float,
) -> Interval | None:
    """Of the mean distance of all happenings but the one to be mended; None where too few calls tell."""
    import numpy as np

    names = [name for name in HAPPENINGS if change.field or name != change.mends]
    heard = [heard_in(side) for side in (*calls, reference)]
    if min(map(len, heard)) < LEAST_CALLS:
        return None
    before, after, real = (np.array([[name in one for name in names] for one in side], dtype=float) for side in heard)
    return _share_change([before, after], real.mean(axis=0), rng, share)


def _share_change(
    marks: Sequence["np.ndarray"], wanted: "np.ndarray", rng: "np.random.Generator", share: float
) -> Interval:
    """Of the mean of |share - share wanted| over columns; rows are calls, 1 where it happens."""
    import numpy as np

    def gaps(rows: "np.ndarray") -> "np.ndarray":
        return np.abs(rows - wanted).mean(axis=-1)

    before, after = (gaps(side[rng.integers(0, len(side), size=(RESAMPLES, len(side)))].mean(axis=1)) for side in marks)
    return interval(float(gaps(marks[1].mean(axis=0)) - gaps(marks[0].mean(axis=0))), after - before, share)
