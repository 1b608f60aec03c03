"""Bars and histograms as inline SVG: no script, no network, and they print.

Colours come from the page's stylesheet by class, so that light, dark and print differ there only.
"""

from collections.abc import Iterable

from tip_assets.exports.report_data import Bin, Count, Distribution
from tip_assets.exports.report_text import calls, escaped, humanised, in_short

# Width and height in the chart's own units; the page scales it to the space there is.
_LARGE, _SMALL = (400, 130), (200, 90)
_AXIS, _HEADROOM, _GAP = 18, 12, 2.0


def bar(share: float, css_class: str = "bar", *, lost: float = 0.0) -> str:
    """A horizontal bar that fills `share` (0-1) of the width it is given; `lost` continues it in another colour."""
    width, lost_width = max(0.0, min(share, 1.0)) * 100, max(0.0, min(lost, 1.0)) * 100
    tail = f'<rect class="gone" x="{width:.2f}" width="{lost_width:.2f}" height="8"/>' if lost_width else ""
    return (
        f'<svg class="{css_class}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="8"/><rect class="fill" width="{width:.2f}" height="8"/>{tail}</svg>'
    )


def bar_list(counts: Iterable[Count], *, most: int = 14, css_class: str = "bar", empty: str = "None.") -> str:
    """Names with their counts, most frequent first; what is past `most` becomes one row."""
    counts = tuple(counts)
    if not counts:
        return f'<p class="quiet">{escaped(empty)}</p>'
    shown, rest = counts[:most], counts[most:]
    top = max(1, *(count.count for count in shown))
    rows = [_bar_row(humanised(count.name), count.count, count.count / top, css_class) for count in shown]
    if rest:
        total = sum(count.count for count in rest)
        # Without a bar: what many share is no longer than what one has.
        rows.append(f'<li class="rest"><span>{len(rest):,} others together</span><b>{total:,}</b></li>')
    return f'<ul class="bars">{"".join(rows)}</ul>'


def histogram(
    distribution: Distribution, *, marker: float | None = None, digits: int = 0, is_small: bool = False
) -> str:
    """Columns over an axis, with lowest, median and highest value as text for those who cannot see it.

    `marker` draws a dashed line, for example at the grade a call must reach; `is_small` suits four in a row.
    """
    if not distribution.bins:
        return '<p class="quiet">Nothing measured.</p>'
    width, height = _SMALL if is_small else _LARGE
    low, high = distribution.bins[0].low, distribution.bins[-1].high
    line = ""
    if marker is not None and low <= marker <= high:
        x = (marker - low) / (high - low) * width
        line = f'<line class="marker" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{height}"/>'
    label = escaped(f"{distribution.name}: {_range(distribution, digits)}")
    return (
        f'<svg class="histogram" viewBox="0 -2 {width} {height + _AXIS + 4}" role="img" aria-label="{label}">'
        f'<line class="axis" x1="0" x2="{width}" y1="{height}" y2="{height}"/>'
        f"{_columns(distribution.bins, width, height)}{line}{_ticks(low, high, width, height)}</svg>"
    )


def _columns(bins: tuple[Bin, ...], width: int, height: int) -> str:
    top, step = max(1, *(column.count for column in bins)), width / len(bins)
    drawn = []
    for place, column in enumerate(bins):
        tall = max(column.count / top * (height - _HEADROOM), 1.5) if column.count else 0
        if tall:
            drawn.append(
                f'<rect class="fill" x="{place * step + _GAP / 2:.1f}" y="{height - tall:.1f}" '
                f'width="{max(step - _GAP, 1):.1f}" height="{tall:.1f}" rx="1.5">'
                f"<title>{in_short(column.low)} to {in_short(column.high)}: {calls(column.count)}</title></rect>"
            )
    return "".join(drawn)


def _ticks(low: float, high: float, width: int, height: int) -> str:
    marks = [(low, 0.0, "start"), (high, float(width), "end")]
    middle = (low + high) / 2
    if middle.is_integer():
        marks.append((middle, width / 2, "middle"))
    return "".join(
        f'<text x="{x:g}" y="{height + _AXIS - 3}" text-anchor="{anchor}">{in_short(value)}</text>'
        for value, x, anchor in marks
    )


def _range(distribution: Distribution, digits: int) -> str:
    if distribution.low is None or distribution.median is None or distribution.high is None:
        return "nothing measured"
    return (
        f"from {distribution.low:,.{digits}f} to {distribution.high:,.{digits}f}, "
        f"median {distribution.median:,.{digits}f}"
    )


def _bar_row(name: str, count: int, share: float, css_class: str) -> str:
    empty = "" if count else ' class="none"'
    return f"<li{empty}><span>{escaped(name)}</span><b>{count:,}</b>{bar(share, css_class)}</li>"
