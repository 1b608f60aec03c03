"""What leaves the house, as assets: Lex, CSV and JSONL exports, and the report on the whole set."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import dagster as dg
import polars as pl

from tip_assets.catalogue import EXPORTS
from tip_assets.columns import COLUMNS
from tip_assets.exports.csv_export import TURNS_FILE, write_csv
from tip_assets.exports.jsonl_export import write_jsonl
from tip_assets.exports.lex import write_lex
from tip_assets.exports.lex_check import check_lex_export
from tip_assets.exports.manifest import MANIFEST_NAME, ExportSummary, file_source
from tip_assets.partitions import dataset_asset
from tip_assets.planning.assets import the_spec
from tip_assets.platform import Platform
from tip_assets.steps import shown_table
from tip_assets.versions import WAY, asset_versions
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.launch.step_failures import clear_failures
from tip_resources.storage.columns import SHOWN_DIGITS, column_metadata, version_metadata
from tip_resources.storage.layout import Layout
from tip_resources.storage.sets import count_rows, read_set

# Calls whose origin an export's page shows, and what of it: as much as fits beside each other.
_SHOWN_ORIGINS = 10
_SAMPLE_CHARACTERS = 1200
# No wider than a page shows: Dagster cuts off what is.
_VERSION_COLUMNS = ("asset", "data version", "checks", "made")
_ORIGIN_COLUMNS = ("call", "model", "machine", "seed", "prompt")
_SHOWN_ID, _SHOWN_MINUTE = 8, slice(5, 16)  # of a UTC time: 01-31T12:00

# The file of a format whose beginning is shown, and the types of columns that are not text.
_SAMPLED = {"lex": "*.json", "csv": TURNS_FILE, "jsonl": "conversations.jsonl"}
_KINDS = {"turn": "int", "turns": "int", "words": "int", "index": "int", "scripted": "bool"}


@dataset_asset(
    group_name=EXPORTS,
    kinds={"aws", "json"},
    check_specs=[
        dg.AssetCheckSpec(
            "lex_export_is_complete",
            asset="lex_export",
            blocking=True,
            description="Every scrubbed call has its file, read back and held against its checksum and the schema.",
        ),
        dg.AssetCheckSpec(
            "enough_turns_for_lex",
            asset="lex_export",
            description="The Lex chatbot designer asks for at least 1,000 turns in all.",
        ),
    ],
)
def lex_export(
    context: dg.AssetExecutionContext,
    dataset_specs: pl.LazyFrame,
    scrubbed_conversations: pl.LazyFrame,
    platform: Platform,
) -> dg.MaterializeResult:
    """Amazon Lex: one Contact Lens 1.1.0 file per call in date folders, redacted, with a manifest."""
    spec, settings = the_spec(dataset_specs), platform.settings().exports
    with clear_failures(), platform.exporting(spec.name, "lex", context.run.run_id) as folder:
        summary = write_lex(
            read_set(scrubbed_conversations, Conversation),
            folder,
            dataset=spec.name,
            style=settings.style_of("lex"),
            key=platform.redaction_key(spec.name),
            minimum_turns=settings.lex_minimum_turns,
            fallback_date=asked_on(spec),
            run_id=context.run.run_id,
        )
        found = check_lex_export(folder, minimum_turns=settings.lex_minimum_turns)
        metadata = _metadata(context, summary, platform.layout(), scrubbed_conversations)
    expected = count_rows(scrubbed_conversations)
    return dg.MaterializeResult(
        metadata=metadata,
        data_version=dg.DataVersion(summary.data_version),
        check_results=[
            dg.AssetCheckResult(
                check_name="lex_export_is_complete",
                passed=found.passed and summary.conversations == expected,
                metadata={
                    "expected": expected,
                    "files": found.files,
                    "bad_files": found.bad_files,
                    "errors": dg.MetadataValue.json(list(found.errors)),
                },
            ),
            dg.AssetCheckResult(
                check_name="enough_turns_for_lex",
                passed=summary.turns >= settings.lex_minimum_turns,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"turns": summary.turns, "minimum": settings.lex_minimum_turns},
            ),
        ],
    )


@dataset_asset(
    group_name=EXPORTS,
    kinds={"csv"},
)
def csv_export(
    context: dg.AssetExecutionContext,
    dataset_specs: pl.LazyFrame,
    scrubbed_conversations: pl.LazyFrame,
    platform: Platform,
) -> dg.MaterializeResult:
    """Tables for people and spreadsheets: a row per turn and a row per call, redacted."""
    return _plain_export(context, the_spec(dataset_specs), scrubbed_conversations, platform, "csv", write_csv)


@dataset_asset(
    group_name=EXPORTS,
    kinds={"json"},
)
def jsonl_export(
    context: dg.AssetExecutionContext,
    dataset_specs: pl.LazyFrame,
    scrubbed_conversations: pl.LazyFrame,
    platform: Platform,
) -> dg.MaterializeResult:
    """tip's own canonical lines, redacted, with the provenance and grade of every call."""
    return _plain_export(context, the_spec(dataset_specs), scrubbed_conversations, platform, "jsonl", write_jsonl)


