"""The composition root: everything Dagster knows of tip is put together here, with room for overrides."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import dagster as dg

from node_agent.identity import node_name
from sensors.dataset_requests import dataset_requests_sensor
from sensors.fleet_gate import fleet_gate_sensor
from sensors.fleet_nodes import drained_nodes_sensor, node_states_sensor
from sensors.found_nodes import found_nodes_sensor
from sensors.request_files import request_files_sensor
from sensors.run_outcomes import run_outcome_sensors
from sensors.upkeep import upkeep_sensor
from tip_assets.columns import COLUMNS
from tip_assets.experiments.jobs import EXPERIMENT_JOBS
from tip_assets.exports import assets as export_assets
from tip_assets.exports import report_asset
from tip_assets.fleet.assets import fleet_specs
from tip_assets.generation import assets as generation_assets
from tip_assets.jobs import improve_round, make_dataset
from tip_assets.planning import assets as planning_assets
from tip_assets.platform import Platform
from tip_assets.quality import assets as quality_assets
from tip_assets.quality import graded_asset, metrics_asset, realism_assets
from tip_resources.fleet.noted_names import noted_names
from tip_resources.home import project_home, state_folder
from tip_resources.launch.executor import node_executor
from tip_resources.storage.io_manager import ParquetSetIOManager

FLEET_SENSORS = [fleet_gate_sensor, node_states_sensor, drained_nodes_sensor, found_nodes_sensor]
ASSET_MODULES = [
    planning_assets,
    generation_assets,
    quality_assets,
    graded_asset,
    metrics_asset,
    realism_assets,
    export_assets,
    report_asset,
]


@dg.io_manager(required_resource_keys={"platform"})  # pyright: ignore[reportArgumentType] - it takes generators too
def parquet_sets(context: dg.InitResourceContext) -> Iterator[ParquetSetIOManager]:
    """Sets as Parquet under the storage root of the settings."""
    platform: Platform = context.resources.platform
    with closing(ParquetSetIOManager(platform.layout(), COLUMNS)) as sets:
        yield sets


@dg.io_manager(required_resource_keys={"platform"})
def run_scoped(context: dg.InitResourceContext) -> dg.IOManager:
    """Values between the ops of a graph asset: by run, beside the sets, pickled."""
    platform: Platform = context.resources.platform
    return dg.FilesystemIOManager(base_dir=str(state_folder(platform.folder) / "between_ops")).create_io_manager(
        context
    )


def _machines() -> tuple[str, ...]:
    """This machine, and those of the fleet as far as they are noted in a file: no database is asked at import."""
    return (node_name(), *noted_names(project_home()))


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions; `resources` replaces resources by name (tests give another home)."""
    return dg.Definitions(
        assets=[*dg.load_assets_from_modules(ASSET_MODULES), *fleet_specs(_machines())],
        jobs=[make_dataset, improve_round, *EXPERIMENT_JOBS],
        sensors=[
            request_files_sensor,
            dataset_requests_sensor,
            *run_outcome_sensors,
            *FLEET_SENSORS,
            upkeep_sensor,
        ],
        executor=node_executor,
        resources={
            "platform": Platform(),
            "io_manager": parquet_sets,
            "run_scoped_io_manager": run_scoped,
            **(resources or {}),
        },
    )


defs = build_definitions()
