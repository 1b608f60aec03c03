"""How like real calls a set is, and the rounds of feedback that are to bring recipes nearer, as assets.

Assets with check specs have no return annotation: Dagster would read it as the type of every output.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import dagster as dg
import msgspec
import polars as pl
from pydantic import Field

from tip_assets.catalogue import CODE_VERSION, OWNERS, QUALITY, RUN_POOL
from tip_assets.partitions import RECIPE_PARTITIONS, dataset_asset, recipes
from tip_assets.platform import Platform
from tip_assets.quality.metrics.sampling import sample_of_calls
from tip_assets.quality.metrics_asset import reference_check, reference_check_spec
from tip_assets.quality.realism.curve import CurvePoint, conclusion, curve_markdown, curve_points
from tip_assets.quality.realism.discriminator import MOST_CALLS, Verdict, discriminate
from tip_assets.quality.realism.reference import Reference, reference_calls, reference_or_none
from tip_assets.quality.realism.rounds import Rounds, run_round
from tip_assets.quality.realism.set_metrics import metric_rows, telling_plot, telling_table
from tip_resources.domain.codec import from_builtins
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput
from tip_resources.domain.set_metric import SetMetric
from tip_resources.launch.step_failures import clear_failures
from tip_resources.storage.sets import count_rows, read_set, write_set

_MARKED = "hand-written by the makers of tip: no recordings, so a figure held against it tells of style, not of truth"


@dataset_asset(
    group_name=QUALITY,
    kinds={"parquet", "scikitlearn"},
    check_specs=[reference_check_spec("realism_discriminator")],
)
def realism_discriminator(context: dg.AssetExecutionContext, scrubbed_conversations: pl.LazyFrame, platform: Platform):
    """How well a trained discriminator tells this set's calls from reference calls, and what gives them away."""
    reference = reference_or_none(platform.settings(), platform.folder)
    if reference.trouble:
        verdict = Verdict(calls=0, reason=f"there are no reference calls: {reference.trouble}")
    else:
        verdict = discriminate(_some(scrubbed_conversations), reference.conversations)
    scratch = platform.layout().scratch(context.run.run_id, "realism_discriminator")
    return dg.MaterializeResult(
        value=write_set(metric_rows(verdict, reference), SetMetric, scratch),
        metadata=_metadata(verdict, reference),
        check_results=[reference_check(reference)],
    )


class RoundConfig(dg.Config):
    """What a round of feedback writes. Every round of a recipe has to be given the same."""

    dataset: str = Field(default="", description="Data set whose specification is used; empty takes `spec` alone.")
    spec: dict[str, Any] = Field(
        default_factory=dict,
        description="Fields of a specification as in requests/, for example domain, emotional_tone, seed, model.",
    )
    calls: int = Field(default=40, ge=1, description="Calls a sample; a round writes up to six samples.")
    rehearsal: bool = Field(default=False, description="Use the scripted server: proves only the plumbing.")


@dg.asset(
    partitions_def=recipes,
    group_name=QUALITY,
    owners=OWNERS,
    code_version=CODE_VERSION,
    kinds={"parquet", "openai"},
    pool=RUN_POOL,
)
def feedback_rounds(context: dg.AssetExecutionContext, config: RoundConfig, platform: Platform) -> dg.MaterializeResult:
    """One more round of feedback for a recipe: write, tell apart, try changes, keep what helps. Shows the curve."""
    name = context.partition_key
    with clear_failures():
        spec = _round_spec(config, platform)
        reference = reference_calls(platform.settings(), platform.folder)
        rounds = Rounds(name, platform.folder)
        context.instance.add_dynamic_partitions(RECIPE_PARTITIONS, [name])
        library = platform.library(spec.domain)
        outcome = run_round(
            rounds,
            spec,
            library=library,
            sampler=rounds.sampler(
                library,
                platform.settings,
                on_notice=context.log.info,
                fleet=platform.fleet_servers,
            ),
            reference=reference,
            on_step=context.log.info,
        )
        outcomes = rounds.outcomes()
    points = curve_points(outcomes)
    scratch = platform.layout().scratch(context.run.run_id, "feedback_rounds")
    return dg.MaterializeResult(
        value=write_set(points, CurvePoint, scratch),
        metadata={
            "curve": dg.MetadataValue.md(curve_markdown(outcomes)),
            "shown": conclusion(points),
            "round": outcome.number,
            "changes_kept": _names(tried.name for tried in outcome.tried if tried.is_kept),
            "changes_dropped": _names(tried.name for tried in outcome.tried if not tried.is_kept),
            "recipe": dg.MetadataValue.json(msgspec.to_builtins(outcome.recipe_after)),
            "scripted": outcome.is_scripted,
            **_metadata(outcome.after.verdict, reference),
        },
    )


def _names(changes: Iterable[str]) -> str:
    return ", ".join(changes) or "(none)"


def _some(frame: pl.LazyFrame) -> Sequence[Conversation]:
    """The set's calls, or as many as the discriminator can use, spread over it."""
    every = max(1, count_rows(frame) // MOST_CALLS)
    spread = read_set(frame.with_row_index("row"), Conversation, where=pl.col("row") % every == 0)
    some = islice(spread, MOST_CALLS)
    return sample_of_calls(some).items


def _round_spec(config: RoundConfig, platform: Platform) -> DatasetSpec:
    fields: dict[str, Any] = {"name": "improve", "domain": "healthcare", "requested_by": "improve"}
    if config.dataset:
        row = platform.requests().get(config.dataset)
        if row is None:
            raise BadInput(f"there is no data set {config.dataset!r}.", mend="`tip list` names them.")
        fields |= msgspec.to_builtins(row.spec)
    fields |= {**config.spec, "count": config.calls, "batch_api": False}
    spec = from_builtins(fields, DatasetSpec, where="spec")
    return msgspec.structs.replace(spec, rehearsal=spec.rehearsal or config.rehearsal)


def _metadata(verdict: Verdict, reference: Reference) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "accuracy": verdict.accuracy,
        "accuracy_low": verdict.low,
        "accuracy_high": verdict.high,
        "auc": verdict.auc,
        "style_distance": verdict.style_distance,
    }
    return {
        **{name: round(value, 4) for name, value in figures.items() if value is not None},
        "calls_per_side": verdict.calls,
        "reference": reference.name,
        "reference_is": _MARKED if reference.is_built_in else "imported by the user",
        "reference_calls": len(reference.conversations),
        "reference_left_out": reference.left_out,
        "not_measured": verdict.reason or "(nothing)",
        "telling": dg.MetadataValue.md(telling_table(verdict)),
        "plot": dg.MetadataValue.md(telling_plot(verdict)),
    }
