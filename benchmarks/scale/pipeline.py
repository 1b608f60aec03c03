"""What N scripted calls cost through the whole pipeline: `python -m benchmarks.scale.pipeline --calls 1000 10000`.

A real run of make_dataset for each N, each in a project folder of its own: embedded PostgreSQL, the executor of our
jobs, a process for each step, calls by the rehearsal server. Prints for each step the seconds of CPU (of its own
process, and of the rehearsal server), wall seconds and the most memory it held; then the rows of the event log, bytes
of the database, files and bytes on disk. With two N or more the last column says how a step's CPU grew: the exponent
of N, 1.00 where it is proportional. Memory is flat where it does not grow with N.

Takes about 30 s of CPU for each 1,000 calls. Duplicates by meaning are looked for by words (no sentence model).
"""

import argparse
import json
import math
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import dagster as dg
import msgspec

from benchmarks.scale.home import InDatabase, OnDisk, in_database, instance_of, on_disk, temporary_home
from benchmarks.scale.pipeline_job import MEASURES_FILE, measured_make_dataset
from tip_assets.partitions import DATASET_PARTITIONS
from tip_resources.database.connection import database
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.home import state_folder

DATASET = "scale"
_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one step took; `children_cpu_seconds` is the rehearsal server's."""

    cpu_seconds: float
    children_cpu_seconds: float
    wall_seconds: float
    peak_mb: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One run of N calls."""

    calls: int
    exported: int
    steps: dict[str, Step]
    rows: InDatabase
    disk: dict[str, OnDisk]


def measure(calls: int, domain: str, keep: Path | None) -> Measured:
    """Makes a data set of so many calls in a home of its own."""
    with temporary_home(keep) as home, instance_of(home) as instance:
        spec = DatasetSpec(name=DATASET, count=calls, domain=domain, rehearsal=True, seed=7)
        RequestStore(database(home)).add(spec, source="cli")
        instance.add_dynamic_partitions(DATASET_PARTITIONS, [DATASET])
        written = home / "measures.jsonl"
        os.environ[MEASURES_FILE] = str(written)
        job = dg.reconstructable(measured_make_dataset)
        tags = {"dagster/partition": DATASET}
        with dg.execute_job(job, instance=instance, tags=tags, run_config=_QUIET) as result:
            run_id, is_success = result.run_id, result.success
        if not is_success:
            sys.exit(f"the run of {calls} calls failed; look at it with --home and the Dagster UI.")
        return Measured(
            calls=calls,
            exported=_exported(home),
            steps=_steps(written, instance, run_id),
            rows=in_database(database(home)),
            disk=_disk(home),
        )


def _exported(home: Path) -> int:
    report = state_folder(home) / "data" / "exports" / DATASET / "report" / "summary.json"
    return json.loads(report.read_text(encoding="utf-8"))["exported"]


def _steps(written: Path, instance: dg.DagsterInstance, run_id: str) -> dict[str, Step]:
    times = {step.step_key: step for step in instance.get_run_step_stats(run_id)}
    steps: dict[str, Step] = {}
    for line in map(json.loads, written.read_text(encoding="utf-8").splitlines()):
        stats = times[line["step"]]
        steps[line["step"]] = Step(
            cpu_seconds=line["cpu_seconds"],
            children_cpu_seconds=line["children_cpu_seconds"],
            wall_seconds=(stats.end_time or 0.0) - (stats.start_time or 0.0),
            peak_mb=line["peak_mb"],
        )
    return steps


def _disk(home: Path) -> dict[str, OnDisk]:
    state = state_folder(home)
    folders = ("data/parts", "data/sets", "data/exports", "scratch", "between_ops", "compute_logs", "logs")
    return {folder: on_disk(state / folder) for folder in folders}


def _print(measured: Measured, smaller: Measured | None) -> None:
    print(f"\n{measured.calls:,} calls, {measured.exported:,} exported")
    print(f"{'step':44} {'CPU s':>8} {'server':>8} {'wall s':>8} {'peak MB':>8} {'grows as':>9}")
    for name, step in measured.steps.items():
        growth = _growth(name, measured, smaller)
        print(
            f"{name:44} {step.cpu_seconds:8.1f} {step.children_cpu_seconds:8.1f} {step.wall_seconds:8.1f}"
            f" {step.peak_mb:8.0f} {growth:>9}"
        )
    own = sum(step.cpu_seconds for step in measured.steps.values())
    print(f"all steps: {own:.1f} s of CPU, {1000 * own / measured.calls:.2f} ms a call")
    rows = measured.rows
    print(
        f"database {rows.database_bytes / 1e6:.1f} MB; event log {rows.event_rows:,} rows, {rows.event_bytes / 1e6:.2f}"
        f" MB; index of delivered calls {rows.index_rows:,} rows, {rows.index_bytes / 1e6:.1f} MB"
    )
    for folder, found in measured.disk.items():
        print(f"{folder:16} {found.files:>9,} files {found.bytes / 1e6:10.2f} MB")


def _growth(name: str, measured: Measured, smaller: Measured | None) -> str:
    before = None if smaller is None else smaller.steps.get(name)
    if smaller is None or before is None or before.cpu_seconds < 1.0:  # what starting costs hides the growth
        return ""
    ratio = measured.steps[name].cpu_seconds / before.cpu_seconds
    return f"N^{math.log(ratio) / math.log(measured.calls / smaller.calls):.2f}"


def main() -> None:
    """Measures each size, prints, and writes JSON when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[1_000], help="Sizes, smallest first.")
    parser.add_argument("--domain", default="healthcare")
    parser.add_argument("--home", type=Path, help="Keep the (last) project folder here, to look at it.")
    parser.add_argument("--json", type=Path, help="Also write all figures to this file.")
    options = parser.parse_args()
    os.environ["TIP_QUALITY__SEMANTIC_VECTORS"] = "words"
    found: list[Measured] = []
    # A process for each: the server that steps are forked from keeps the project folder it was started in.
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as fresh:
        for calls in options.calls:
            found.append(fresh.submit(measure, calls, options.domain, options.home).result())
            _print(found[-1], found[-2] if len(found) > 1 else None)
            sys.stdout.flush()
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))


if __name__ == "__main__":
    main()
