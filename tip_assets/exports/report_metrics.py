"""The report's section on diversity and likeness to real calls: each figure beside the reference's."""

from collections.abc import Sequence

from tip_assets.exports.report_charts import bar
from tip_assets.exports.report_data import ReportData
from tip_assets.exports.report_text import escaped, figure, humanised
from tip_resources.domain.set_metric import MetricGroup, SetMetric

_GROUPS: tuple[tuple[MetricGroup, str, str], ...] = (
    ("diversity", "Diversity", "How much the calls differ in words."),
    ("flow", "Order of moves", "How often calls go the same way."),
    ("style", "Manner of speaking", "Against the reference calls; the bar is the distance, short is good."),
    ("coverage", "Coverage of the plan", "What was planned and is in the calls."),
)


def metrics_section(data: ReportData) -> str:
    """One table for each group that was measured; says so when none was."""
    if not data.metrics:
        return '<p class="quiet">Nothing was measured for this set.</p>'
    tables = (_table(title, lead, _of(data.metrics, group)) for group, title, lead in _GROUPS)
    return f'{_told_apart(data.metrics)}<div class="metrics">{"".join(tables)}</div>'


def _of(metrics: Sequence[SetMetric], group: MetricGroup) -> list[SetMetric]:
    return [metric for metric in metrics if metric.group == group]


def _told_apart(metrics: Sequence[SetMetric]) -> str:
    """What the discriminator says, and what gives the calls away."""
    found = _of(metrics, "discriminator")
    if not found:
        return ""
    rows = "".join(f"<div><dt>{escaped(humanised(one.name))}</dt><dd>{_value(one)}</dd></div>" for one in found)
    notes = "".join(f"<li>{escaped(one.detail)}</li>" for one in found if one.detail)
    telling = "".join(f"<li>{escaped(one.detail or humanised(one.name))}</li>" for one in _of(metrics, "telling"))
    gives_away = f"<h3>What gives them away</h3><ul class='plain'>{telling}</ul>" if telling else ""
    return (
        '<article class="apart"><h3>Can a trained classifier tell these calls from the reference?'
        "<small>0.5 is chance, the goal; 1.0 means always</small></h3>"
        f'<dl class="facts">{rows}</dl><ul class="plain quiet">{notes}</ul>{gives_away}</article>'
    )


def _table(title: str, lead: str, metrics: Sequence[SetMetric]) -> str:
    if not metrics:
        return ""
    has_reference = any(metric.reference is not None for metric in metrics)
    head = "<td>reference</td><td>distance</td>" if has_reference else ""
    furthest = max((metric.distance or 0.0 for metric in metrics), default=0.0) or 1.0
    body = "".join(_row(metric, has_reference, furthest) for metric in metrics)
    return (
        f"<div><h3>{escaped(title)}<small>{escaped(lead)}</small></h3><table><thead><tr><th></th><td>this set</td>"
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(metric: SetMetric, has_reference: bool, furthest: float) -> str:
    words = metric.goal or ("" if metric.value is not None else metric.detail)
    note = f"<small>{escaped(words)}</small>" if words else ""
    compared = ""
    if has_reference:
        reference = figure(metric.reference) if metric.reference is not None else ""
        distance = ""
        if metric.distance is not None:
            distance = f"{figure(metric.distance)}{bar(metric.distance / furthest, 'bar loss')}"
        compared = f"<td>{reference}</td><td>{distance}</td>"
    name = f"<th>{escaped(humanised(metric.name))}{note}</th>"
    return f'<tr title="{escaped(metric.detail)}">{name}<td>{_value(metric)}</td>{compared}</tr>'


def _value(metric: SetMetric) -> str:
    return figure(metric.value) if metric.value is not None else "not measured"
