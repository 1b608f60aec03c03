"""The versions of the assets behind an export and the checks they passed, as Dagster has recorded them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Literal

import dagster as dg
import msgspec
from msgspec.structs import replace

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
# Everything that is stored of a data set.
STORED = (
    *WAY,
    "dataset_metrics",
    "realism_discriminator",
    "lex_export",
    "csv_export",
    "jsonl_export",
    "dataset_report",
)
# Whether the checks of each asset passed, by asset and name.
Checks = dict[str, dict[str, bool]]
_CODE_VERSION_TAG, _DATA_VERSION_TAG = "dagster/code_version", "dagster/data_version"
# Absent from what an earlier tip made: Dagster's own versions say nothing of the content.
_OF_CONTENT_TAG = "dagster/data_version_is_user_provided"

Stored = Literal["as made", "made again since", "CHANGED since", "gone", "unknown"]


class AssetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One materialization of an asset for a data set. `at` is UTC.

    `is_of_content` says whether the data version is a checksum of what was stored; `stored` how what is stored now
    stands to it: None when nobody looked, "unknown" for a version that is no checksum.
    """

    asset: str
    run_id: str
    at: str
    code_version: str
    data_version: str
    is_of_content: bool
    checks: dict[str, bool] = {}
    stored: Stored | None = None


def asset_versions(
    instance: dg.DagsterInstance, names: Iterable[str], dataset: str, before: float | None = None
) -> list[AssetVersion]:
    """The newest materialization of each asset for a data set, made earlier than `before` (epoch seconds).

    Assets that were never made are left out.
    """
    # Mostly one run made all of them.
    checks_of = cache(partial(_checks, instance))
    found = (_version(instance, name, dataset, before, checks_of) for name in names)
    return [version for version in found if version is not None]


def _version(
    instance: dg.DagsterInstance, name: str, dataset: str, before: float | None, checks_of: Callable[[str], Checks]
) -> AssetVersion | None:
    wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(name), asset_partitions=[dataset], before_timestamp=before)
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
        is_of_content=_OF_CONTENT_TAG in tags,
        checks=checks_of(found[0].run_id).get(name, {}),
    )


def beside_stored(version: AssetVersion, stored: str | None, newest: Callable[[], AssetVersion | None]) -> AssetVersion:
    """The version with how it stands to what is stored now.

    Args:
        version: As an export or a person found it recorded.
        stored: The data version of what is stored, worked out from the files; None when nothing is there.
        newest: What was recorded last of the same asset.
    """
    if not version.is_of_content:
        found: Stored = "unknown"
    elif stored is None:
        found = "gone"
    elif stored == version.data_version:
        found = "as made"
    else:
        last = newest()
        found = "made again since" if last is not None and last.data_version == stored else "CHANGED since"
    return replace(version, stored=found)


def _checks(instance: dg.DagsterInstance, run_id: str) -> Checks:
    """The checks of a run by asset and name, and whether they passed."""
    records = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found: Checks = {}
    for record in records:
        event = record.event_log_entry.dagster_event
        data: Any = event.asset_check_evaluation_data if event else None
        if data is not None:
            found.setdefault(data.asset_key.to_user_string(), {})[data.check_name] = data.passed
    return found


def utc(seconds: float | None) -> str:
    """Epoch seconds as ISO time; empty for None."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else ""
