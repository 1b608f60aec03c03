"""What waits longer when there are many data sets? `python -m benchmarks.scale.many_sets --sets 10 10000`.

A real embedded PostgreSQL with so many finished data sets (rows, partitions, runs and their events; finished_sets.py
says how). For each number: one tick of the sensors that run all the time and what the web UI asks for its pages, asked
of a real web server with its code server; `tip list`, `tip status`, and loading the definitions. In milliseconds of
CPU, of all processes that have a part in it and PostgreSQL together, the smaller of two tries after one that warms up;
what the clock says stands beside it and means little on a busy machine.

Copying 10,000 sets takes some minutes of CPU of PostgreSQL and 1.5 GB of disk.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from sqlalchemy import Engine

from benchmarks.scale.finished_sets import ORIGINAL, ask_for, copy_original, make_original
from benchmarks.scale.home import ROOT, in_database, instance_of, temporary_home
from benchmarks.scale.web_queries import PAGES, tick_of, web_server
from tip_resources.database import embedded
from tip_resources.database.connection import database

_TRIES = 2
_WAITING = 100
_SENSORS = ("dataset_requests", "runs_done", "runs_failed", "runs_cancelled", "fleet_gate", "node_states")
Figure = tuple[float, float]


class Meter:
    """Measures CPU of this process and its children, of PostgreSQL, and of whatever else is named."""

    def __init__(self, home: Path) -> None:
        pid = embedded.status(home).pid
        assert pid is not None, "the server runs"
        self._postmaster = psutil.Process(pid)

    def milliseconds(self, work: Callable[[], object], other: Callable[[], float] = lambda: 0.0) -> Figure:
        """CPU and wall time of the best of some tries, after one that is not counted."""
        work()
        figures: list[Figure] = []
        for _ in range(_TRIES):
            cpu, wall = self._cpu_seconds() + other(), time.monotonic()
            work()
            figures.append(((self._cpu_seconds() + other() - cpu) * 1000, (time.monotonic() - wall) * 1000))
        return min(figures)

    def _cpu_seconds(self) -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime + self._of_postgres()

    def _of_postgres(self) -> float:
        own = self._postmaster.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system  # children that have ended
        for child in self._postmaster.children():
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total


def _command(*arguments: str) -> Callable[[], object]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def measure(home: Path, engine: Engine) -> dict[str, Figure]:
    """All figures for the data sets that are there."""
    meter = Meter(home)
    found: dict[str, Figure] = {}
    with web_server(home) as web:
        for name, query in {**{f"tick of {sensor}": tick_of(sensor) for sensor in _SENSORS}, **PAGES}.items():
            found[name] = meter.milliseconds(lambda query=query: web.ask(query), web.cpu_seconds)
        ask_for(engine, _WAITING)
        tick = tick_of("dataset_requests")
        found[f"tick of dataset_requests, {_WAITING} wait"] = meter.milliseconds(lambda: web.ask(tick), web.cpu_seconds)
    found["loading the definitions"] = meter.milliseconds(_command("-c", "import tip_assets.definitions"))
    tip = ("-c", "from tip_assets.cli.main import main; main()")
    found["tip list"] = meter.milliseconds(_command(*tip, "list"))
    found["tip list --limit 10000"] = meter.milliseconds(_command(*tip, "list", "--limit", "10000"))
    found[f"tip status {ORIGINAL}"] = meter.milliseconds(_command(*tip, "status", ORIGINAL))
    return found


def _print(columns: dict[int, dict[str, Figure]]) -> None:
    print(f"\n{'milliseconds of CPU (of the clock)':44}" + "".join(f"{f'{sets:,} sets':>20}" for sets in columns))
    for name in next(iter(columns.values())):
        cells = (f"{cpu:.0f} ({wall:.0f})" for cpu, wall in (figures[name] for figures in columns.values()))
        print(f"{name:44}" + "".join(f"{cell:>20}" for cell in cells))


def main() -> None:
    """Fills, measures, fills up, measures; prints all columns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, nargs="+", default=[10, 10_000], help="Finished sets, fewest first.")
    parser.add_argument("--home", type=Path, help="Keep the project folder here, to look at it.")
    options = parser.parse_args()
    os.environ["TIP_QUALITY__SEMANTIC_VECTORS"] = "words"
    columns: dict[int, dict[str, Figure]] = {}
    with temporary_home(options.home) as home, instance_of(home) as instance:
        engine, there = database(home), 0
        make_original(instance, engine)
        for sets in options.sets:
            began = time.monotonic()
            copy_original(engine, there + 1, sets)
            there = sets
            rows = in_database(engine)
            took = f"copied in {time.monotonic() - began:.0f} s"
            print(f"{sets:,} sets, {took}: {rows.event_rows:,} event rows, {rows.event_bytes / 1e6:.0f} MB;", end=" ")
            print(f"database {rows.database_bytes / 1e6:.0f} MB", flush=True)
            columns[sets] = measure(home, engine)
            _print(columns)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
