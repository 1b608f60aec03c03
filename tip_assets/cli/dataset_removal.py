"""All that belongs to one data set: where it lies, how much it is, and removing it.

Removing may be killed at any moment and repeated: each part that is gone is gone, and the row of the request, by which
the set is found, goes last. It changes no other set: its calls leave the index of delivered ones, so nothing is a
duplicate of them any more.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from upath import UPath

from tip_assets.cli.run_stopping import runs_of
from tip_assets.partitions import DATASET_PARTITIONS
from tip_resources.database.delivered import DeliveredIndex
from tip_resources.database.run_checks import forget_check_results
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.home import state_folder
from tip_resources.launch.local_launcher import run_log_file
from tip_resources.launch.run_watch import worker_of
from tip_resources.storage.checkpoint import Checkpoint
from tip_resources.storage.layout import Layout

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun
    from sqlalchemy import Engine


class Holdings(msgspec.Struct, frozen=True):
    """What there is of a data set. `exports` are folders of formats; bytes are of files, not of the database."""

    kept_calls: int
    delivered_calls: int
    set_bytes: int
    parts_bytes: int
    judged_bytes: int
    exports: tuple[str, ...]
    export_bytes: int
    runs: int


class DatasetRemoval:
    """Finds and removes what belongs to one data set, but for the row of its request."""

    def __init__(self, home: Path, layout: Layout, engine: "Engine", instance: "DagsterInstance", dataset: str) -> None:
        self._home, self._layout, self._dataset = home, layout, dataset
        self._engine, self._delivered = engine, DeliveredIndex(engine)
        self._instance = instance
        self._exports = layout.exports(dataset, "any").parent

    def holdings(self) -> Holdings:
        """How much there is; reads lists of files and counts rows."""
        formats = sorted(path.name for path in self._exports.iterdir()) if self._exports.is_dir() else []
        return Holdings(
            kept_calls=len(Checkpoint(self._layout.parts(self._dataset)).finished()),
            delivered_calls=self._delivered.count(self._dataset),
            set_bytes=sum(_bytes(file) for file in self._set_files()),
            parts_bytes=_bytes(self._layout.parts(self._dataset)),
            judged_bytes=_bytes(self._layout.judged(self._dataset)),
            exports=tuple(name for name in formats if not name.startswith(".")),
            export_bytes=_bytes(UPath(self._exports)),
            runs=len(runs_of(self._instance, self._dataset)),
        )

    def refuse_while_under_way(self) -> None:
        """Looks at its runs, and at their processes, which may still write for a moment after a run has ended.

        Raises:
            BadInput: A run waits or goes on.
            TransientFailure: A process of a run that has ended is still there.
        """
        for run in runs_of(self._instance, self._dataset):
            if not run.is_finished:
                raise BadInput(
                    f"a run of {self._dataset} is under way ({run.run_id[:8]}, {run.status.value.lower()}).",
                    mend=f"First: tip cancel {self._dataset}",
                )
            worker = worker_of(run)
            if worker is not None and worker.is_alive():
                raise TransientFailure(
                    f"{self._dataset}: process {worker.pid} of a run that has ended is still putting things away. "
                    "Try again in a moment."
                )

    def remove(self, *, keep_exports: bool) -> None:
        """Removes the files, the delivered calls with their grades, the runs with their events, and the partition."""
        self._delivered.replace_dataset(self._dataset, [])
        if not keep_exports and self._exports.exists():
            shutil.rmtree(self._exports)
        for file in (*self._set_files(), self._layout.judged(self._dataset), self._layout.parts(self._dataset)):
            _remove(file)
        for run in runs_of(self._instance, self._dataset):
            self._remove_run(run)
        self._instance.delete_dynamic_partition(DATASET_PARTITIONS, self._dataset)

    def _set_files(self) -> Iterator[UPath]:
        """Its file in the folder of every asset and side set that lies there, whatever version of tip wrote it."""
        if not self._layout.sets.exists():
            return
        for folder in self._layout.sets.iterdir():
            file = self._layout.set_file(folder.name, self._dataset)
            if file.exists():
                yield file

    def _remove_run(self, run: "DagsterRun") -> None:
        """Working files first: without the run nobody knows whose they were."""
        self._layout.clear_scratch(run.run_id)
        shutil.rmtree(state_folder(self._home) / "between_ops" / run.run_id, ignore_errors=True)
        run_log_file(run.run_id).unlink(missing_ok=True)
        self._instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        forget_check_results(self._engine, run.run_id)
        self._instance.delete_run(run.run_id)


def _bytes(path: UPath) -> int:
    if not path.exists():
        return 0
    sizes = path.fs.du(path.path, total=False)
    return sum(sizes.values()) if isinstance(sizes, dict) else sizes


def _remove(path: UPath) -> None:
    if path.exists():
        path.fs.rm(path.path, recursive=True)
