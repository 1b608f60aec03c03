"""`python -m tip_resources.launch.daemon`: dagster-daemon, which looks at the sensors every second.

Dagster's own looks every 5 s, and that is a constant in its code; and when the clock is set back, its daemons wait
until the clock is where it was. Else they keep their rhythm, which dagster.yaml sets.
"""

import argparse
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tip_resources.domain.failures import PermanentFailure
from tip_resources.home import project_home
from tip_resources.launch.service_process import end_with_supervisor, wait_until_serving

if TYPE_CHECKING:
    from dagster import DagsterInstance
    from dagster._core.scheduler.instigation import InstigatorState
    from dagster._daemon.controller import DagsterDaemonController

SENSOR_LOOP_SECONDS = 1
_CODE_SERVER_SECONDS = 180.0
_LOOK_AT_CLOCK_SECONDS = 1.0
# Back by less delays a tick by as much; a time server moves the clock in smaller steps.
_SET_BACK_SECONDS = 3.0
_CLOCK_SET_BACK_EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again


def look_at_sensors_every(seconds: float) -> None:
    """Sets how often the sensor daemon looks which sensors are due.

    Raises:
        AttributeError: Dagster has renamed the constant; this module is pinned to one version of Dagster.
    """
    from dagster._daemon import sensor

    if not hasattr(sensor, "MIN_INTERVAL_LOOP_TIME"):
        raise AttributeError("dagster._daemon.sensor has no MIN_INTERVAL_LOOP_TIME any more")
    sensor.MIN_INTERVAL_LOOP_TIME = seconds


def tick_when_the_clock_was_set_back() -> None:
    """From now on a sensor whose last tick lies in the future is due; Dagster would wait until the clock is there.

    Raises:
        AttributeError: Dagster has renamed the function; this module is pinned to one version of Dagster.
    """
    from dagster._daemon import sensor

    of_dagster = sensor.get_elapsed

    def get_elapsed(state: "InstigatorState") -> float | None:
        """Seconds since the last tick; None, as for a sensor that has never ticked, when it is still to come."""
        elapsed = of_dagster(state)
        return None if elapsed is not None and elapsed < 0 else elapsed

    sensor.get_elapsed = get_elapsed


def end_when_the_clock_is_set_back(end: Callable[[], None] = lambda: os._exit(_CLOCK_SET_BACK_EXIT_CODE)) -> None:
    """From now on the process ends, to be started again, when the clock jumps back: Dagster's loops would wait until
    the clock is where it was. Nothing is lost by it: a daemon may be killed at any time.
    """

    def watch() -> None:
        ahead = time.time() - time.monotonic()
        while (now := time.time() - time.monotonic()) > ahead - _SET_BACK_SECONDS:
            ahead = now
            time.sleep(_LOOK_AT_CLOCK_SECONDS)
        logging.getLogger("tip").warning("The clock was set back by %.0f s; the daemon starts anew.", ahead - now)
        end()

    threading.Thread(target=watch, name="clock", daemon=True).start()


def check_locations(daemon: "DagsterDaemonController", ports: Sequence[int]) -> None:
    """Refuses to run without the definitions: the daemon would only warn, and nothing would ever happen.

    Args:
        daemon: With its workspace loaded.
        ports: Of the code servers that have to be right. Others may be away for a while.

    Raises:
        PermanentFailure: A code server answers, but its definitions cannot be used.
    """
    context = daemon._workspace_process_context.create_request_context()
    for entry in context.get_code_location_entries().values():
        if entry.load_error and getattr(entry.origin, "port", None) in ports:
            what = entry.load_error.message.strip() or entry.load_error.cls_name
            raise PermanentFailure(f"the definitions of {entry.origin.location_name} cannot be used: {what}")


def take_over_runs(instance: "DagsterInstance") -> None:
    """Lets our launcher see to the runs that were cut short. Kubernetes keeps its own jobs."""
    if take_over := getattr(instance.run_launcher, "take_over_runs", None):
        take_over()


def main() -> None:
    """Runs until interrupted."""
    options = _options()
    if options.supervised:
        end_with_supervisor()
    # Imported before the wait: both the code server and this take seconds to load, at the same time.
    from dagster._cli.utils import get_instance_for_cli
    from dagster._core.workspace.load_target import WorkspaceFileTarget
    from dagster._daemon.controller import daemon_controller_from_instance
    from dagster._utils.interrupts import capture_interrupts, setup_interrupt_handlers

    look_at_sensors_every(SENSOR_LOOP_SECONDS)
    tick_when_the_clock_was_set_back()
    end_when_the_clock_is_set_back()
    setup_interrupt_handlers()
    try:
        with get_instance_for_cli() as instance:
            take_over_runs(instance)
            wait_until_serving(options.wait_for_port, _CODE_SERVER_SECONDS)
            target = WorkspaceFileTarget([str(options.workspace)])
            with capture_interrupts(), daemon_controller_from_instance(instance, target) as daemon:
                # A line for every tick of every sensor is 300,000 a day; the web UI shows the ticks.
                logging.getLogger("dagster.daemon.SensorDaemon").setLevel(logging.WARNING)
                check_locations(daemon, options.wait_for_port)
                if options.ready_file:
                    options.ready_file.touch()
                logging.getLogger("tip").info("The daemon is ready.")
                daemon.check_daemon_loop()
    except KeyboardInterrupt:
        return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tip_resources.launch.daemon", description=__doc__)
    parser.add_argument("--workspace", type=Path, default=None, help="Workspace file; the project's when absent.")
    parser.add_argument("--wait-for-port", type=int, action="append", default=[], help="A code server to wait for.")
    parser.add_argument("--ready-file", type=Path, help="Made when the daemon runs.")
    parser.add_argument("--supervised", action="store_true", help="Stop when stdin closes.")
    options = parser.parse_args()
    options.workspace = options.workspace or project_home() / "workspace.yaml"
    return options


if __name__ == "__main__":
    main()
