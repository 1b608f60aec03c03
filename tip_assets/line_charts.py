"""Lines over time as an SVG picture inside of Markdown, for Dagster's metadata. Pure.

No library draws it and no server has to hold it. Dagster's page shows it as an image, so it carries its own colours
and a background of its own. What the lines mean is where they are used.
"""

import base64
from collections.abc import Sequence
from html import escape

WIDTH, PANEL, LEFT, RIGHT, TOP, BETWEEN = 720, 150, 56, 16, 30, 44
BOTTOM, LEGEND_ROW = 30, 18
# Told apart by people with any colour vision: Okabe and Ito, https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MOST_POINTS = 240  # per line: about one for every three units of the picture's width

# Seconds since the beginning of the picture, and the figure there.
Line = list[tuple[float, float]]


def image(title: str, svg: str) -> str:
    """The picture as an image of Markdown."""
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"


def picture(height: float, parts: Sequence[str]) -> str:
    """The SVG with these parts on a white ground."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}" '
        f'viewBox="0 0 {WIDTH} {height:g}" font-family="system-ui, sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height:g}" fill="#ffffff"/>'
    )
    return "".join([head, *parts, "</svg>"])


def panel(
    title: str, lines: Sequence[Sequence[Line]], seconds: float, top: float, span: tuple[float, float] | None = None
) -> str:
    """Lines over a grid of three heights. Each line is of pieces: between two nothing is known.

    `span` is the lowest and highest value shown; None takes 0 and the next round number above the highest.
    """
    highest = max((value for pieces in lines for piece in pieces for _, value in piece), default=1.0)
    low, high = span or (0.0, round_up(highest))
    parts = [f'<text x="{LEFT}" y="{top - 8:g}" fill="#333333" font-weight="600">{escape(title)}</text>']
    for share in (0.0, 0.5, 1.0):
        y, value = top + PANEL * (1 - share), low + (high - low) * share
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:g}" y2="{y:g}" stroke="#dddddd"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:g}" text-anchor="end" fill="#666666">{value:,g}</text>'
        )
    for place, pieces in enumerate(lines):
        for piece in pieces:
            parts.append(_drawn(place, [(x_of(at, seconds), y_of(value, top, low, high)) for at, value in piece]))
    return "".join(parts)


def time_axis(seconds: float, bottom: float) -> str:
    """0, the middle and the end, in the largest unit that fits."""
    unit, length = next(((u, n) for u, n in (("h", 3600), ("min", 60)) if seconds >= 2 * n), ("s", 1))
    return "".join(
        f'<text x="{x_of(seconds * share, seconds):.1f}" y="{bottom + 16:g}" text-anchor="{anchor}" fill="#666666">'
        f"{seconds * share / length:.3g} {unit}</text>"
        for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )


def legend(names: Sequence[str], top: float) -> str:
    """One row for each line, in the order of the lines."""
    return "".join(
        f'<rect x="{LEFT}" y="{top + LEGEND_ROW * place:g}" width="14" height="4" fill="{colour(place)}"/>'
        f'<text x="{LEFT + 22}" y="{top + LEGEND_ROW * place + 6:g}" fill="#333333">{escape(name)}</text>'
        for place, name in enumerate(names)
    )


def thinned(points: Line) -> Line:
    """At most as many points as can be seen: each is the mean of its neighbours."""
    size = -(-len(points) // _MOST_POINTS) or 1
    parts = [points[at : at + size] for at in range(0, len(points), size)]
    return [(part[-1][0], sum(value for _, value in part) / len(part)) for part in parts]


def x_of(at: float, seconds: float) -> float:
    """Where a time lies in the picture."""
    return LEFT + (WIDTH - LEFT - RIGHT) * at / seconds


def y_of(value: float, top: float, low: float, high: float) -> float:
    """Where a value lies in a panel."""
    return top + PANEL * (1 - (value - low) / (high - low))


def round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten, so that half of it reads well too."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return next((step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value), 10 * power) if value > 1 else 1


def colour(place: int) -> str:
    """Of the line at that place."""
    return _COLOURS[place % len(_COLOURS)]


def cell(text: str) -> str:
    """Any text as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _drawn(place: int, points: Line) -> str:
    if not points:
        return ""
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour(place)}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour(place)}" stroke-width="1.8"/>'
