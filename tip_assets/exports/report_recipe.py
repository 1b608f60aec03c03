"""The report's last sections: how the calls were made, and the files that were delivered."""

from tip_assets.exports.report_data import Cost, Recipe, ReportData
from tip_assets.exports.report_text import calls, duration, escaped, size

_MOST_RECIPES = 12


def recipe_cards(data: ReportData) -> str:
    """One card for each way calls were made."""
    if not data.recipes:
        return '<p class="quiet">The calls of this set carry no provenance.</p>'
    cards = "".join(_card(recipe) for recipe in data.recipes[:_MOST_RECIPES])
    hidden = len(data.recipes) - _MOST_RECIPES
    return cards + (f'<p class="quiet">{hidden:,} rarer ways are in the manifest.</p>' if hidden > 0 else "")


def run_facts(data: ReportData) -> str:
    """What is common to the whole run."""
    rows = [
        ("Run", data.run_id),
        ("Seed", str(data.seed)),
        ("Wall time", duration(data.seconds) if data.seconds is not None else ""),
        ("Tokens read", f"{data.tokens_in:,}" if data.tokens_in is not None else "not reported"),
        ("Tokens written", f"{data.tokens_out:,}" if data.tokens_out is not None else "not reported"),
        ("Cost of writing" if data.judging else "Cost", _cost(data.cost)),
        ("Cost of judging", _cost(data.judging)),
        ("Tokens for judging", f"{data.judging.tokens_in + data.judging.tokens_out:,}" if data.judging else ""),
        ("Machine time", _machine_time(data.cost)),
        ("tip", data.tip_version),
    ]
    return _rows(rows)


def _cost(cost: Cost | None) -> str:
    """Dollars where prices are known; own machines cost nothing but the machine time beside it."""
    if cost is None:
        return ""
    return f"{cost.dollars:,.2f} USD" if cost.dollars is not None else "unknown: a model has no price"


def _machine_time(cost: Cost | None) -> str:
    return "" if cost is None or cost.machine_seconds is None else duration(cost.machine_seconds)


def export_table(data: ReportData) -> str:
    """The files delivered; the whole section is left out when there are none."""
    if not data.exports:
        return ""
    body = "".join(
        f"<tr><th>{escaped(export.format)}</th><td>{export.files:,}</td><td>{export.conversations:,}</td>"
        f"<td>{export.turns:,}</td><td>{size(export.bytes)}</td></tr>"
        for export in data.exports
    )
    return (
        "<section><h2>Delivered files</h2><table><thead><tr><th>format</th><td>files</td><td>calls</td>"
        f"<td>turns</td><td>size</td></tr></thead><tbody>{body}</tbody></table>"
        '<p class="quiet">Each export holds a manifest with the checksum of every file and the way back '
        "to the model call it came from.</p></section>"
    )


def _card(recipe: Recipe) -> str:
    maker = "scripted server" if recipe.scripted else "language model"
    rows = [
        ("Endpoint", recipe.endpoint),
        ("Machine", recipe.node),
        ("Tier", recipe.tier),
        ("Prompt", recipe.prompt_template),
        ("Prompt hash", recipe.prompt_hash),
        ("Parameters", recipe.parameters),
        ("Written with tip", recipe.tip_version),
    ]
    return (
        f"<article><h3>{escaped(recipe.model)}<small>{maker}, {calls(recipe.calls)}</small></h3>"
        f"<dl>{_rows(rows)}</dl></article>"
    )


def _rows(rows: list[tuple[str, str]]) -> str:
    return "".join(f"<div><dt>{escaped(name)}</dt><dd>{escaped(value)}</dd></div>" for name, value in rows if value)
