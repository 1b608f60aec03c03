"""A machine's temperatures over time as lines of characters, for the terminal. Pure, ASCII."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from tip_resources.database.node_reports import HistoryPoint

_MOST_STEPS = 10
_STEPS = (2.0, 5.0, 10.0, 20.0)  # degrees for a line of text
_LEFT = 8
_MARKS = ("c", "g")
_BOTH = "#"


def plot(
    points: Sequence[HistoryPoint],
    *,
    begin: datetime,
    end: datetime,
    width: int,
    limits: tuple[float | None, float | None] = (None, None),
) -> list[str]:
    """Lines of at most `width` characters: c is the processor, g the hottest card, # both; dashes are the limits.

    Each place shows the highest value of its time; where nothing was reported, it is empty.
    """
    columns = max(10, width - _LEFT - 1)
    tops = [_highest(points, which, begin, (end - begin) / columns, columns) for which in (0, 1)]
    values = [value for top in tops for value in top if value is not None]
    if not values:
        return ["No temperature was reported in this time."]
    shown = [limit for limit, top in zip(limits, tops, strict=True) if limit is not None and any(top)]
    known = [*values, *shown]
    step = next((one for one in _STEPS if max(known) - min(known) <= _MOST_STEPS * one), _STEPS[-1])
    low = step * (min(known) // step)
    rows = [[" "] * columns for _ in range(round((max(known) - low) / step) + 1)]
    for limit in shown:
        row = rows[round((limit - low) / step)]
        row[:] = ["-" if at % 2 == 0 else " " for at in range(columns)]
    for mark, top in zip(_MARKS, tops, strict=True):
        for at, value in enumerate(top):
            if value is not None:
                row = rows[round((value - low) / step)]
                row[at] = _BOTH if row[at] in _MARKS else mark
    lines = [f"{low + step * place:5.0f} C |{''.join(rows[place])}".rstrip() for place in reversed(range(len(rows)))]
    return [*lines, *_axis(columns, end - begin), *_key(tops, limits)]


def _highest(
    points: Sequence[HistoryPoint], which: int, begin: datetime, each: timedelta, columns: int
) -> list[float | None]:
    found: list[float | None] = [None] * columns
    for point in points:
        span = (point.cpu_celsius, point.gpu_celsius)[which]
        if span is None:
            continue
        first = int((point.at - begin) / each)
        last = int((point.at + timedelta(seconds=point.seconds) - begin) / each)
        for at in range(max(0, first), min(columns - 1, last) + 1):
            known = found[at]
            found[at] = span.most if known is None else max(known, span.most)
    return found


def _axis(columns: int, length: timedelta) -> list[str]:
    hours = length.total_seconds() / 3600
    left, middle = f"{hours:.0f} h ago", f"{hours / 2:.0f} h"
    line = left.ljust(columns // 2 - len(middle) // 2) + middle
    return [f"{'+':>{_LEFT}}{'-' * columns}", f"{'':{_LEFT}}{line}{'now':>{max(4, columns - len(line))}}"]


def _key(tops: Sequence[Sequence[float | None]], limits: tuple[float | None, float | None]) -> Iterator[str]:
    words = []
    for mark, name, top, limit in zip(_MARKS, ("CPU", "GPU"), tops, limits, strict=True):
        if any(value is not None for value in top):
            words.append(f"{mark} {name}" + ("" if limit is None else f" (limit {limit:.0f} C)"))
    yield " " * _LEFT + ", ".join(words) + (f", {_BOTH} both" if len(words) > 1 else "")
