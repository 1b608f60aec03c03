"""Figures of a set as rows of an HTML table: the one way that metrics.html and the data set report draw them."""

import re
from collections.abc import Mapping, Sequence

from tip_assets.exports.report_charts import bar
from tip_assets.exports.report_text import escaped, figure
from tip_assets.quality.features.style_figures import FIGURES
from tip_assets.quality.metrics.analysis import is_equal_size
from tip_assets.quality.metrics.distances import OFF_FROM
from tip_assets.quality.metrics.names import is_share, words_for
from tip_assets.quality.metrics.style import OFF_MARK, Spreads
from tip_resources.domain.set_metric import SetMetric

# A distance in deviations of the reference that fills its bar; farther ones are told apart by their figures.
FULL_BAR = 2.0
# Of figures with one reason for not being measured, so many are named.
_NAMED_UNMEASURED = 4
_SHARE_IN_GOAL = re.compile(r"(?<![\d.])(?:0\.\d+|1)(?![\d.])")


def metric_table(
    metrics: Sequence[SetMetric], *, spreads: Mapping[str, Spreads] | None = None, has_details: bool = False
) -> str:
    """A row for each figure: its name with what is to be said of it, the value, and beside a reference the distance.

    Figures that could not be measured have no row: a sentence behind the table says which, and why.

    Args:
        metrics: In the order in which they are drawn.
        spreads: Adds a column with how figures spread over the calls of both sides.
        has_details: Adds a column with the detail of each row; else it is shown on pointing at the row.
    """
    unmeasured = _unmeasured([metric for metric in metrics if metric.value is None])
    metrics = [metric for metric in metrics if metric.value is not None]
    if not metrics:
        return unmeasured
    is_compared = any(metric.reference is not None for metric in metrics)
    has_distances = any(metric.distance is not None for metric in metrics if metric.reference is not None)
    heads = ["", "this set", *(["reference"] if is_compared else []), *(["spread over calls"] if spreads else [])]
    heads += [*(["distance"] if has_distances else []), *(["what it is"] if has_details else [])]
    rows = []
    for metric in metrics:
        cells = [f"<td>{figure_of(metric)}</td>"]
        if is_compared:
            cells.append(f"<td>{'' if metric.reference is None else _figure(metric, metric.reference)}</td>")
        if spreads:
            cells.append(f'<td class="strip">{_strip(spreads.get(metric.name))}</td>')
        if has_distances:
            cells.append(f'<td class="distance">{_distance(metric)}</td>')
        if has_details:
            cells.append(f'<td class="text">{escaped(metric.detail)}</td>')
        title = "" if has_details else f' title="{escaped(metric.detail)}"'
        rows.append(f"<tr{title}><th>{_name(metric)}</th>{''.join(cells)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{unmeasured}"


def percent(value: float) -> str:
    """A share as every figure of a set has it: 92.5 %."""
    return f"{value * 100:.1f} %"


def figure_of(metric: SetMetric) -> str:
    """The value with its unit; says so where it was not measured."""
    return "not measured" if metric.value is None else _figure(metric, metric.value)


def _figure(metric: SetMetric, value: float) -> str:
    if is_share(metric):
        return percent(value)
    if metric.group == "style" and metric.name in FIGURES:
        return escaped(FIGURES[metric.name].in_words(value))
    return figure(value)


def _goal(metric: SetMetric) -> str:
    """A goal of a share is a share too."""
    if not is_share(metric):
        return metric.goal
    return _SHARE_IN_GOAL.sub(lambda found: f"{float(found.group()):.0%}".replace("%", " %"), metric.goal)


def _unmeasured(metrics: Sequence[SetMetric]) -> str:
    """One sentence for each reason."""
    by_reason: dict[str, dict[str, None]] = {}
    for metric in metrics:
        # Figures of a call and of diversity say what they are before the reason.
        _, _, reason = metric.detail.partition(": ") if metric.group in ("style", "diversity") else ("", "", "")
        by_reason.setdefault(reason or metric.detail, {})[words_for(metric.name)] = None
    said = []
    for reason, names in by_reason.items():
        more = len(names) - _NAMED_UNMEASURED
        listed = ", ".join(list(names)[:_NAMED_UNMEASURED]) + (f" and {more} more" if more > 0 else "")
        said.append(f'<p class="quiet">Not measured: {escaped(listed)} ({escaped(reason)}).</p>')
    return "".join(said)


def _name(metric: SetMetric) -> str:
    """What is measured, and in a second line what is off, or what would be good.

    A figure of style that is off is called by that: "fewer back-channels".
    """
    style = FIGURES.get(metric.name) if metric.group == "style" else None
    name = words_for(metric.name)
    note = f"goal: {_goal(metric)}" if metric.goal and not style else ""
    if metric.detail.startswith(OFF_MARK):
        direction = metric.detail.removeprefix(OFF_MARK).split(": ")[0]
        name, note = (direction, "") if style else (name, direction)
    small = f"<small>{escaped(note)}</small>" if note else ""
    return escaped(f"{name}, at equal size" if is_equal_size(metric) else name) + small


def _distance(metric: SetMetric) -> str:
    """Figures of style share one scale, deviations of the reference, so only theirs are drawn as bars."""
    if metric.distance is None or metric.reference is None:
        return ""
    if metric.group != "style":
        return figure(metric.distance)
    css_class = "bar loss" if metric.distance >= OFF_FROM else "bar"
    return f"{metric.distance:.2f}{bar(metric.distance / FULL_BAR, css_class)}"


def _strip(spread: Spreads | None) -> str:
    """Two lines over one axis, these calls above the reference: 5 to 95 % thin, the middle half thick, the median."""
    if spread is None:
        return ""
    low, high = min(spread.ours[0], spread.reference[0]), max(spread.ours[-1], spread.reference[-1])
    width = high - low or 1.0
    drawn = []
    for css_class, y, values in (("ours", 5, spread.ours), ("theirs", 15, spread.reference)):
        at = [2 + 96 * (value - low) / width for value in values]
        drawn.append(
            f'<g class="{css_class}"><rect x="{at[0]:.1f}" y="{y - 0.5}" width="{at[4] - at[0]:.1f}" height="1"/>'
            f'<rect x="{at[1]:.1f}" y="{y - 2.5}" width="{max(at[3] - at[1], 0.5):.1f}" height="5"/>'
            f'<rect class="median" x="{at[2] - 0.5:.1f}" y="{y - 4}" width="1" height="8"/></g>'
        )
    said = f"these calls {spread.ours[1]:.3g} to {spread.ours[3]:.3g}, reference {spread.reference[1]:.3g} to "
    label = f"middle half: {said}{spread.reference[3]:.3g}"
    return (
        f'<svg viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label="{label}">'
        f"<title>{label}</title>{''.join(drawn)}</svg>"
    )
