"""How far apart a per-call figure of the set and of the reference calls is, and how far chance alone would put them.

The distance is Wasserstein's (the mean shift that turns one distribution into the other) in standard deviations of the
reference; Kolmogorov and Smirnov's beside it.
"""

import random
from collections.abc import Sequence
from statistics import fmean, pstdev

import msgspec

# Cohen 1988: a shift of half a deviation is "medium", one that can be seen by a careful reader.
OFF_FROM = 0.5
# Draws from the reference that show what chance does, and the share of them that must be nearer.
_CHANCE_DRAWS = 40
_CHANCE_QUANTILE = 0.95
_CHANCE_SEED = 11


class Distance(msgspec.Struct, frozen=True, kw_only=True):
    """`shift` in deviations of the reference, None where it does not vary and ours differs; `of_means` is how far the
    means differ, with its sign. `chance` is what 95 in 100 pairs of such samples of one speech stay below.
    `largest_gap` is Kolmogorov and Smirnov's, 0-1.
    """

    shift: float | None
    of_means: float | None
    chance: float
    largest_gap: float

    @property
    def is_off(self) -> bool:
        """Whether a reader could notice it and chance does not explain it."""
        if self.shift is None:
            return True
        return self.shift >= OFF_FROM and self.shift > self.chance


def distance(ours: Sequence[float], reference: Sequence[float]) -> Distance:
    """Between two samples of one figure.

    Raises:
        ValueError: One of them is empty.
    """
    if not ours or not reference:
        raise ValueError("nothing to compare")
    deviation = pstdev(reference)
    area, largest_gap = _area_and_gap(ours, reference)
    if deviation == 0:
        is_same = fmean(ours) == reference[0] and pstdev(ours) == 0
        return Distance(shift=0.0 if is_same else None, of_means=None, chance=0.0, largest_gap=largest_gap)
    # Two samples drawn with replacement from the reference: what a perfect imitation of that size would show.
    draw = random.Random(_CHANCE_SEED)
    by_chance = sorted(
        _area_and_gap(draw.choices(reference, k=len(ours)), draw.choices(reference, k=len(reference)))[0]
        for _ in range(_CHANCE_DRAWS)
    )
    return Distance(
        shift=area / deviation,
        of_means=(fmean(ours) - fmean(reference)) / deviation,
        chance=by_chance[int(_CHANCE_QUANTILE * (_CHANCE_DRAWS - 1))] / deviation,
        largest_gap=largest_gap,
    )


def _area_and_gap(ours: Sequence[float], reference: Sequence[float]) -> tuple[float, float]:
    """Between the two shares of values up to a point: the area (Wasserstein's distance), and the largest gap.

    SciPy has both, but importing its statistics costs more than a second. The tests hold the values against it.
    """
    import numpy as np

    points = np.sort(np.concatenate([ours, reference]))
    shares = [np.searchsorted(np.sort(some), points, side="right") / len(some) for some in (ours, reference)]
    gaps = np.abs(shares[0] - shares[1])
    return float((gaps[:-1] * np.diff(points)).sum()), float(gaps.max())
