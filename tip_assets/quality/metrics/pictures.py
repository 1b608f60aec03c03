"""The distances to the reference as bars, for Dagster's metadata. Pure; how a picture is made: line_charts.py."""

from collections.abc import Sequence
from html import escape

from tip_assets.line_charts import BOTTOM, TOP, WIDTH, colour, image, picture
from tip_assets.quality.features.style_figures import FIGURES
from tip_assets.quality.metrics.distances import OFF_FROM
from tip_resources.domain.set_metric import SetMetric

_LABELS, _ROW, _BAR, _RIGHT = 330, 20, 12, 60
_LIKE, _OFF = colour(0), colour(1)


def distance_picture(metrics: Sequence[SetMetric]) -> str:
    """A bar for each conversational figure, in the order of the figures; empty when none has a distance."""
    rows = [(metric, metric.distance) for metric in metrics if metric.group == "style" and metric.distance is not None]
    if not rows:
        return ""
    longest = max(OFF_FROM * 2, *(distance for _, distance in rows))
    width = WIDTH - _LABELS - _RIGHT
    bottom = TOP + _ROW * len(rows)
    limit = _LABELS + width * OFF_FROM / longest
    parts = [
        f'<line x1="{limit:.1f}" x2="{limit:.1f}" y1="{TOP - 4}" y2="{bottom}" stroke="#888888" '
        'stroke-dasharray="4 3"/>'
        f'<text x="{limit:.1f}" y="{bottom + 16}" text-anchor="middle" fill="#666666">{OFF_FROM:g} deviations</text>'
        f'<text x="{_LABELS}" y="{TOP - 12}" fill="#333333" font-weight="600">How far from the reference calls</text>'
    ]
    for place, (metric, distance) in enumerate(rows):
        y = TOP + _ROW * place
        parts.append(
            f'<text x="{_LABELS - 8}" y="{y + _BAR}" text-anchor="end" fill="#333333">'
            f"{escape(FIGURES[metric.name].noun)}</text>"
            f'<rect x="{_LABELS}" y="{y + 2}" width="{width * distance / longest:.1f}" height="{_BAR}" '
            f'fill="{_OFF if distance >= OFF_FROM else _LIKE}"/>'
            f'<text x="{_LABELS + width * distance / longest + 5:.1f}" y="{y + _BAR}" fill="#666666">'
            f"{distance:.2f}</text>"
        )
    return image("Distances to the reference calls", picture(bottom + BOTTOM, parts))
