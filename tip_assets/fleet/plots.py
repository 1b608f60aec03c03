"""The temperatures of one machine over time, over bands that tell its state, as Markdown for Dagster's metadata. Pure.

Where the points come from is tip_resources/database/node_reports.py; how lines become a picture, line_charts.py.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, timedelta
from html import escape
from itertools import pairwise

from tip_assets.line_charts import (
    BOTTOM,
    LEFT,
    LEGEND_ROW,
    PANEL,
    RIGHT,
    TOP,
    WIDTH,
    Line,
    cell,
    colour,
    image,
    legend,
    panel,
    picture,
    time_axis,
    x_of,
    y_of,
)
from tip_resources.database.node_reports import HistoryPoint, Span

_BUCKETS = 96  # quarter hours of a day: such a picture is in every observation, and 4 to 8 KB
# Longer silence than this is a gap in the line: after a single report, and after a quarter of an hour.
_GAP_SECONDS = 300.0
_QUARTER_GAP_SECONDS = 1800.0
# Light enough for lines on top. In the order of how much it matters: a band shows the last of these that was.
_BANDS = {
    "ready": "#eaf6ee",
    "quiet": "#e6eefb",
    "stale": "#eeeeee",
    "lost": "#dddddd",
    "draining": "#f3e9d8",
    "throttled": "#fdf1c7",
    "in_use": "#efe3f7",
    "hot": "#fbdcd6",
}
_ORDER = {state: place for place, state in enumerate(_BANDS)}
_NAMES = ("CPU", "GPU")


def history_markdown(
    points: Sequence[HistoryPoint], *, cpu_limit_celsius: float | None = None, gpu_limit_celsius: float | None = None
) -> str:
    """A picture over a table: processor and hottest card in degrees Celsius, the machine's states as bands behind.

    Args:
        points: As `NodeReportStore.history` gives them, oldest first.
        cpu_limit_celsius: Drawn as a dashed line; None for none.
        gpu_limit_celsius: Likewise.
    """
    if not points:
        return "No reports of this machine in this time."
    limits = (cpu_limit_celsius, gpu_limit_celsius)
    known = [_spans(points, place) for place in range(len(_NAMES))]
    rows = [
        "| degrees Celsius | newest | least | mean | most | limit |",
        "|---|---:|---:|---:|---:|---:|",
        *(_row(name, spans, limit) for name, spans, limit in zip(_NAMES, known, limits, strict=True)),
        "",
        _states_in_words(points),
    ]
    return "\n".join([image("Temperature over time", history_svg(points, limits)), "", *rows])


def history_svg(points: Sequence[HistoryPoint], limits: tuple[float | None, float | None]) -> str:
    """The picture: one panel, its axis of time, and what the lines and bands mean."""
    begin = points[0].at
    seconds = max(1.0, (points[-1].at + timedelta(seconds=points[-1].seconds) - begin).total_seconds())
    lines = [_pieces(_spans(points, place), seconds) for place in range(len(_NAMES))]
    shown = [limit for limit, line in zip(limits, lines, strict=True) if limit is not None and line]
    low, high = _heights([value for line in lines for piece in line for _, value in piece] + shown)
    states = [state for state in _BANDS if any(point.state == state for point in points)]
    bottom = TOP + PANEL
    parts = [
        *_bands(points, seconds),
        panel(f"degrees Celsius, from {begin.astimezone(UTC):%Y-%m-%d %H:%M} UTC", lines, seconds, TOP, (low, high)),
        *(_limit(limit, place, low, high) for place, limit in enumerate(limits) if limit is not None and lines[place]),
        time_axis(seconds, bottom),
        legend([_meaning(name, limit) for name, limit in zip(_NAMES, limits, strict=True)], bottom + BOTTOM),
        _states_legend(states, bottom + BOTTOM + LEGEND_ROW * len(_NAMES)),
    ]
    return picture(bottom + BOTTOM + LEGEND_ROW * (len(_NAMES) + 1) + 8, parts)


def _spans(points: Sequence[HistoryPoint], place: int) -> list[tuple[HistoryPoint, Span, float]]:
    """Where it is known: the point, what it was, and seconds since the first point of all."""
    begin = points[0].at
    found = []
    for point in points:
        span = (point.cpu_celsius, point.gpu_celsius)[place]
        if span is not None:
            found.append((point, span, (point.at - begin).total_seconds() + point.seconds / 2))
    return found


def _pieces(known: Sequence[tuple[HistoryPoint, Span, float]], seconds: float) -> list[Line]:
    """The highest value of each little piece of time, in lines that break where nothing was reported for long."""
    pieces: list[dict[int, tuple[float, float]]] = []
    last: tuple[HistoryPoint, float] | None = None
    for point, span, at in known:
        bucket = int(at / seconds * _BUCKETS)
        if last is None or (at - last[1] > _allowed_gap(last[0], point) and bucket not in pieces[-1]):
            pieces.append({})
        highest = pieces[-1].get(bucket)
        if highest is None or span.most > highest[1]:
            pieces[-1][bucket] = (at, span.most)
        last = point, at
    return [list(piece.values()) for piece in pieces]


def _allowed_gap(before: HistoryPoint, after: HistoryPoint) -> float:
    return _QUARTER_GAP_SECONDS if before.seconds or after.seconds else _GAP_SECONDS


def _heights(values: Sequence[float]) -> tuple[float, float]:
    """Whole tens around the values; 0 to 100 when there are none."""
    if not values:
        return 0.0, 100.0
    low, high = 10 * (min(values) // 10), 10 * -(-max(values) // 10)
    return (low, high) if high > low else (low, low + 10)


def _bands(points: Sequence[HistoryPoint], seconds: float) -> list[str]:
    """What state it was in, from each report to the next one, at most over the gap that is allowed."""
    begin, states = points[0].at, {}
    for point, after in pairwise([*points, points[-1]]):
        at = (point.at - begin).total_seconds()
        if point.state not in _BANDS:
            continue
        until = min(max((after.at - begin).total_seconds(), at), at + _allowed_gap(point, after))
        for bucket in range(int(at / seconds * _BUCKETS), min(int(until / seconds * _BUCKETS), _BUCKETS - 1) + 1):
            states[bucket] = max(states.get(bucket, point.state), point.state, key=_ORDER.__getitem__)
    return [_band(x_of(first, _BUCKETS), x_of(last + 1, _BUCKETS), state) for first, last, state in _runs(states)]


def _band(left: float, right: float, state: str) -> str:
    return f'<rect x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{PANEL}" fill="{_BANDS[state]}"/>'


def _runs(states: dict[int, str]) -> Iterable[tuple[int, int, str]]:
    """Neighbours of one state together: first and last place, and the state."""
    first: int | None = None
    for bucket in sorted(states):
        if first is None:
            first = bucket
        if states.get(bucket + 1) != states[bucket]:
            yield first, bucket, states[bucket]
            first = None


def _limit(limit: float, place: int, low: float, high: float) -> str:
    y = y_of(limit, TOP, low, high)
    return (
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour(place)}" '
        f'stroke-dasharray="6 4"/>'
    )


def _meaning(name: str, limit: float | None) -> str:
    return f"{name}, its hottest sensor" + ("" if limit is None else f"; dashed: its limit, {limit:g}")


def _states_legend(states: Sequence[str], top: float) -> str:
    parts, x = [], float(LEFT)
    for state in states:
        parts.append(
            f'<rect x="{x:g}" y="{top - 4:g}" width="14" height="12" fill="{_BANDS[state]}" stroke="#cccccc"/>'
            f'<text x="{x + 20:g}" y="{top + 6:g}" fill="#333333">{escape(state)}</text>'
        )
        x += 34 + 7 * len(state)
    return "".join(parts)


def _row(name: str, known: Sequence[tuple[HistoryPoint, Span, float]], limit: float | None) -> str:
    shown_limit = "-" if limit is None else f"{limit:g}"
    if not known:
        return f"| {name} | unknown | - | - | - | {shown_limit} |"
    reports = sum(point.reports for point, _, _ in known)
    mean = sum(span.mean * point.reports for point, span, _ in known) / reports
    figures = (known[-1][1].mean, min(s.least for _, s, _ in known), mean, max(s.most for _, s, _ in known))
    return f"| {name} | {' | '.join(f'{value:.0f}' for value in figures)} | {shown_limit} |"


def _states_in_words(points: Sequence[HistoryPoint]) -> str:
    counts = Counter(point.state for point in points if point.state)
    if not counts:
        return "The states of this time are not kept any more."
    shares = (f"{cell(state)} {count / counts.total():.0%}" for state, count in counts.most_common())
    return f"States, by {counts.total():,} reports: {', '.join(shares)}."
