"""The versions of the assets behind an export and the checks they passed, as Dagster has recorded them."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import msgspec

# The way of a call, as the definitions have it; feedback and metrics are no part of it.
WAY = (
    "dataset_specs",
    "scenarios",
    "personas",
    "raw_conversations",
    "deduped_conversations",
    "graded_conversations",
    "scrubbed_conversations",
)
_CODE_VERSION_TAG, _DATA_VERSION_TAG = "dagster/code_version", "dagster/data_version"


class AssetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of the way as the export read it. `at` is UTC."""

    asset: str
    run_id: str
    at: str
    code_version: str
    data_version: str
    checks: dict[str, bool] = {}


def asset_version(instance: dg.DagsterInstance, name: str, dataset: str, before: float | None) -> AssetVersion | None:
    """The newest materialization of the asset for a data set, made no later than `before` (epoch seconds)."""
    wanted = dg.AssetRecordsFilter(
        asset_key=dg.AssetKey(name), asset_partitions=[dataset], before_timestamp=before + 1 if before else None
    )
    found = instance.fetch_materializations(wanted, limit=1).records
    event = found[0].asset_materialization if found else None
    if event is None:
        return None
    tags = event.tags or {}
    return AssetVersion(
        asset=name,
        run_id=found[0].run_id,
        at=utc(found[0].timestamp),
        code_version=tags.get(_CODE_VERSION_TAG, ""),
        data_version=tags.get(_DATA_VERSION_TAG, ""),
        checks=_checks(instance, found[0].run_id, name),
    )


def _checks(instance: dg.DagsterInstance, run_id: str, asset: str) -> dict[str, bool]:
    """Names of the checks of `asset` in that run, and whether they passed."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found: dict[str, bool] = {}
    for record in records:
        event = record.event_log_entry.dagster_event
        data: Any = event.asset_check_evaluation_data if event else None
        if data is not None and data.asset_key == dg.AssetKey(asset):
            found[data.check_name] = data.passed
    return found


def utc(seconds: float | None) -> str:
    """Epoch seconds as ISO time; empty for None."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else ""
