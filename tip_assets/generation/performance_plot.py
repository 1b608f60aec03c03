"""Throughput and concurrency over a run's time, per endpoint, as Markdown for Dagster's metadata. Pure.

How lines become a picture is in tip_assets/line_charts.py.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from tip_assets.line_charts import (
    BETWEEN,
    BOTTOM,
    LEGEND_ROW,
    PANEL,
    TOP,
    Line,
    cell,
    image,
    legend,
    panel,
    picture,
    thinned,
    time_axis,
)
from tip_resources.database.performance import PerformanceSample

_MOST_ENDPOINTS = 12

Figure = Callable[[PerformanceSample], float | None]


def performance_markdown(samples: Sequence[PerformanceSample]) -> str:
    """A picture over a table: one line and one row per endpoint and model. Samples as `samples_of_run` gives them."""
    groups: dict[tuple[str, str], list[PerformanceSample]] = {}
    for sample in samples:
        if sample.timestamp is not None:
            groups.setdefault((sample.endpoint, sample.model), []).append(sample)
    if not groups:
        return "No samples of the engine's speed were recorded for this run."
    rows = [
        "| endpoint | model | tokens/s, mean | tokens/s, best | calls at once, most | p95 call | failed calls |",
        "|---|---|---:|---:|---:|---:|---:|",
        *(_row(endpoint, model, group) for (endpoint, model), group in groups.items()),
    ]
    return "\n".join([image("Throughput and concurrency over time", performance_svg(groups)), "", *rows])


def performance_svg(groups: dict[tuple[str, str], list[PerformanceSample]]) -> str:
    """The picture: tokens per second above, calls in flight below, on one axis of time."""
    drawn = list(groups.items())[:_MOST_ENDPOINTS]
    begin = min(group[0].timestamp.timestamp() for _, group in drawn if group[0].timestamp is not None)
    panels: list[tuple[str, Figure]] = [
        ("tokens per second", lambda sample: sample.throughput_per_sec),
        ("calls in flight", lambda sample: sample.concurrency),
    ]
    legend_top = TOP + 2 * PANEL + BETWEEN + BOTTOM
    seconds = max(1.0, *(_seconds(group[-1], begin) for _, group in drawn))
    parts = [
        panel(title, [[_line(group, figure, begin)] for _, group in drawn], seconds, TOP + place * (PANEL + BETWEEN))
        for place, (title, figure) in enumerate(panels)
    ]
    parts.append(time_axis(seconds, TOP + 2 * PANEL + BETWEEN))
    parts.append(legend([_name(endpoint, model) for (endpoint, model), _ in drawn], legend_top))
    return picture(legend_top + LEGEND_ROW * len(drawn) + 8, parts)


def _line(group: Sequence[PerformanceSample], figure: Figure, begin: float) -> Line:
    return thinned([(_seconds(sample, begin), value) for sample in group if (value := figure(sample)) is not None])


def _row(endpoint: str, model: str, group: Sequence[PerformanceSample]) -> str:
    rates = [sample.throughput_per_sec for sample in group if sample.throughput_per_sec is not None]
    latest = next((sample.p95_latency_ms for sample in reversed(group) if sample.p95_latency_ms is not None), None)
    errors = [sample.error_rate for sample in group if sample.error_rate is not None]
    cells = (
        cell(endpoint),
        cell(model),
        f"{_mean_over_time(group):,.1f}" if rates else "-",
        f"{max(rates):,.1f}" if rates else "-",
        f"{max(sample.concurrency for sample in group)}",
        f"{latest / 1000:,.1f} s" if latest is not None else "-",
        f"{sum(errors) / len(errors):.1%}" if errors else "-",
    )
    return f"| {' | '.join(cells)} |"


def _mean_over_time(group: Sequence[PerformanceSample]) -> float:
    """Each figure counts for the time since the sample before it: the last one comes early."""
    pairs = [
        (after.throughput_per_sec, _seconds(after, _seconds(before, 0.0)))
        for before, after in pairwise(group)
        if after.throughput_per_sec is not None
    ]
    seconds = sum(length for _, length in pairs)
    if seconds <= 0:
        rates = [sample.throughput_per_sec for sample in group if sample.throughput_per_sec is not None]
        return sum(rates) / len(rates)
    return sum(rate * length for rate, length in pairs) / seconds


def _seconds(sample: PerformanceSample, begin: float) -> float:
    return sample.timestamp.timestamp() - begin if sample.timestamp is not None else 0.0


def _name(endpoint: str, model: str) -> str:
    return f"{model} at {endpoint}" if model else endpoint
