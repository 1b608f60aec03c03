"""The conversational figures of a set against those of the reference calls, and in words which of them are off."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import msgspec

from tip_assets.quality.features.style_figures import FIGURES, StyleFigure
from tip_assets.quality.metrics.distances import OFF_FROM, Distance, distance
from tip_resources.domain.set_metric import MetricGroup, SetMetric

# Figures of fewer calls say more of those calls than of the set.
LEAST_CALLS = 5
STYLE_GOAL = f"below {OFF_FROM:g} deviations from the reference"

# Per-call figures by name, one value for each call that has the figure.
Spread = Mapping[str, Sequence[float]]


def spread_of(figures: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """From one mapping per call to one list per figure."""
    spread: dict[str, list[float]] = {}
    for call in figures:
        for name, value in call.items():
            spread.setdefault(name, []).append(value)
    return spread


# Shares of the calls that lie below the five values of a spread.
_SPREAD_POINTS = (0.05, 0.25, 0.5, 0.75, 0.95)


class Spreads(msgspec.Struct, frozen=True, kw_only=True):
    """How a figure is spread over the calls: the values that 5, 25, 50, 75 and 95 % of them lie below."""

    ours: tuple[float, ...]
    reference: tuple[float, ...]


def spreads(ours: Spread, reference: Spread) -> dict[str, Spreads]:
    """Of every figure that both have for enough calls."""
    return {
        name: Spreads(ours=_points(ours[name]), reference=_points(reference[name]))
        for name in FIGURES
        if min(len(ours.get(name, ())), len(reference.get(name, ()))) >= LEAST_CALLS
    }


def _points(values: Sequence[float]) -> tuple[float, ...]:
    ordered = sorted(values)
    return tuple(ordered[round(share * (len(ordered) - 1))] for share in _SPREAD_POINTS)


def style_metrics(ours: Spread, reference: Spread) -> list[SetMetric]:
    """One row for each figure; the distance is Wasserstein's in deviations of the reference."""
    return [
        compared_metric(name, "style", figure, ours.get(name, ()), reference.get(name, ()))
        for name, figure in FIGURES.items()
    ]


def compared_metric(
    name: str,
    group: MetricGroup,
    figure: StyleFigure,
    ours: Sequence[float],
    reference: Sequence[float],
    *,
    goal: str = STYLE_GOAL,
) -> SetMetric:
    """The mean over calls of one figure beside the reference's."""
    row = SetMetric(name=name, group=group, goal=goal, detail=f"{figure.noun}: no call could be measured for it")
    if not ours:
        return row
    value, mean = fmean(ours), fmean(reference) if reference else None
    if mean is None or len(ours) < LEAST_CALLS or len(reference) < LEAST_CALLS:
        few = "calls" if len(ours) < LEAST_CALLS else "reference calls"
        detail = f"{figure.noun}: fewer than {LEAST_CALLS} {few} with it, too few to compare"
        return msgspec.structs.replace(row, value=value, reference=mean, detail=detail)
    apart = distance(ours, reference)
    said = f"{figure.in_words(value)} against {figure.in_words(mean)} in the reference; {_figures(apart, len(ours))}"
    detail = f"{OFF_MARK}{_direction(figure, apart)}: {said}" if apart.is_off else f"{figure.noun}: {said}"
    return msgspec.structs.replace(row, value=value, reference=mean, distance=apart.shift, detail=detail)


OFF_MARK = "off: "


def what_is_off(metrics: Sequence[SetMetric]) -> list[str]:
    """One sentence for each figure that is off, the farthest first."""
    off = [metric for metric in metrics if metric.detail.startswith(OFF_MARK)]
    ordered = sorted(off, key=lambda metric: -(float("inf") if metric.distance is None else metric.distance))
    return [metric.detail.removeprefix(OFF_MARK) for metric in ordered]


def _direction(figure: StyleFigure, apart: Distance) -> str:
    # Where the means explain less than half of the distance, it is the spread that differs.
    if apart.shift is None or apart.of_means is None or abs(apart.of_means) < apart.shift / 2:
        return f"{figure.noun}, spread differently over the calls"
    return figure.side(apart.of_means > 0)


def _figures(apart: Distance, calls: int) -> str:
    if apart.shift is None:
        return f"the reference has one value in all calls, ours differs; KS {apart.largest_gap:.2f} ({calls:,} calls)"
    return (
        f"{apart.shift:.2f} deviations apart (Wasserstein; chance alone up to {apart.chance:.2f}), "
        f"KS {apart.largest_gap:.2f} ({calls:,} calls)"
    )
