"""What a change did, and whether that is more than noise: the same scenarios written with and without it.

Pairs of calls are drawn again and again (bootstrap, Efron 1979); a change counts when the interval of its effect lies
on one side of 0. Where several changes are tried in a round, each interval is made wider for it (Bonferroni).
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tip_assets.quality.features.style_figures import TELLING_FIGURES
from tip_assets.quality.realism.discriminator import LEAST_CALLS, style_table, wilson
from tip_assets.quality.realism.sampling import Sample
from tip_resources.domain.conversation import Conversation

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 1000
SEED = 20261121
SIGNIFICANCE = 0.05


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """An effect (with the change minus without it) and where it lies with the confidence asked for."""

    effect: float
    low: float
    high: float


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What a change did, over `pairs` calls written with and without it.

    `target` is of the mean distance to the reference over the features the change was meant to mend (below 0: nearer),
    `distance` of that over all features, `grade` of the local grade (0-5). `worse` names what the change spoiled.
    Figures are None where there were too few pairs, and `reason` says so. Where scenarios were re-balanced nothing is
    paired, and `target` is of the gap between a share and the one wanted.
    """

    pairs: int
    target: Interval | None = None
    distance: Interval | None = None
    grade: Interval | None = None
    rejected_before: int = 0
    rejected_after: int = 0
    worse: tuple[str, ...] = ()
    reason: str = ""
    is_paired: bool = True

    @property
    def is_kept(self) -> bool:
        """Whether it mended what it was meant to by more than noise, and nothing else got worse."""
        return self.target is not None and self.target.high < 0 and not self.worse


def measure_effect(
    before: Sample, after: Sample, reference: Sequence[Conversation], *, mends: Collection[str], tried: int
) -> Effect:
    """The effect of what lies between two samples of the same plans.

    Args:
        mends: Names of the features that the change was meant to mend.
        tried: How many changes the round tries; the intervals hold for all of them together.
    """
    import numpy as np

    both = sorted(set(before.calls) & set(after.calls))
    if len(both) < LEAST_CALLS:
        return Effect(pairs=len(both), reason=f"too few pairs: {len(both)}, and {LEAST_CALLS} are needed")
    tables = [style_table([sample.calls[index] for index in both]) for sample in (before, after)]
    real = style_table(reference)
    picks = np.random.default_rng(SEED).integers(0, len(both), size=(RESAMPLES, len(both)))
    share = SIGNIFICANCE / max(1, tried)
    everything = np.ones(len(TELLING_FIGURES), dtype=bool)
    distance = distance_change(tables, real, (picks, picks), share, everything)
    target = distance_change(tables, real, (picks, picks), share, np.array([name in mends for name in TELLING_FIGURES]))
    grades = np.array([after.grades[index] - before.grades[index] for index in both])
    grade = interval(float(grades.mean()), grades[picks].mean(axis=1), share)
    return Effect(
        pairs=len(both),
        target=target,
        distance=distance,
        grade=grade,
        rejected_before=before.rejected,
        rejected_after=after.rejected,
        worse=what_got_worse(before, after, grade, distance),
    )


def distance_change(
    tables: Sequence["np.ndarray"],
    real: "np.ndarray",
    picks: Sequence["np.ndarray"],
    share: float,
    wanted: "np.ndarray",
) -> Interval | None:
    """Of the mean, over the features wanted, of |mean of ours - mean of the reference| / deviation.

    `tables` are without and with the change, `picks` which rows of either are drawn: the same ones for pairs.

    Features that one side gave hardly a chance to measure are left out; None where that leaves none.
    """
    import numpy as np

    usable = wanted & np.all([np.isfinite(table).sum(axis=0) >= LEAST_CALLS // 2 for table in (*tables, real)], axis=0)
    if not usable.any():
        return None
    # One scale for all, or a change that only spreads ours would seem to bring them nearer.
    scale = np.sqrt((np.nanvar(real[:, usable], axis=0) + np.nanvar(tables[0][:, usable], axis=0)) / 2)
    flat = scale == 0
    scale[flat] = 1.0
    middle = np.nanmean(real[:, usable], axis=0)

    def distances(means: "np.ndarray") -> "np.ndarray":
        return np.nanmean(np.abs(means - middle) / scale, axis=-1)

    def change(rows: Sequence[Any]) -> "np.ndarray":
        before, after = (_means(table[:, usable], drawn) for table, drawn in zip(tables, rows, strict=True))
        return distances(after) - distances(before)

    whole = [np.arange(len(table))[None, :] for table in tables]
    return interval(float(change(whole)[0]), change(picks), share)


def _means(table: "np.ndarray", rows: "np.ndarray") -> "np.ndarray":
    """Means of each feature over each draw of rows, unknown values left out."""
    import numpy as np

    known = np.isfinite(table)
    filled = np.where(known, table, 0.0)
    counts = np.zeros((len(rows), len(table)))
    np.add.at(counts, (np.arange(len(rows))[:, None], rows), 1)
    return (counts @ filled) / np.maximum(counts @ known, 1)


def interval(effect: float, drawn: "np.ndarray", share: float) -> Interval:
    """The middle `1 - share` of what was drawn."""
    import numpy as np

    low, high = np.quantile(drawn, [share / 2, 1 - share / 2])
    return Interval(effect=effect, low=float(low), high=float(high))


def what_got_worse(before: Sample, after: Sample, grade: Interval, distance: Interval | None) -> tuple[str, ...]:
    """What a change spoiled, in words: the grade, the distance, the calls kept, the answers refused."""
    found = [f"the grade fell by {-grade.effect:.2f}"] if grade.high < 0 else []
    if distance is not None and distance.low > 0:
        found.append(f"the distance over all features grew by {distance.effect:.3f}")
    if len(after.calls) < len(before.calls):
        found.append(f"{len(before.calls) - len(after.calls)} fewer calls could be kept")
    for what, old, new in (
        ("answers rejected", before.rejected, after.rejected),
        ("duplicates", before.duplicates, after.duplicates),
    ):
        # Shares of all answers; worse where the two intervals do not meet.
        _, most = wilson(old, old + len(before.calls))
        least, _ = wilson(new, new + len(after.calls))
        if least > most:
            found.append(f"{what}: {new} instead of {old}")
    return tuple(found)
