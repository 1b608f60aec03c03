"""The figures of a calibration: correlation, weighted kappa, bias; how sure each of them is.

Correlation first, then kappa, as "Judge's Verdict" (arXiv 2510.09738) does: a grader that does not rank as people do
cannot be mended; one that ranks well but on another scale can.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[Any]

_RESAMPLES = 2_000
_SEED = 20_260_101
_CONFIDENCE = 0.95
_LEAST_PAIRS = 3


class Figure(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval (percentile bootstrap over calls); None where it cannot be worked out."""

    value: float | None
    low: float | None = None
    high: float | None = None


class SideFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How a grader's numbers on one side stand to people's.

    `kappa` is Cohen's with quadratic weights over the levels 0 to 5, halves rounded up. `bias` is grader less people,
    `mean_absolute_difference` likewise in points of 5.
    """

    pearson: Figure
    spearman: Figure
    kappa: Figure
    bias: float
    mean_absolute_difference: float


def side_figures(people: Sequence[float], grader: Sequence[float]) -> SideFigures:
    """Figures of one side; both sequences are of the same calls in the same order, 0-5.

    Raises:
        ValueError: Fewer than 3 calls.
    """
    import numpy as np
    from scipy import stats
    from sklearn.metrics import cohen_kappa_score

    if len(people) < _LEAST_PAIRS:
        raise ValueError("at least 3 labelled calls are needed")
    x, y = np.asarray(people, dtype=float), np.asarray(grader, dtype=float)
    levels_x, levels_y = np.floor(x + 0.5), np.floor(y + 0.5)
    varies = bool(np.ptp(x) > 0 and np.ptp(y) > 0)
    kappa_varies = bool(np.ptp(np.concatenate([levels_x, levels_y])) > 0)
    pearson = _pearson(x, y).item() if varies else None
    spearman = _pearson(stats.rankdata(x), stats.rankdata(y)).item() if varies else None
    kappa = float(cohen_kappa_score(levels_x, levels_y, weights="quadratic")) if kappa_varies else None
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(0, len(x), size=(_RESAMPLES, len(x)))

    def ranked(values: "Values") -> "Values":
        return stats.rankdata(values, axis=-1)

    return SideFigures(
        pearson=_with_interval(pearson, _pearson, x[drawn], y[drawn]),
        spearman=_with_interval(spearman, _pearson, ranked(x[drawn]), ranked(y[drawn])),
        kappa=_with_interval(kappa, quadratic_kappa, levels_x[drawn], levels_y[drawn]),
        bias=float(np.mean(y - x)),
        mean_absolute_difference=float(np.mean(np.abs(y - x))),
    )


def quadratic_kappa(x: "Values", y: "Values") -> "Values":
    """Quadratic-weighted kappa along the last axis, in its closed form (Fleiss and Cohen 1973).

    One less the mean squared difference over what it would be by chance: both variances and the squared difference of
    the means. The figure itself comes from scikit-learn; this form works on thousands of resamples at once.
    """
    chance = x.var(axis=-1) + y.var(axis=-1) + (x.mean(axis=-1) - y.mean(axis=-1)) ** 2
    return 1 - ((x - y) ** 2).mean(axis=-1) / chance


def _pearson(x: "Values", y: "Values") -> "Values":
    dx, dy = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    return (dx * dy).sum(axis=-1) / ((dx**2).sum(axis=-1) * (dy**2).sum(axis=-1)) ** 0.5


def _with_interval(
    value: float | None, statistic: Callable[["Values", "Values"], "Values"], x: "Values", y: "Values"
) -> Figure:
    import numpy as np

    if value is None:
        return Figure(None)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = statistic(x, y)
    found = found[np.isfinite(found)]  # a resample may hold one call alone, again and again
    edge = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(found, [edge, 1 - edge])
    return Figure(round(value, 4), round(float(low), 4), round(float(high), 4))
