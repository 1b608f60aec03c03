"""dataset_metrics: how diverse a delivered set is, how like the reference calls, and how it covers its plan.

Figures only: no word of a call, a persona or a fact is in the set or in the metadata. Assets with check specs have no
return annotation: Dagster would read it as the type of every output.
"""

import time
from collections.abc import Mapping

import dagster as dg
import polars as pl

from tip_assets.catalogue import QUALITY
from tip_assets.partitions import dataset_asset
from tip_assets.planning.assets import the_spec
from tip_assets.planning.plan_sets import read_plans
from tip_assets.platform import Platform
from tip_assets.quality.flow.template_rate import template_rate
from tip_assets.quality.metrics.analysis import HEADLINES, Analysis, analyse
from tip_assets.quality.metrics.coverage import counted_coverage, read_coverage
from tip_assets.quality.metrics.pictures import distance_picture
from tip_assets.quality.metrics.sampling import Sampled, sample_of_set
from tip_assets.quality.realism.reference import Reference, reference_or_none
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.set_metric import SetMetric
from tip_resources.launch.step_failures import clear_failures
from tip_resources.storage.sets import write_set

REFERENCE_CHECK = "reference_is_readable"


def reference_check_spec(asset: str) -> dg.AssetCheckSpec:
    """Of an asset that holds a set against the reference calls."""
    return dg.AssetCheckSpec(
        REFERENCE_CHECK,
        asset=asset,
        description="There are reference calls to compare with. Without them no set is lost: figures are left out.",
    )


def reference_check(reference: Reference) -> dg.AssetCheckResult:
    """Warns where the reference calls cannot be read: what is wrong and how to mend it."""
    return dg.AssetCheckResult(
        check_name=REFERENCE_CHECK,
        passed=not reference.trouble,
        severity=dg.AssetCheckSeverity.WARN,
        description=reference.trouble or None,
        metadata={
            "reference": reference.name,
            "reference_calls": len(reference.conversations),
            **({"what_is_wrong": reference.trouble} if reference.trouble else {}),
        },
    )


@dataset_asset(group_name=QUALITY, kinds={"parquet"}, check_specs=[reference_check_spec("dataset_metrics")])
def dataset_metrics(
    context: dg.AssetExecutionContext,
    dataset_specs: pl.LazyFrame,
    scenarios: pl.LazyFrame,
    personas: pl.LazyFrame,
    scrubbed_conversations: pl.LazyFrame,
    platform: Platform,
):
    """Diversity, style beside the reference calls, and coverage of the plan: a row for each figure, with its goal."""
    started, spec = time.perf_counter(), the_spec(dataset_specs)
    sample = sample_of_set(scrubbed_conversations)
    with clear_failures():
        more = [
            *counted_coverage(scenarios, personas, scrubbed_conversations, _wanted_templates(platform, spec)),
            *_read_with_plans(platform, spec, sample, scenarios, personas),
        ]
    reference = reference_or_none(platform.settings(), platform.folder)
    found = analyse(sample, reference, more=more)
    scratch = platform.layout().scratch(context.run.run_id, "dataset_metrics")
    return dg.MaterializeResult(
        value=write_set(found.metrics, SetMetric, scratch),
        metadata={
            **{name: round(value, 4) for name in HEADLINES if (value := found.value(name)) is not None},
            **({} if found.style_distance is None else {"style_distance": round(found.style_distance, 4)}),
            "figures_off": len(found.off),
            "what_is_off": dg.MetadataValue.md("\n".join(f"- {sentence}" for sentence in found.off) or "(nothing)"),
            "distances": dg.MetadataValue.md(distance_picture(found.metrics) or "(nothing to compare)"),
            "reference": f"{found.reference}, {found.reference_calls} calls",
            "measured_on": found.size,
            "left_out": dg.MetadataValue.md(_left_out({**found.left_out, **found.notes})),
            "seconds_measuring": round(time.perf_counter() - started, 2),
            "sample": dg.MetadataValue.md(_table(found)),
        },
        check_results=[reference_check(reference)],
    )


def _wanted_templates(platform: Platform, spec: DatasetSpec) -> tuple[str, ...]:
    """Kinds of call that were asked for: those named in the request, else all of the domain."""
    return spec.scenario_templates or tuple(platform.library(spec.domain).templates)


def _read_with_plans(
    platform: Platform, spec: DatasetSpec, sample: Sampled, scenarios: pl.LazyFrame, personas: pl.LazyFrame
) -> list[SetMetric]:
    """Coverage in the text, and how often calls take the same course; only the plans of the sample are read."""
    wanted = [call.index for call in sample.items if call.index is not None]
    chosen = pl.Series("index", wanted, dtype=pl.Int64).implode()
    of_sample = pl.col("index").is_in(chosen)
    plans = {plan.index: plan for plan in read_plans(scenarios.filter(of_sample), personas.filter(of_sample))}
    planned = [(call, plans[call.index]) for call in sample.items if call.index in plans]
    coverage = read_coverage(planned, platform.library(spec.domain).steps, sample.in_words())
    return [*coverage, *template_rate(planned).metrics()]


def _left_out(reasons: Mapping[str, object]) -> str:
    return "\n".join(f"- {name}: {reason}" for name, reason in reasons.items()) or "(nothing)"


def _table(found: Analysis) -> str:
    """The first rows of the set, for a person."""
    lines = ["| figure | value | reference | distance |", "|---|---:|---:|---:|"]
    for metric in found.metrics:
        values = (metric.value, metric.reference, metric.distance)
        cells = ("" if value is None else f"{value:.4g}" for value in values)
        lines.append(f"| {metric.name} | {' | '.join(cells)} |")
    return "\n".join(lines)
