"""metrics.html: the metrics of a set on one page that needs no network and runs no script."""

import functools
import importlib.metadata
import importlib.resources
from collections.abc import Iterable, Sequence
from string import Template

from tip_assets.exports.report_charts import bar
from tip_assets.exports.report_text import escaped, humanised
from tip_assets.quality.features.style_figures import FIGURES
from tip_assets.quality.metrics.analysis import HEADLINES, Analysis, is_equal_size
from tip_assets.quality.metrics.distances import OFF_FROM
from tip_assets.quality.metrics.diversity import EQUAL_SIZE
from tip_assets.quality.metrics.style import Spreads
from tip_resources.domain.set_metric import MetricGroup, SetMetric

# A distance that fills its bar; farther ones are told apart by their figures.
_FULL_BAR = 2.0
_OTHER_GROUPS: dict[MetricGroup, str] = {"coverage": "Coverage of the plan", "flow": "Flow"}


def render_page(title: str, found: Analysis) -> str:
    """The whole page. Everything that came from a file is escaped."""
    return _template().substitute(
        title=escaped(title),
        measured=escaped(
            f"{found.calls:,} calls; measured on {found.size}. Reference: {found.reference}, "
            f"{found.reference_calls:,} calls."
        ),
        banner=_banner(found),
        figures=_figures(found),
        off=_off(found),
        full=f"{_FULL_BAR:g}",
        limit=f"{OFF_FROM:g}",
        style=_style_table(found),
        diversity=_table(_of_group(found, "diversity")),
        rest="".join(
            f"<section><h2>{title}</h2>{_table(rows)}</section>"
            for group, title in _OTHER_GROUPS.items()
            if (rows := _of_group(found, group))
        ),
        measuring=_measuring(found),
        version=escaped(importlib.metadata.version("transcript-intelligence-platform")),
    )


@functools.cache
def _template() -> Template:
    file = importlib.resources.files("tip_assets.quality.metrics") / "page_template.html"
    return Template(file.read_text(encoding="utf-8"))


def _of_group(found: Analysis, group: MetricGroup) -> list[SetMetric]:
    return [metric for metric in found.metrics if metric.group == group]


def _banner(found: Analysis) -> str:
    if found.reference_is_built_in:
        said = (
            "The reference calls are the built-in ones: hand-written, no recordings. A distance to them tells of "
            "style, not of truth. Bring calls of your own with --reference FILE or in config/reference/."
        )
    elif not found.reference_calls:
        said = f"There is no reference to compare with: {found.reference}."
    else:
        return ""
    return f'<p class="banner">{escaped(said)}</p>'


def _figures(found: Analysis) -> str:
    shown = [(humanised(name), found.value(name)) for name in HEADLINES]
    shown.append(("mean style distance", found.style_distance))
    return "".join(
        f"<div><dd>{value:.3g}</dd><dt>{escaped(name)}</dt></div>" for name, value in shown if value is not None
    )


def _off(found: Analysis) -> str:
    if not found.off:
        return '<p class="quiet">Nothing, as far as could be measured.</p>'
    halves = (sentence.partition(": ") for sentence in found.off)
    rows = "".join(f"<li><b>{escaped(what)}</b><small>{escaped(how)}</small></li>" for what, _, how in halves)
    return f'<ol class="off">{rows}</ol>'


def _style_table(found: Analysis) -> str:
    body = "".join(
        f"<tr><th>{escaped(FIGURES[row.name].noun)}</th><td>{_said(row, row.value)}</td>"
        f'<td>{_said(row, row.reference)}</td><td class="strip">{_strip(found.spreads.get(row.name))}</td>'
        f'<td class="distance">{_distance(row)}</td></tr>'
        for row in _of_group(found, "style")
    )
    return _scroll(("figure", "these calls", "reference", "spread over calls", "distance"), body)


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


def _said(row: SetMetric, value: float | None) -> str:
    return "-" if value is None else escaped(FIGURES[row.name].in_words(value))


def _distance(row: SetMetric) -> str:
    if row.distance is None:
        return '<span title="see the details in metrics.csv">not known</span>'
    css_class = "bar loss" if row.distance >= OFF_FROM else "bar"
    return f"{row.distance:.2f}{bar(row.distance / _FULL_BAR, css_class)}"


def _table(rows: Sequence[SetMetric]) -> str:
    body = "".join(
        f"<tr><th>{_name(row)}<small>{escaped(row.goal)}</small></th>{_number(row.value)}{_number(row.reference)}"
        f'{_number(row.distance)}<td class="text">{escaped(row.detail)}</td></tr>'
        for row in rows
    )
    return _scroll(("figure", "value", "reference", "distance", "what it is"), body)


def _name(row: SetMetric) -> str:
    name = humanised(row.name.removesuffix(EQUAL_SIZE))
    return escaped(f"{name}, at equal size" if is_equal_size(row) else name)


def _number(value: float | None) -> str:
    return f"<td>{'-' if value is None else f'{value:.4g}'}</td>"


def _scroll(heads: Iterable[str], body: str) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _measuring(found: Analysis) -> str:
    left_out = [f"{count:,} calls {reason} could not be measured" for reason, count in found.left_out.items()]
    noted = [f"{count:,} calls {reason}" for reason, count in found.notes.items()]
    said = [f"{found.measured:,} calls were measured in {found.seconds:.1f} s", *left_out, *noted]
    return "".join(f'<p class="quiet">{escaped(sentence)}.</p>' for sentence in said)
