"""The discriminator's verdict as rows of a set's metrics, and as a table and a picture for Dagster. Pure."""

from html import escape

from tip_assets.line_charts import cell, colour, image, picture
from tip_assets.quality.features.style_figures import FIGURES
from tip_assets.quality.realism.discriminator import Telling, Verdict
from tip_assets.quality.realism.reference import Reference
from tip_resources.domain.set_metric import SetMetric

_GOAL = "0.5: told apart no better than by a coin"
_SHOWN = 12
_ROW, _LEFT, _BAR = 22, 330, 300


def metric_rows(verdict: Verdict, reference: Reference) -> list[SetMetric]:
    """One row for each figure of the discriminator, then one for each feature that gives us away."""
    held_against = f"against {reference.name}, {verdict.calls} calls of each side"
    why = verdict.reason
    figures = (
        ("accuracy", verdict.accuracy, f"both views together, 95 % interval {_interval(verdict)}"),
        ("auc", verdict.auc, "how often a call of ours is the more suspect one of a pair"),
        ("accuracy_style", verdict.style_accuracy, "by figures of style alone"),
        ("accuracy_wording", verdict.wording_accuracy, "by runs of small words alone, names and topics masked"),
    )
    rows = [
        SetMetric(
            name=name,
            group="discriminator",
            value=value,
            distance=None if value is None else abs(value - 0.5),
            goal=_GOAL,
            detail=f"{why or text}; {held_against}",
        )
        for name, value, text in figures
    ]
    rows.append(
        SetMetric(
            name="style_distance",
            group="discriminator",
            value=verdict.style_distance,
            distance=verdict.style_distance,
            goal="0",
            detail=why
            or f"mean of |d| (Cohen's) over all style features, standard error "
            f"{verdict.style_distance_error:.3f}; {held_against}",
        )
    )
    return rows + [_telling_row(found, held_against) for found in verdict.telling]


def telling_table(verdict: Verdict) -> str:
    """What gives us away, as Markdown."""
    if verdict.reason:
        return f"Not measured: {verdict.reason}."
    if not verdict.telling:
        return "No feature differs from the reference by more than chance."
    lines = ["| what gives us away | distance (d) | weight |", "|---|---:|---:|"]
    lines += [f"| {cell(found.text)} | {found.distance:.2f} | {found.weight:+.2f} |" for found in verdict.telling]
    return "\n".join(lines)


def telling_plot(verdict: Verdict) -> str:
    """The largest differences as bars, as an image in Markdown; a sentence where there are none."""
    shown = verdict.telling[:_SHOWN]
    if not shown:
        return telling_table(verdict)
    longest = max(found.distance for found in shown)
    parts = [f'<text x="12" y="20" fill="#333333" font-weight="600">{escape(_headline(verdict))}</text>']
    for place, found in enumerate(shown):
        y = 36 + _ROW * place
        width = _BAR * found.distance / longest
        parts.append(
            f'<text x="{_LEFT - 8}" y="{y + 12}" text-anchor="end" fill="#333333">{escape(_label(found))}</text>'
            f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="15" fill="{colour(found.ours > found.reference)}"/>'
            f'<text x="{_LEFT + width + 6:.1f}" y="{y + 12}" fill="#666666">{found.distance:.2f}</text>'
        )
    return image("what gives us away", picture(48 + _ROW * len(shown), parts))


def _headline(verdict: Verdict) -> str:
    return f"Told apart: {verdict.accuracy:.0%} of {2 * verdict.calls} calls ({_interval(verdict)}); 50 % is the goal"


def _label(found: Telling) -> str:
    return FIGURES[found.name].side(found.ours > found.reference)


def _interval(verdict: Verdict) -> str:
    return "unknown" if verdict.low is None or verdict.high is None else f"{verdict.low:.2f} to {verdict.high:.2f}"


def _telling_row(found: Telling, held_against: str) -> SetMetric:
    return SetMetric(
        name=found.name,
        group="telling",
        value=found.ours,
        reference=found.reference,
        distance=found.distance,
        detail=f"{found.text}; distance is Cohen's d, {held_against}",
    )
