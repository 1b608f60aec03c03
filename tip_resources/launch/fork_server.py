"""Starts the process from which warm steps are forked. It takes seconds to load, so it is started early.

What it loads is in warm.py. There is none on Windows, which cannot fork: there spares wait (spare_pool.py).
"""

import multiprocessing
import os
import sys
from collections.abc import Iterable

HAS_FORK_SERVER = sys.platform != "win32"
WARM_MODULES_VARIABLE = "TIP_WARM_MODULES"
WARM_FOLDER_VARIABLE = "TIP_WARM_FOLDER"
_WARM_MODULE = "tip_resources.launch.warm"


def start_fork_server(modules: Iterable[str], folder: str | None = None) -> None:
    """Starts this process's fork server in the background; nothing happens when it runs or cannot be had.

    Args:
        modules: Where the definitions are; loaded besides Dagster.
        folder: Where Python finds them, when it would not by itself.
    """
    if not HAS_FORK_SERVER:
        return
    from multiprocessing import forkserver

    os.environ.update(warm_environment(modules, folder))
    multiprocessing.set_forkserver_preload([_WARM_MODULE])
    forkserver.ensure_running()


def warm_environment(modules: Iterable[str], folder: str | None) -> dict[str, str]:
    """What tells warm.py what to load."""
    environment = {WARM_MODULES_VARIABLE: ",".join(modules)}
    if folder:
        environment[WARM_FOLDER_VARIABLE] = folder
    return environment
