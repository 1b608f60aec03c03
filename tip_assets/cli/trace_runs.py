"""What Dagster knows of the run that made an export: the asset versions behind it and the checks they passed."""

import dagster as dg
import msgspec

from tip_assets.versions import WAY, AssetVersion, asset_versions, utc


class ExportRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run that made an export. `status` is None when Dagster has no record of it (any more)."""

    run_id: str
    status: str | None = None
    started_at: str = ""
    ended_at: str = ""
    tags: dict[str, str] = {}
    assets: tuple[AssetVersion, ...] = ()


def export_run(instance: dg.DagsterInstance, run_id: str, dataset: str, export_format: str | None) -> ExportRun:
    """The run `run_id`, and the version of every asset that its export was made from.

    Assets that the run did not make itself are those made last before the run ended.
    """
    record = instance.get_run_record_by_id(run_id)
    if record is None:
        return ExportRun(run_id=run_id)
    names = (*WAY, f"{export_format}_export") if export_format else WAY
    return ExportRun(
        run_id=run_id,
        status=record.dagster_run.status.value,
        started_at=utc(record.start_time),
        ended_at=utc(record.end_time),
        tags={key: value for key, value in record.dagster_run.tags.items() if key.startswith("tip/")},
        assets=tuple(asset_versions(instance, names, dataset, record.end_time)),
    )