def asked_on(spec: DatasetSpec) -> date:
    """The UTC day a set was asked for; today for specs that do not say."""
    try:
        return datetime.fromisoformat(spec.created_at).astimezone(UTC).date()
    except ValueError:
        return datetime.now(UTC).date()


def _plain_export(
    context: dg.AssetExecutionContext,
    spec: DatasetSpec,
    scrubbed: pl.LazyFrame,
    platform: Platform,
    name: Literal["csv", "jsonl"],
    write: Callable[..., ExportSummary],
) -> dg.MaterializeResult:
    """One of the formats that need nothing but the calls."""
    with clear_failures(), platform.exporting(spec.name, name, context.run.run_id) as folder:
        summary = write(
            read_set(scrubbed, Conversation),
            folder,
            dataset=spec.name,
            style=platform.settings().exports.style_of(name),
            key=platform.redaction_key(spec.name),
            run_id=context.run.run_id,
        )
        metadata = _metadata(context, summary, platform.layout(), scrubbed)
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(summary.data_version))


def _metadata(
    context: dg.AssetExecutionContext, summary: ExportSummary, layout: Layout, scrubbed: pl.LazyFrame
) -> dict[str, Any]:
    """What the page of an export tells; asked for while the files are still where they were written."""
    columns = COLUMNS[context.asset_key.to_user_string()]
    shown = layout.shown(layout.exports(context.partition_key, summary.format))
    return {
        "path": shown,
        **version_metadata(summary.data_version, f"tip trace {context.partition_key}"),
        "dagster/row_count": summary.conversations,
        "files": summary.files,
        "turns": summary.turns,
        "bytes": summary.bytes,
        "warnings": dg.MetadataValue.md("\n".join(f"- {warning}" for warning in summary.warnings) or "(none)"),
        "origin_of_calls": _origins(scrubbed),
        "origin_of_any_line": f'tip trace "{shown}/FILE" LINE',
        **_made_from(context),
        "sample": _sample(summary),
        **column_metadata({name: _KINDS.get(name, "string") for name in columns}, columns),
    }


def _made_from(context: dg.AssetExecutionContext) -> dict[str, Any]:
    """The assets behind an export as it read them, and the way to the run that wrote the calls."""
    versions = asset_versions(context.instance, WAY, context.partition_key)
    rows = (
        (
            one.asset,
            one.data_version[:SHOWN_DIGITS],
            _in_words(one.checks),
            one.at[_SHOWN_MINUTE].replace("T", " "),
        )
        for one in versions
    )
    written = next((one.run_id for one in versions if one.asset == "raw_conversations"), None)
    return {
        "made_from": shown_table(_VERSION_COLUMNS, rows),
        "calls_written_by": dg.MetadataValue.asset(dg.AssetKey("raw_conversations")),
        **({"calls_written_in_run": dg.MetadataValue.dagster_run(written)} if written else {}),
    }


def _in_words(checks: Mapping[str, bool]) -> str:
    failed = [name for name, passed in checks.items() if not passed]
    return f"FAILED: {', '.join(failed)}" if failed else "passed" if checks else "(none)"


def _sample(summary: ExportSummary) -> dg.MarkdownMetadataValue:
    """How the export's first file begins; what stands there is redacted."""
    files = summary.directory.rglob(_SAMPLED[summary.format])
    file = min((file for file in files if file.name != MANIFEST_NAME), default=None)
    if file is None:
        return dg.MetadataValue.md("(no call)")
    with file.open(encoding="utf-8") as text:
        begin = text.read(_SAMPLE_CHARACTERS)
    return dg.MetadataValue.md(f"{file.name}\n\n```\n{begin}\n```")


def _origins(scrubbed: pl.LazyFrame) -> dg.TableMetadataValue:
    """Who wrote the first calls: what `tip trace` says of any."""
    calls = read_set(scrubbed.head(_SHOWN_ORIGINS), Conversation)
    origins = ((call.id, file_source(call, call.dataset)) for call in calls)
    rows = ((call[:_SHOWN_ID], one.model, one.node, one.seed, one.prompt_hash[:_SHOWN_ID]) for call, one in origins)
    return shown_table(_ORIGIN_COLUMNS, rows)
