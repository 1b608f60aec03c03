"""summary.json: the figures of one run that a script or a person wants first."""

from collections.abc import Sequence
from typing import Any

from tip_assets.exports.report_data import ReportData


def build_summary(
    *,
    dataset: str,
    run_id: str,
    requested: int,
    delivered: int,
    rejected: int,
    duplicates_removed: int,
    passed: int,
    exported: int,
    turns: int,
    seconds: float,
    model: str,
    endpoint: str,
    scripted: bool,
    tokens_in: int | None = None,
    tokens_out: int | None = None,
    median_overall: float | None = None,
    personal_data_replaced: int | None = None,
    told_apart: float | None = None,
    cost_dollars: float | None = None,
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """The summary as plain values.

    Args:
        dataset: Name of the set.
        run_id: Dagster run.
        requested: Calls asked for.
        delivered: Calls the set holds after all replacement rounds.
        rejected: Answers that could not be used, replaced ones included.
        duplicates_removed: Those of the rejected that repeated another call.
        passed: Calls that reached the wanted grade and could be scrubbed.
        exported: Calls in the Lex export.
        turns: Turns in it.
        seconds: Wall time of the run.
        model: Model that wrote the calls; several are joined by ", ".
        endpoint: Where it ran, likewise.
        scripted: Whether the rehearsal server wrote any of them.
        tokens_in: Prompt tokens; None when no server told.
        tokens_out: Answer tokens, likewise.
        median_overall: Median of the overall grades, 0-5; None for a set without grades.
        personal_data_replaced: Places of personal data in the exported calls.
        told_apart: How often a classifier tells the calls from the reference, 0.5-1; None where it was not measured.
        cost_dollars: What writing the set cost; None where that is not known.
        warnings: In words.
    """
    return {
        "dataset": dataset,
        "run_id": run_id,
        "requested": requested,
        "delivered": delivered,
        "rejected": rejected,
        "duplicates_removed": duplicates_removed,
        "passed": passed,
        "exported": exported,
        "turns": turns,
        "seconds": round(seconds, 2),
        "model": model,
        "endpoint": endpoint,
        "scripted": scripted,
        "tokens_in": tokens_in,
        "tokens_out": tokens_out,
        "median_overall": median_overall,
        "personal_data_replaced": personal_data_replaced,
        "told_apart": told_apart,
        "cost_dollars": cost_dollars,
        "warnings": list(warnings),
    }


def summary_of_report(data: ReportData, *, delivered: int, seconds: float) -> dict[str, Any]:
    """The summary of the run a report tells of; both then say the same. `delivered` is what the raw set holds."""
    reached = {step.name: step.count for step in data.funnel}
    losses = {count.name: count.count for count in data.rejects}
    return build_summary(
        dataset=data.dataset,
        run_id=data.run_id,
        requested=data.asked,
        delivered=delivered,
        rejected=sum(losses.values()),
        duplicates_removed=losses.get("duplicate", 0),
        passed=reached["passed"],
        exported=data.exported,
        turns=data.turns_total,
        seconds=seconds,
        model=", ".join(dict.fromkeys(recipe.model for recipe in data.recipes)),
        endpoint=", ".join(dict.fromkeys(recipe.endpoint for recipe in data.recipes)),
        scripted=data.scripted_calls > 0,
        tokens_in=data.tokens_in,
        tokens_out=data.tokens_out,
        median_overall=data.grades[-1].median if data.grades else None,
        personal_data_replaced=sum(count.count for count in data.personal_data),
        told_apart=next((one.value for one in data.metrics if one.group == "discriminator"), None),
        cost_dollars=data.cost.dollars if data.cost else None,
        warnings=data.warnings,
    )
