"""Throughput and concurrency over a run's time, per endpoint, as Markdown for Dagster's metadata. Pure.

The picture is an SVG inside of the Markdown: no library draws it and no server has to hold it. Dagster's page
shows it as an image, so it carries its own colours and a background of its own.
"""

import base64
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise

from tip_resources.database.performance import PerformanceSample

_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP, _BETWEEN = 720, 150, 56, 16, 30, 44
_BOTTOM, _LEGEND_ROW = 30, 18
# Told apart by people with any colour vision: Okabe and Ito, https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MOST_POINTS = 240  # per line: about one for every three units of the picture's width
_MOST_ENDPOINTS = 12

Figure = Callable[[PerformanceSample], float | None]
# Seconds since the first sample, and the figure there.
Line = list[tuple[float, float]]


def performance_markdown(samples: Sequence[PerformanceSample]) -> str:
    """A picture over a table: one line and one row per endpoint and model. Samples as `samples_of_run` gives them."""
    groups: dict[tuple[str, str], list[PerformanceSample]] = {}
    for sample in samples:
        if sample.timestamp is not None:
            groups.setdefault((sample.endpoint, sample.model), []).append(sample)
    if not groups:
        return "No samples of the engine's speed were recorded for this run."
    picture = base64.b64encode(performance_svg(groups).encode()).decode()
    rows = [
        "| endpoint | model | tokens/s, mean | tokens/s, best | calls at once, most | p95 call | failed calls |",
        "|---|---|---:|---:|---:|---:|---:|",
        *(_row(endpoint, model, group) for (endpoint, model), group in groups.items()),
    ]
    image = f"![Throughput and concurrency over time](data:image/svg+xml;base64,{picture})"
    return "\n".join([image, "", *rows])


def performance_svg(groups: dict[tuple[str, str], list[PerformanceSample]]) -> str:
    """The picture: tokens per second above, calls in flight below, on one axis of time."""
    drawn = list(groups.items())[:_MOST_ENDPOINTS]
    begin = min(group[0].timestamp.timestamp() for _, group in drawn if group[0].timestamp is not None)
    panels: list[tuple[str, Figure]] = [
        ("tokens per second", lambda sample: sample.throughput_per_sec),
        ("calls in flight", lambda sample: sample.concurrency),
    ]
    legend_top = _TOP + 2 * _PANEL + _BETWEEN + _BOTTOM
    height = legend_top + _LEGEND_ROW * len(drawn) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    seconds = max(1.0, *(_seconds(group[-1], begin) for _, group in drawn))
    for place, (title, figure) in enumerate(panels):
        lines = [_line(group, figure, begin) for _, group in drawn]
        parts.append(_panel(title, lines, seconds, _TOP + place * (_PANEL + _BETWEEN)))
    parts.append(_time_axis(seconds, _TOP + 2 * _PANEL + _BETWEEN))
    for place, ((endpoint, model), _) in enumerate(drawn):
        y = legend_top + _LEGEND_ROW * place
        parts.append(
            f'<rect x="{_LEFT}" y="{y}" width="14" height="4" fill="{_colour(place)}"/>'
            f'<text x="{_LEFT + 22}" y="{y + 6}" fill="#333333">{escape(_name(endpoint, model))}</text>'
        )
    return "".join([*parts, "</svg>"])


def _panel(title: str, lines: Sequence[Line], seconds: float, top: int) -> str:
    most = _round_up(max((value for line in lines for _, value in line), default=1.0))
    parts = [f'<text x="{_LEFT}" y="{top - 8}" fill="#333333" font-weight="600">{title}</text>']
    for share in (0.0, 0.5, 1.0):
        y = top + _PANEL * (1 - share)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:g}" y2="{y:g}" stroke="#dddddd"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:g}" text-anchor="end" fill="#666666">{most * share:,g}</text>'
        )
    for place, line in enumerate(lines):
        points = [(_x(at, seconds), top + _PANEL * (1 - value / most)) for at, value in line]
        if len(points) == 1:
            parts.append(f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{_colour(place)}"/>')
        elif points:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{_colour(place)}" stroke-width="1.8"/>')
    return "".join(parts)


def _time_axis(seconds: float, bottom: int) -> str:
    unit, length = next(((u, n) for u, n in (("h", 3600), ("min", 60)) if seconds >= 2 * n), ("s", 1))
    return "".join(
        f'<text x="{_x(seconds * share, seconds):.1f}" y="{bottom + 16}" text-anchor="{anchor}" fill="#666666">'
        f"{seconds * share / length:.3g} {unit}</text>"
        for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )


def _line(group: Sequence[PerformanceSample], figure: Figure, begin: float) -> Line:
    """At most as many points as can be seen: each is the mean of its neighbours."""
    points = [(_seconds(sample, begin), value) for sample in group if (value := figure(sample)) is not None]
    size = -(-len(points) // _MOST_POINTS) or 1
    parts = [points[at : at + size] for at in range(0, len(points), size)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]


def _row(endpoint: str, model: str, group: Sequence[PerformanceSample]) -> str:
    rates = [sample.throughput_per_sec for sample in group if sample.throughput_per_sec is not None]
    latest = next((sample.p95_latency_ms for sample in reversed(group) if sample.p95_latency_ms is not None), None)
    errors = [sample.error_rate for sample in group if sample.error_rate is not None]
    cells = (
        _cell(endpoint),
        _cell(model),
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


def _x(at: float, seconds: float) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * at / seconds


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten, so that half of it reads well too."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return next((step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value), 10 * power) if value > 1 else 1


def _colour(place: int) -> str:
    return _COLOURS[place % len(_COLOURS)]


def _name(endpoint: str, model: str) -> str:
    return f"{model} at {endpoint}" if model else endpoint


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
