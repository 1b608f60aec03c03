"""Whether a process may (still) work on a run: asked before it begins, and again and again while it works.

The database is the judge. Dagster fails a run that starts too slowly, or cancels one by force, and leaves its
processes alive (dagster-io/dagster issues 15325, 16535, 34175); what wakes up later, from a slow disk or a
suspended laptop, must not work on it. The last gate, the event that begins a run, is in database/run_storage.py.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import Self

import psutil
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.instance import InstanceRef

from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.stopping import interrupt_main_thread, kill_all
from tip_resources.launch.tags import WORKER_TAG

# Short steps never look; a query every few seconds is nothing beside what a long one does.
_LOOK_SECONDS = 5.0
# A run worker gives its steps 10 s for their clean-up and then kills them.
_STOP_SECONDS = 30.0
_BEGINS = frozenset({DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING})
_RESUMES = frozenset({DagsterRunStatus.STARTING, DagsterRunStatus.STARTED})


def why_not_begin(run: DagsterRun | None, me: ProcessIdentity | None, *, resumes: bool) -> str | None:
    """Why a run worker must not begin, in words; None when it may.

    Args:
        run: As the database has it now.
        me: The process that would begin.
        resumes: Whether it goes on with a run that another worker began.
    """
    if why := why_stop_worker(run, me):
        return why
    assert run is not None, "a deleted run is a reason to stop"
    if run.status in (_RESUMES if resumes else _BEGINS):
        return None
    return f"the run is {run.status.value}"


def why_stop_worker(run: DagsterRun | None, me: ProcessIdentity | None) -> str | None:
    """Why the run worker `me` must not work on the run any more; None when it may."""
    if why := why_stop_step(run):
        return why
    assert run is not None, "a deleted run is a reason to stop"
    on_record = worker_of(run)
    if on_record is not None and on_record != me:
        return f"process {on_record.pid} is the worker on record"
    return None


def why_stop_step(run: DagsterRun | None) -> str | None:
    """Why no step of the run must go on; None when it may."""
    if run is None:
        return "the run was deleted"
    return f"the run is {run.status.value}" if run.is_finished else None


def worker_of(run: DagsterRun) -> ProcessIdentity | None:
    """The worker on record for `run`."""
    return ProcessIdentity.from_json(run.tags.get(WORKER_TAG, ""))


class RunWatch:
    """Inside the block this process is interrupted when it must not work on the run any more.

    The interrupt is the one of a cancelled run, with clean-up; a process still there half a minute later is ended
    with its descendants.

    Args:
        instance_ref: Where the run is on record.
        run_id: The run.
        why_stop: Told the run (None when it was deleted); returns why this process must stop.
        look_seconds: Between looks.
        stop_seconds: For the clean-up.
    """

    def __init__(
        self,
        instance_ref: InstanceRef,
        run_id: str,
        why_stop: Callable[[DagsterRun | None], str | None],
        *,
        look_seconds: float = _LOOK_SECONDS,
        stop_seconds: float = _STOP_SECONDS,
    ) -> None:
        self._instance_ref = instance_ref
        self._run_id = run_id
        self._why_stop = why_stop
        self._look_seconds = look_seconds
        self._stop_seconds = stop_seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="run-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()

    def _watch(self) -> None:
        if self._is_over.wait(self._look_seconds):
            return
        with DagsterInstance.from_ref(self._instance_ref) as instance:
            while not (why := self._look(instance)):
                if self._is_over.wait(self._look_seconds):
                    return
        if self._is_over.is_set():
            return
        say(f"process {os.getpid()} stops working on run {self._run_id}: {why}.")
        interrupt_main_thread()
        if not self._is_over.wait(self._stop_seconds):
            say(f"process {os.getpid()} did not stop and is ended.")
            kill_all(psutil.Process().children(recursive=True))
            os._exit(1)

    def _look(self, instance: DagsterInstance) -> str | None:
        try:
            return self._why_stop(instance.get_run_by_id(self._run_id))
        except Exception as error:  # noqa: BLE001 - whatever keeps the database from answering, the next look may succeed
            say(f"run {self._run_id} could not be looked at: {error!r}")
            return None


def say(line: str) -> None:
    """A line in the run's log file, which is this process's stderr."""
    sys.stderr.write(f"tip: {line}\n")
    sys.stderr.flush()
