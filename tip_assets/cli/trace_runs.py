"""What Dagster knows of the run that made an export: the asset versions behind it and the checks they passed."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import dagster as dg
import msgspec

from tip_assets.versions import AssetVersion, asset_versions, beside_stored, utc

# The data version of what an asset has stored now; None when nothing is there.
StoredVersion: TypeAlias = Callable[[str], str | None]


class ExportRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run that made an export. `status` is None when Dagster has no record of it (any more)."""

    run_id: str
    status: str | None = None
    started_at: str = ""
    ended_at: str = ""
    tags: dict[str, str] = {}
    assets: tuple[AssetVersion, ...] = ()


def export_run(
    instance: dg.DagsterInstance, run_id: str, dataset: str, assets: Iterable[str], stored: StoredVersion
) -> ExportRun:
    """The run `run_id`, and the version of each of the assets as it left them, beside what is stored now.

    Assets that the run did not make itself are those made last before the run ended.
    """
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return ExportRun(run_id=run_id)

    def newest(asset: str) -> AssetVersion | None:
        return next(iter(asset_versions(instance, [asset], dataset)), None)

    versions = asset_versions(instance, assets, dataset, record.end_time)
    return ExportRun(
        run_id=run_id,
        status=record.dagster_run.status.value,
        started_at=utc(record.start_time),
        ended_at=utc(record.end_time),
        tags={key: value for key, value in record.dagster_run.tags.items() if key.startswith("tip/")},
        assets=tuple(beside_stored(one, stored(one.asset), lambda one=one: newest(one.asset)) for one in versions),
    )
