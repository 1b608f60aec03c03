"""How long a step takes from the start of its process to its first line, and what is held ready for it.

A real step (Dagster's own execution, the storage in PostgreSQL, the definitions of tip_assets loaded) is started by
each method, one after the other; the step's first line is the clock reading its body writes. For the pool, the next
step comes when a spare is ready, as in a run whose steps are longer than the loading of an interpreter (3 s).
Memory is what belongs to the waiting process alone (USS).

    python -m benchmarks.fleet.start_methods              5 steps for each method, about a minute when idle
    python -m benchmarks.fleet.start_methods --steps 3
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import dagster as dg
import psutil
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.retries import RetryMode
from dagster._grpc.types import ExecuteStepArgs
from dagster._serdes import serialize_value

from benchmarks.fleet.one_step import FIRST_LINE, one_step
from tip_resources.database import embedded
from tip_resources.database.connection import close
from tip_resources.home import HOME_VARIABLE, state_folder
from tip_resources.launch.orders import Orders
from tip_resources.launch.spare_pool import the_pool
from tip_resources.launch.step_process import StartMethod, prepare, start_step

ROOT = Path(__file__).parents[2]
MODULES = ["tip_assets.definitions", "benchmarks.fleet.one_step"]
LOADING_SECONDS = 60.0
MIB = 1024**2
QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


@contextmanager
def instance() -> Iterator[dg.DagsterInstance]:
    """A project folder of its own with our dagster.yaml and a database."""
    home = Path(tempfile.mkdtemp(prefix="tip-start-")).resolve()
    home.chmod(0o755)
    shutil.copy(ROOT / "dagster.yaml", home)
    os.environ.update({HOME_VARIABLE: str(home), "DAGSTER_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"})
    try:
        with dg.DagsterInstance.get() as found:
            yield found
    finally:
        close(home)
        embedded.stop(home)
        shutil.rmtree(home)


def orders_for_a_step(found: dg.DagsterInstance) -> Orders:
    """A run of the job above, and what a step process needs to work on its only step."""
    job = dg.reconstructable(one_step)
    origin: Any = job.get_python_origin()
    run = found.create_run_for_job(one_step, job_code_origin=origin, run_config=QUIET)
    args = ExecuteStepArgs(
        job_origin=origin,
        run_id=run.run_id,
        step_keys_to_execute=["say_when"],
        instance_ref=found.get_ref(),
        retry_mode=RetryMode.DEFERRED,
        known_state=KnownExecutionState(),
        should_verify_step=False,
        print_serialized_events=False,
    )
    return Orders("execute_step", serialize_value(args))


def seconds_to_first_line(method: StartMethod, found: dg.DagsterInstance, folder: Path) -> float:
    """One step, from the start of its process to the first line of its body."""
    orders = orders_for_a_step(found)
    line = folder / "first-line"
    line.unlink(missing_ok=True)
    began = time.monotonic_ns()
    process = start_step(method, {FIRST_LINE: str(line)}, folder)
    process.give_orders(orders)
    while (how := process.how_ended()) is None:
        time.sleep(0.01)
    if not line.exists():
        raise RuntimeError(f"the step did not begin: {how}")
    return (int(line.read_text()) - began) / 1e9


def wait_until_loaded(pids: list[int]) -> None:
    """Returns when the processes have stopped using the processor: they have loaded and wait."""
    before, deadline = -1.0, time.monotonic() + LOADING_SECONDS
    while time.monotonic() < deadline:
        times = [psutil.Process(pid).cpu_times() for pid in pids]
        used = sum(each.user + each.system for each in times)
        if used == before:
            return
        before = used
        time.sleep(1)
    raise RuntimeError(f"processes {pids} still load after {LOADING_SECONDS:.0f} s")


def held_ready(method: StartMethod, folder: Path) -> list[int]:
    """The processes that wait for steps."""
    if method == "pool":
        return the_pool(folder).waiting()
    if method == "forkserver":
        return [child.pid for child in psutil.Process().children() if "forkserver" in " ".join(child.cmdline())]
    return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=5)
    steps = parser.parse_args().steps
    with instance() as found:
        folder = state_folder()
        print(f"{'method':<12}{'median s':>9}{'slowest s':>11}{'held ready':>12}{'MiB each':>10}")
        for method in get_args(StartMethod):
            prepare(method, folder, MODULES, str(ROOT))
            taken = []
            for _ in range(steps):
                time.sleep(1.5)  # the pool's keeper refills once a second
                wait_until_loaded(held_ready(method, folder))
                taken.append(seconds_to_first_line(method, found, folder))
            time.sleep(1.5)
            waiting = held_ready(method, folder)
            wait_until_loaded(waiting)
            memory = [psutil.Process(pid).memory_full_info().uss / MIB for pid in waiting]
            each = f"{statistics.mean(memory):.0f}" if memory else "-"
            print(f"{method:<12}{statistics.median(taken):>9.2f}{max(taken):>11.2f}{len(waiting):>12}{each:>10}")
        the_pool(folder).close()


if __name__ == "__main__":
    main()
