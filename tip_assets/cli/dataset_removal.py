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
from tip_resources.storage.objects import object_exists, relative_names, remove_object, remove_tree, sizes_under
from tip_resources.storage.places import is_local

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
        self._exports = layout.exports(dataset)

    def holdings(self) -> Holdings:
        """How much there is; reads lists of files and counts rows."""
        exported = sizes_under(self._exports)
        formats = sorted({name.partition("/")[0] for name in exported})
        return Holdings(
            kept_calls=len(Checkpoint(self._layout.parts(self._dataset)).finished()),
            delivered_calls=self._delivered.count(self._dataset),
            set_bytes=sum(file.stat().st_size for file in self._set_files()),
            parts_bytes=sum(sizes_under(self._layout.parts(self._dataset)).values()),
            judged_bytes=sum(sizes_under(self._layout.judged(self._dataset)).values()),
            exports=tuple(name for name in formats if not name.startswith(".")),
            export_bytes=sum(exported.values()),
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
        if not keep_exports:
            remove_tree(self._exports)
        for file in self._set_files():
            remove_object(file)
        for folder in (self._layout.judged(self._dataset), self._layout.parts(self._dataset)):
            remove_tree(folder)
        for run in runs_of(self._instance, self._dataset):
            self._remove_run(run)
        self._instance.delete_dynamic_partition(DATASET_PARTITIONS, self._dataset)

    def _set_files(self) -> Iterator[UPath]:
        """Its file in the folder of every asset and side set that lies there, whatever version of tip wrote it."""
        sets = self._layout.sets
        if is_local(sets):
            assets = sorted(folder.name for folder in sets.iterdir()) if sets.exists() else []
        else:
            assets = sorted({name.partition("/")[0] for name in relative_names(sets)})
        files = (self._layout.set_file(asset, self._dataset) for asset in assets)
        yield from (file for file in files if object_exists(file))

    def _remove_run(self, run: "DagsterRun") -> None:
        """Working files first: without the run nobody knows whose they were."""
        self._layout.clear_scratch(run.run_id)
        shutil.rmtree(state_folder(self._home) / "between_ops" / run.run_id, ignore_errors=True)
        run_log_file(run.run_id).unlink(missing_ok=True)
        self._instance.compute_log_manager.delete_logs(prefix=[run.run_id])
        forget_check_results(self._engine, run.run_id)
        self._instance.delete_run(run.run_id)
