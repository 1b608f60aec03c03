"""The comparison as one self-contained page: the table, a bar chart per figure, and what is to be said about it."""

from collections.abc import Iterable

from tip_assets.experiments.comparison_table import FIGURES, Figure, remarks, rows, shown
from tip_assets.experiments.results import Comparison
from tip_assets.experiments.variants import SCRIPTED_WARNING
from tip_assets.exports.report_charts import bar
from tip_assets.exports.report_text import escaped
from tip_assets.html_page import html_page

# The figures worth a picture; the table has them all.
_CHARTED = (
    "overall",
    "realism",
    "first_attempt_share",
    "duplicate_share",
    "tokens_in_per_kept",
    "tokens_out_per_kept",
    "seconds_per_kept",
    "first_token_p95_ms",
    "judge_overall",
)


def comparison_page(comparison: Comparison) -> str:
    """The whole HTML page; no script, nothing from the network."""
    warning = f'<p class="banner">{escaped(SCRIPTED_WARNING)}</p>' if comparison.is_scripted else ""
    spec = comparison.experiment.spec
    asked = (
        f"{spec.count} {spec.domain} calls per variant, {spec.complexity}, seed {spec.seed}; the same plans for all."
    )
    return html_page(
        "tip_assets.experiments",
        "page_template.html",
        comparison.experiment.title,
        title=escaped(comparison.experiment.title),
        warning=warning,
        asked=escaped(asked),
        table=_table(comparison),
        charts="".join(_chart(figure, comparison) for figure in FIGURES if figure.column in _CHARTED),
        remarks=_list(remarks(comparison)),
        system=_list(comparison.system.lines()),
    )


def _table(comparison: Comparison) -> str:
    heads = "".join(f"<th>{escaped(trial.variant.name)}</th>" for trial in comparison.trials)
    body = "".join(
        f"<tr><th>{escaped(label)}</th>{''.join(f'<td>{escaped(cell)}</td>' for cell in cells)}</tr>"
        for label, cells in rows(comparison)
    )
    return f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _chart(figure: Figure, comparison: Comparison) -> str:
    """A bar per variant, the longest filling the width; nothing when no variant has the figure."""
    values = [figure.read(trial.measures) if trial.measures else None for trial in comparison.trials]
    known = [value for value in values if value is not None]
    if not known:
        return ""
    top = max(known) or 1.0
    drawn = "".join(
        f"<li><span>{escaped(trial.variant.name)}</span><b>{escaped(shown(figure, trial.measures))}</b>"
        f"{bar(value / top) if value is not None else ''}</li>"
        for trial, value in zip(comparison.trials, values, strict=True)
    )
    return f'<figure><figcaption>{escaped(figure.label)}</figcaption><ul class="bars">{drawn}</ul></figure>'


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escaped(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else '<p class="quiet">Nothing.</p>'
