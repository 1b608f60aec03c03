"""What a fork server or a spare loads before there is a step, so that it starts at once: Dagster and the definitions.

Importing this module does the loading. Nothing loaded here may open a database connection or start a
thread: both would be broken in forked children. Imported by fork servers and spares (spare_pool.py) only.
"""

import importlib
import os
import sys

from tip_resources.launch.fork_server import WARM_FOLDER_VARIABLE, WARM_MODULES_VARIABLE

# What Dagster loads lazily in every step, and what dagster.yaml names: found by comparing sys.modules before and
# after a step. Without them a step takes 0.2 s longer.
_MODULES = (
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.instance.factory",
    "dagster._core.op_concurrency_limits_counter",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.system_config.composite_descent",
    "dagster._core.utility_ops",
    "dagster._core.workspace.autodiscovery",
    "dagster._utils.test.definitions",
    "psycopg2.extras",
    "tip_resources.database.dagster_storage",
    "tip_resources.database.instance_folders",
    "tip_resources.launch.local_launcher",
    "tip_resources.launch.run_launcher",
    "tip_resources.launch.run_work",
    "tip_resources.settings.live",
    "upath.implementations.local",
)


def warm_up() -> None:
    """Imports Dagster's modules and those named in $TIP_WARM_MODULES, separated by commas.

    A module that fails is reported on stderr and left to the steps, where the error belongs to a run.
    """
    if folder := os.environ.get(WARM_FOLDER_VARIABLE):
        sys.path.append(folder)
    named = os.environ.get(WARM_MODULES_VARIABLE, "").split(",")
    for module in (*_MODULES, *filter(None, named)):
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - a user's module may raise anything
            sys.stderr.write(f"warm: {module} was not loaded: {error!r}\n")


warm_up()
