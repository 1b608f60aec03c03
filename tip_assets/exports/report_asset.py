"""dataset_report: the page on the whole set, and summary.json for scripts. Comes last, after every export."""

import hashlib
import json
import time
from pathlib import Path

import dagster as dg
import msgspec
import polars as pl
from upath import UPath

from tip_assets.catalogue import EXPORTS
from tip_assets.exports.manifest import MANIFEST_NAME, ExportSummary, ManifestHeader
from tip_assets.exports.pair_texts import PairTexts
from tip_assets.exports.report import render_report
from tip_assets.exports.report_collect import collect_report
from tip_assets.exports.report_cost import recorded_cost
from tip_assets.exports.report_data import DuplicateFindings
from tip_assets.exports.report_pairs import duplicate_findings
from tip_assets.exports.stored_version import PAGE, REPORT_FILES
from tip_assets.exports.summary import summary_of_report
from tip_assets.generation.collect import REJECTS, count_reasons
from tip_assets.partitions import dataset_asset
from tip_assets.planning.assets import the_spec
from tip_assets.planning.plan_sets import read_plans, with_plans
from tip_assets.platform import Platform
from tip_assets.quality.duplicates.removed import DUPLICATES, RemovedCall
from tip_assets.quality.graded_asset import JUDGE_SPENDING
from tip_assets.quality.pii.styles import shown_style
from tip_assets.quality.screening import passing
from tip_assets.steps import recorded_spending
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.reject import Reject
from tip_resources.domain.set_metric import SetMetric
from tip_resources.launch.step_failures import clear_failures
from tip_resources.storage.checksums import ListedFiles
from tip_resources.storage.columns import version_metadata
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import put_object, read_object
from tip_resources.storage.sets import count_rows, read_set


@dataset_asset(
    group_name=EXPORTS,
    kinds={"html"},
    deps=["lex_export", "csv_export", "jsonl_export"],
    check_specs=[
        dg.AssetCheckSpec(
            "exported_as_asked",
            asset="dataset_report",
            description="As many calls left the house as were asked for.",
        )
    ],
)
def dataset_report(
    context: dg.AssetExecutionContext,
    dataset_specs: pl.LazyFrame,
    scenarios: pl.LazyFrame,
    personas: pl.LazyFrame,
    raw_conversations: pl.LazyFrame,
    deduped_conversations: pl.LazyFrame,
    graded_conversations: pl.LazyFrame,
    scrubbed_conversations: pl.LazyFrame,
    dataset_metrics: pl.LazyFrame,
    realism_discriminator: pl.LazyFrame,
    platform: Platform,
) -> dg.MaterializeResult:
    """One page a team lead would forward: what was asked and delivered, the funnel, grades, calls to read."""
    spec, settings, layout = the_spec(dataset_specs), platform.settings(), platform.layout()
    minimum_score = settings.quality.minimum_score
    passed = count_rows(graded_conversations.filter(passing(minimum_score)))
    scratch = layout.scratch(context.run.run_id, "dataset_report")
    losses = count_reasons(platform.open_set(REJECTS, spec.name, scratch))
    _add(losses, "duplicate", count_rows(raw_conversations) - count_rows(deduped_conversations))
    _add(losses, "low_grade", count_rows(graded_conversations) - passed)
    _add(losses, "unscrubbable", passed - count_rows(scrubbed_conversations))
    planned = with_plans(read_set(scrubbed_conversations, Conversation), read_plans(scenarios, personas))
    with clear_failures():
        data = collect_report(
            spec,
            ((conversation, plan.scenario) for conversation, plan in planned),
            losses=losses,
            exports=_exports(layout, spec.name),
            domain_templates=list(platform.library(spec.domain).templates),
            minimum_overall=minimum_score * 5,
            duplicates=_duplicates(platform, spec.name, scratch),
            metrics=[*read_set(dataset_metrics, SetMetric), *read_set(realism_discriminator, SetMetric)],
            cost=recorded_cost(recorded_spending(context), platform.checkpoint(spec.name).usages().values()),
            judging=recorded_cost(recorded_spending(context, "graded_conversations", JUDGE_SPENDING)),
            style=shown_style(settings.exports.redaction_style),
            seconds=_seconds_so_far(context),
            run_id=context.run.run_id,
        )
    folder = layout.exports(spec.name, "report")
    summary = summary_of_report(data, delivered=count_rows(raw_conversations), seconds=_seconds_so_far(context))
    with clear_failures():
        version = _put_report(folder, render_report(data), f"{json.dumps(summary, indent=2)}\n")
    # The last of the set's assets: a run without a daemon (`dg launch`) has no sensor that would note its end.
    platform.requests().set_state(spec.name, "done", run_id=context.run.run_id)
    layout.clear_scratch(context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "path": layout.shown(folder / PAGE),
            **version_metadata(version, f"tip trace {spec.name}"),
            **{key: value for key, value in summary.items() if isinstance(value, int | float | str) and value != ""},
        },
        data_version=dg.DataVersion(version),
        check_results=[
            dg.AssetCheckResult(
                check_name="exported_as_asked",
                passed=data.exported == spec.count,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"asked": spec.count, "exported": data.exported, "lost": dg.MetadataValue.json(losses)},
            )
        ],
    )


def _put_report(folder: UPath, page: str, summary: str) -> str:
    """Stores the report; gives its data version."""
    listed = ListedFiles()
    for name, content in zip(REPORT_FILES, (page.encode(), summary.encode()), strict=True):
        put_object(folder / name, content)
        listed.add(hashlib.sha256(content).hexdigest(), name)
    return listed.sha256


def _duplicates(platform: Platform, dataset: str, scratch: Path) -> DuplicateFindings:
    """Duplicates that were refused while writing, and those removed afterwards."""
    texts = PairTexts(platform.layout(), dataset, scratch)
    rejects, removed = (platform.open_set(name, dataset, scratch) for name in (REJECTS, DUPLICATES))
    return duplicate_findings(
        read_set(rejects, Reject, where=pl.col("reason") == "duplicate"),
        read_set(removed, RemovedCall),
        facts_of=texts.facts_of,
        calls_of=texts.calls,
        style=platform.settings().exports.redaction_style,
    )


def _exports(layout: Layout, dataset: str) -> list[ExportSummary]:
    """What the writers said they did, from the head of each manifest (the list of files is skipped)."""
    summaries = []
    for name in ("lex", "csv", "jsonl"):
        folder = layout.exports(dataset, name)
        head = msgspec.json.decode(read_object(folder / MANIFEST_NAME), type=ManifestHeader)
        totals = head.totals
        summaries.append(
            ExportSummary(
                format=head.format,
                directory=folder,
                files=totals.files,
                conversations=totals.conversations,
                turns=totals.turns,
                bytes=totals.bytes,
                left_out=totals.left_out,
                warnings=head.warnings,
            )
        )
    return summaries


def _add(losses: dict[str, int], reason: str, count: int) -> None:
    if count:
        losses[reason] = losses.get(reason, 0) + count


def _seconds_so_far(context: dg.AssetExecutionContext) -> float:
    record = context.instance.get_run_record_by_id(context.run.run_id)
    return round(time.time() - record.start_time, 2) if record and record.start_time else 0.0
