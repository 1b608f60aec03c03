"""The report's section on likeness to real calls and diversity: each figure beside the reference's."""

from collections.abc import Sequence

from tip_assets.exports.report_charts import bar
from tip_assets.exports.report_data import ReportData
from tip_assets.exports.report_text import escaped, humanised, share
from tip_assets.quality.metrics.diversity import EQUAL_SIZE
from tip_assets.quality.metrics.tables import figure_of, metric_table
from tip_resources.domain.set_metric import MetricGroup, SetMetric

# Of these lists the reader sees so many; the rest opens with a click.
_MOST_TELLING, _MOST_STYLE = 6, 8
_HEADS = {
    "style": ("Manner of speaking", "Farthest from the reference first, in its standard deviations."),
    "diversity": ("Diversity", "Of the whole set, and of as many calls of each where a reference is beside it."),
    "flow": ("Order of moves", "How often calls take the same course."),
    "coverage": ("Coverage of the plan", "What was planned and is in the calls."),
}


def metrics_section(data: ReportData) -> str:
    """What a classifier tells, how people speak, how diverse the set is; says so when nothing was measured."""
    if not data.metrics:
        return '<p class="quiet">Nothing was measured for this set.</p>'
    tables = (
        _style(_of(data.metrics, "style")),
        _table("diversity", _side_by_side(_of(data.metrics, "diversity"))),
        _table("coverage", _of(data.metrics, "coverage")),
        _table("flow", _of(data.metrics, "flow")),
    )
    columns = "".join(f"<div>{table}</div>" for table in tables if table)
    return f'{_told_apart(data.metrics)}<div class="metrics">{columns}</div>'


def _of(metrics: Sequence[SetMetric], group: MetricGroup) -> list[SetMetric]:
    return [metric for metric in metrics if metric.group == group]


def _told_apart(metrics: Sequence[SetMetric]) -> str:
    """How often a trained classifier is right, and by what."""
    found = _of(metrics, "discriminator")
    if not found:
        return ""
    accuracy, others = found[0], found[1:]
    telling = _of(metrics, "telling")
    why = f'<p class="quiet">{escaped(accuracy.detail)}</p>'
    if accuracy.value is None:
        return f'<article class="apart"><h3>Can these calls be told from the reference?</h3>{why}</article>'
    rows = "".join(f"<div><dt>{escaped(humanised(one.name))}</dt><dd>{figure_of(one)}</dd></div>" for one in others)
    sentences = [one.detail.split(";")[0] or humanised(one.name) for one in telling]
    return (
        '<article class="apart"><h3>Can these calls be told from the reference?</h3>'
        f'<p class="told"><b>{share(accuracy.value)}</b> of the time a trained classifier is right; '
        "50&#8201;% would be a coin, and the goal.</p>"
        f"{bar((accuracy.value - 0.5) * 2, 'bar loss')}{why}<dl class='facts'>{rows}</dl>"
        f"{_gives_away(sentences)}</article>"
    )


def _gives_away(sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    shown = "".join(f"<li>{escaped(one)}</li>" for one in sentences[:_MOST_TELLING])
    more = "".join(f"<li>{escaped(one)}</li>" for one in sentences[_MOST_TELLING:])
    rest = f"<details><summary><span>{len(sentences) - _MOST_TELLING} more</span></summary>" if more else ""
    hidden = f'{rest}<ul class="plain padded">{more}</ul></details>' if more else ""
    return f'<h3>What gives them away</h3><ul class="plain">{shown}</ul>{hidden}'


def _style(metrics: Sequence[SetMetric]) -> str:
    """The figures of how people speak, farthest first; those that could not be measured come last."""
    if not metrics:
        return ""
    ordered = sorted(metrics, key=lambda metric: (metric.distance is None, -(metric.distance or 0.0)))
    first, rest = ordered[:_MOST_STYLE], ordered[_MOST_STYLE:]
    hidden = (
        f"<details><summary><span>{len(rest)} more, nearer to the reference</span></summary>"
        f'<div class="padded">{metric_table(rest)}</div></details>'
        if rest
        else ""
    )
    return f"{_heading('style')}{metric_table(first)}{hidden}"


def _side_by_side(metrics: Sequence[SetMetric]) -> list[SetMetric]:
    """Measures of the whole set with the comparison at equal size in one row each.

    The value of a row with a reference is the one that was compared, so that the two can be read together.
    """
    equal = {metric.name.removesuffix(EQUAL_SIZE): metric for metric in metrics if metric.name.endswith(EQUAL_SIZE)}
    return [equal.get(metric.name, metric) for metric in metrics if not metric.name.endswith(EQUAL_SIZE)]


def _table(group: MetricGroup, metrics: Sequence[SetMetric]) -> str:
    return f"{_heading(group)}{metric_table(metrics)}" if metrics else ""


def _heading(group: MetricGroup) -> str:
    title, lead = _HEADS[group]
    return f"<h3>{escaped(title)}<small>{escaped(lead)}</small></h3>"
