"""metrics.html: the metrics of a set on one page that needs no network and runs no script."""

import importlib.metadata
from collections.abc import Mapping, Sequence

from tip_assets.exports.report_text import escaped, humanised
from tip_assets.html_page import html_page
from tip_assets.quality.metrics.analysis import HEADLINES, Analysis
from tip_assets.quality.metrics.distances import OFF_FROM
from tip_assets.quality.metrics.style import Spreads
from tip_assets.quality.metrics.tables import FULL_BAR, metric_table
from tip_resources.domain.set_metric import MetricGroup, SetMetric

_OTHER_GROUPS: dict[MetricGroup, str] = {"coverage": "Coverage of the plan", "flow": "Flow"}


def render_page(title: str, found: Analysis) -> str:
    """The whole page. Everything that came from a file is escaped."""
    return html_page(
        "tip_assets.quality.metrics",
        "page_template.html",
        f"{title} - metrics",
        title=escaped(title),
        measured=escaped(
            f"{found.calls:,} calls; measured on {found.size}. Reference: {found.reference}, "
            f"{found.reference_calls:,} calls."
        ),
        banner=_banner(found),
        figures=_figures(found),
        off=_off(found),
        full=f"{FULL_BAR:g}",
        limit=f"{OFF_FROM:g}",
        style=_table(_of_group(found, "style"), found.spreads),
        diversity=_table(_of_group(found, "diversity")),
        rest="".join(
            f"<section><h2>{title}</h2>{_table(rows)}</section>"
            for group, title in _OTHER_GROUPS.items()
            if (rows := _of_group(found, group))
        ),
        measuring=_measuring(found),
        version=escaped(importlib.metadata.version("transcript-intelligence-platform")),
    )


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


def _table(metrics: Sequence[SetMetric], spreads: Mapping[str, Spreads] | None = None) -> str:
    """The manner of speaking has its spreads beside it; what others are is said in a column of its own."""
    drawn = metric_table(metrics, spreads=spreads, has_details=spreads is None)
    return f'<div class="scroll">{drawn}</div>'


def _measuring(found: Analysis) -> str:
    left_out = [f"{count:,} calls {reason} could not be measured" for reason, count in found.left_out.items()]
    noted = [f"{count:,} calls {reason}" for reason, count in found.notes.items()]
    said = [f"{found.measured:,} calls were measured in {found.seconds:.1f} s", *left_out, *noted]
    return "".join(f'<p class="quiet">{escaped(sentence)}.</p>' for sentence in said)
