"""Pictures of grades for Dagster's metadata: how they are distributed, and what went before. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from tip_assets.line_charts import BETWEEN, BOTTOM, LEGEND_ROW, PANEL, TOP, WIDTH, image, legend, panel, picture, x_of

_POINTS = 5
MOST_PAST_RUNS = 40


class PastGrading(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier materialization said; None where it said nothing. `agreement` is r of judge and local grade."""

    overall: float | None
    agreement: float | None


def grades_picture(histogram: Mapping[str, Mapping[int, int]], past: Sequence[PastGrading]) -> str:
    """Markdown with one picture: calls by grade and side, and under it what went before, oldest first.

    Args:
        histogram: Calls at each half point (0 to 10), by side.
        past: Earlier materializations and this one; fewer than 2 are no history, and the panel is left out.
    """
    sides = list(histogram)
    if not any(histogram[side] for side in sides):
        return "No call was graded."
    lines = [[[(at / 2, float(histogram[side].get(at, 0))) for at in range(2 * _POINTS + 1)]] for side in sides]
    parts = [panel("calls by grade (0 to 5)", lines, _POINTS, TOP), _points_axis(TOP + PANEL)]
    bottom = TOP + PANEL + BOTTOM
    parts.append(legend(sides, bottom))
    bottom += LEGEND_ROW * len(sides)
    if len(past) > 1:
        bottom += BETWEEN
        parts += _history(past[-MOST_PAST_RUNS:], bottom)
        bottom += 2 * PANEL + BETWEEN + BOTTOM
    return image("Grades", picture(bottom, parts))


def _history(past: Sequence[PastGrading], top: float) -> list[str]:
    last = len(past) - 1
    overall = [(float(at), one.overall) for at, one in enumerate(past) if one.overall is not None]
    agreement = [(float(at), one.agreement) for at, one in enumerate(past) if one.agreement is not None]
    lower = top + PANEL + BETWEEN
    ends = (
        f'<text x="{x_of(0, last):g}" y="{lower + PANEL + 16:g}" fill="#666666">{len(past)} materializations</text>'
        f'<text x="{x_of(last, last):g}" y="{lower + PANEL + 16:g}" text-anchor="end" fill="#666666">this one</text>'
    )
    return [
        panel("mean overall grade of the last materializations, all data sets", [[overall]], last, top, (0, _POINTS)),
        panel("r of judge and local grade, where a judge was asked", [[agreement]], last, lower, (-1, 1)),
        ends,
    ]


def _points_axis(bottom: float) -> str:
    return "".join(
        f'<text x="{x_of(points, _POINTS):.1f}" y="{bottom + 16:g}" text-anchor="middle" fill="#666666">{points}</text>'
        for points in range(_POINTS + 1)
        if x_of(points, _POINTS) < WIDTH
    )
