"""What a step costs besides its work, by executor: `python -m benchmarks.fleet.step_overhead 2>/dev/null`.

Ten steps in a chain and twenty mapped ones, which do nothing, on an instance with its own embedded PostgreSQL. The
first run of each executor, in which fork servers load, is not counted. Two steps at once. Each step process logs a line
of its own to stderr.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import dagster as dg

from benchmarks.fleet import step_overhead_jobs as jobs
from tip_resources.database import embedded
from tip_resources.database.connection import close
from tip_resources.home import HOME_VARIABLE

TARGET_SECONDS = 0.8
_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
_ROOT = Path(__file__).resolve().parents[2]
_EXECUTORS: dict[str, Callable[[], Any]] = {
    "in_process": jobs.in_process,
    "node, forkserver, leases": jobs.node_with_leases,
    "node, forkserver, no leases": jobs.node_without_leases,
    "multiprocess (spawn)": jobs.multiprocess,
}


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """An instance as in dagster.yaml, in a folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="tip-steps-")).resolve()
    home.chmod(0o755)  # the account that runs PostgreSQL for root must get in
    shutil.copy(_ROOT / "dagster.yaml", home)
    os.environ |= {HOME_VARIABLE: str(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance
    finally:
        close(home)
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def _seconds_per_step(instance: dg.DagsterInstance, job: Callable[[], Any]) -> tuple[float, float, float]:
    """Of one run: a step of the chain, a mapped step, and any step of the whole run."""
    began = time.monotonic()
    pointer = dg.reconstructable(job)
    with dg.execute_job(pointer, instance=instance, run_config=_QUIET, raise_on_error=True) as result:
        run_id = result.run_id
    whole = time.monotonic() - began
    ends = {step.step_key: step.end_time for step in instance.get_run_step_stats(run_id)}
    began_at = instance.get_run_stats(run_id).start_time
    assert began_at is not None
    chain = (ends["fan_out"] or 0) - began_at
    mapped = max(end or 0 for end in ends.values()) - (ends["fan_out"] or 0)
    return chain / jobs.CHAINED, mapped / jobs.MAPPED, whole / (jobs.CHAINED + jobs.MAPPED)


def main() -> None:
    """Prints a table; the exit code is 1 when a step with leases costs more than the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="Counted runs of each executor but multiprocess.")
    parser.add_argument("--only", choices=_EXECUTORS, help="One executor.")
    options = parser.parse_args()
    print(f"seconds per step, {jobs.CHAINED} in a chain + {jobs.MAPPED} mapped, load {os.getloadavg()[0]:.1f}")
    print(f"{'executor':30} {'chain':>7} {'mapped':>7} {'whole run':>10}")
    cost = 0.0
    with _instance() as instance:
        for name, job in _EXECUTORS.items():
            if options.only not in (None, name):
                continue
            is_spawned = job is jobs.multiprocess  # nothing stays loaded from run to run, and each takes a minute
            if not is_spawned:
                _seconds_per_step(instance, job)
            runs = [_seconds_per_step(instance, job) for _ in range(1 if is_spawned else options.runs)]
            chain, mapped, whole = (median(column) for column in zip(*runs, strict=True))
            print(f"{name:30} {chain:7.2f} {mapped:7.2f} {whole:10.2f}", flush=True)
            if job is jobs.node_with_leases:
                cost = whole
    print(f"load {os.getloadavg()[0]:.1f}; target with leases: {TARGET_SECONDS} s per step of the whole run")
    raise SystemExit(cost > TARGET_SECONDS)


if __name__ == "__main__":
    main()
