"""Run workers as processes of this machine that outlive whoever started them: daemon, web server or CLI.

Which machine a run belongs to is decided around this (run_launcher.py); what becomes of a run whose worker ended
before the run began, in lost_starts.py.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self

from dagster import DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.launcher.base import (
    CheckRunHealthResult,
    LaunchRunContext,
    ResumeRunContext,
    RunLauncher,
    WorkerStatus,
)
from dagster._grpc.types import ExecuteRunArgs, ResumeRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

from tip_resources.domain.failures import PermanentFailure
from tip_resources.home import HOME_VARIABLE, project_home, state_folder
from tip_resources.launch.lost_starts import kill_steps, settle
from tip_resources.launch.orders import Orders, give_orders, start_worker
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.run_watch import worker_of
from tip_resources.launch.stopping import ask_to_stop, kill_tree
from tip_resources.launch.tags import HANDED_BACK_TAG, WORKER_TAG
from tip_resources.launch.worker import WORKER_MODULE

_LOG_TAIL_LINES = 40


class LocalProcessRunLauncher(RunLauncher, ConfigurableClass):
    """Starts, finds again, resumes and stops run workers by their pid and start time, kept in a tag of the run."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data, **config_value)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    @property
    def supports_resume_run(self) -> bool:
        return True

    def launch_run(self, context: LaunchRunContext) -> None:
        self._start(context.dagster_run, "execute_run")

    def resume_run(self, context: ResumeRunContext) -> None:
        """Starts a new worker for a run whose worker died.

        Raises:
            PermanentFailure: The worker lives after all. Two on one run would do every step twice.
        """
        if worker := self._living_worker(context.dagster_run):
            raise PermanentFailure(f"run {context.dagster_run.run_id} is still worked on by process {worker.pid}.")
        self._start(context.dagster_run, "resume_run")

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        worker = worker_of(run)
        if worker is None:
            # `dg launch` works on a run in its own process. To call it dead would put a second worker on it; one of
            # ours begins only after it is on record.
            return CheckRunHealthResult(WorkerStatus.RUNNING, "another process works on this run (dg launch)")
        if worker.is_alive():
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=str(worker.pid))
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, f"process {worker.pid} has ended")

    def terminate(self, run_id: str) -> bool:
        """Asks the worker to stop; asked again while it is stopping, ends it and its steps without clean-up."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        worker = self._living_worker(run)
        if worker is None:
            self._instance.report_run_canceling(run)
            self._cancel_without_worker(run)
            return True
        if run.status == DagsterRunStatus.CANCELING:
            kill_tree(worker)
            kill_steps(self._instance, run_id)
            self._instance.report_run_canceled(run, f"Process {worker.pid} and its steps were killed.")
            return True
        self._instance.report_run_canceling(run)
        if not ask_to_stop(worker, stop_file(run_id)):  # it has died since we looked
            self._cancel_without_worker(run)
        return True

    def _cancel_without_worker(self, run: DagsterRun) -> None:
        kill_steps(self._instance, run.run_id)
        self._instance.report_run_canceled(run, "No process works on this run.")

    def take_over_runs(self) -> None:
        """Sees to the runs that were cut short while no daemon ran, by a shutdown or a crash.

        Called when the daemon starts, before its first look at the runs: Dagster fails every run that has been
        starting for longer than the start timeout, so also one that was caught by the night; and it would count
        against a run how often the machine was shut down while it worked.
        """
        for run in self._instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED])):
            if self._living_worker(run) is None and run.tags.get(HANDED_BACK_TAG, "") == run.tags.get(WORKER_TAG):
                self._instance.report_engine_event("The run was handed back at a shutdown and goes on.", run)
                try:
                    self._start(run, "resume_run")
                except PermanentFailure as error:
                    self._instance.report_run_failed(run, str(error))
        for run in self._instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTING])):
            worker = worker_of(run)
            if worker is not None and worker.is_alive():
                self._follow(run.run_id, worker, partial(_end_of_stranger, worker))
            else:
                settle(self._instance, run.run_id, worker, "the services stopped", self.get_run_worker_debug_info)

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:
        """Which process, whether it lives, and the end of its log."""
        worker = worker_of(run)
        path = run_log_file(run.run_id)
        lines = [
            "no process is on record" if worker is None else f"process {worker.pid}",
            "it runs" if worker is not None and worker.is_alive() else "it does not run",
            f"log {path}",
        ]
        if include_container_logs and path.exists():
            with path.open(encoding="utf-8", errors="replace") as file:
                lines += [line.rstrip() for line in deque(file, maxlen=_LOG_TAIL_LINES)]
        return "\n".join(lines)

    def _start(self, run: DagsterRun, what: Literal["execute_run", "resume_run"]) -> None:
        origin = run.job_code_origin
        if origin is None:
            raise PermanentFailure(f"run {run.run_id} does not say where its code is.")
        arguments_type = ExecuteRunArgs if what == "execute_run" else ResumeRunArgs
        arguments = arguments_type(
            job_origin=origin,
            run_id=run.run_id,
            instance_ref=self._instance.get_ref(),
            set_exit_code_on_failure=True,
        )
        home = project_home()
        pointer = origin.repository_origin.code_pointer
        with run_log_file(run.run_id).open("ab") as log:
            worker = start_worker(
                WORKER_MODULE,
                _command_line(run.run_id, home, getattr(pointer, "module", None)),
                environment=worker_environment(home, getattr(pointer, "working_directory", None)),
                cwd=state_folder(home),
                log_file=log,
            )
        identity = ProcessIdentity.of(worker.pid) or ProcessIdentity(worker.pid, "died at its start")
        self._instance.add_run_tags(run.run_id, {WORKER_TAG: identity.to_json()})
        try:
            give_orders(worker, Orders(what, serialize_value(arguments)))
            if worker.stdin:
                worker.stdin.close()
        except BrokenPipeError as error:
            raise PermanentFailure(
                f"the run worker ended at once with exit code {worker.wait()}; see {run_log_file(run.run_id)}"
            ) from error
        self._follow(run.run_id, identity, lambda: f"exit code {worker.wait()}")

    def _follow(self, run_id: str, worker: ProcessIdentity, wait: Callable[[], str]) -> None:
        """Waits for the worker's end in the background, which also spares us a zombie, and sees to its run."""

        def follow() -> None:
            how = wait()
            settle(self._instance, run_id, worker, how, self.get_run_worker_debug_info)

        threading.Thread(target=follow, name=f"follow-{run_id[:8]}", daemon=True).start()

    def _living_worker(self, run: DagsterRun) -> ProcessIdentity | None:
        worker = worker_of(run)
        return worker if worker is not None and worker.is_alive() else None


def _end_of_stranger(worker: ProcessIdentity) -> str:
    worker.wait_for_end()
    return "its exit code is not known, for the services were started anew meanwhile"


def run_log_file(run_id: str) -> Path:
    """Where a run worker and its steps print: not in $DAGSTER_HOME/logs, which Dagster uploads and removes."""
    folder = state_folder() / "logs" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run_id}.log"


def stop_file(run_id: str) -> Path:
    """What a run worker on Windows looks for (stopping.py)."""
    return state_folder() / f"stop-{run_id}"


def worker_environment(home: Path, working_directory: str | None) -> dict[str, str]:
    """What a worker's environment holds besides ours."""
    environment = {HOME_VARIABLE: str(home), "DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONUNBUFFERED": "1"}
    if working_directory:
        inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [working_directory, *inherited]))
    return environment


def _command_line(run_id: str, home: Path, module: str | None) -> list[str]:
    arguments = ["--run", run_id, "--home", str(home)]
    if module:
        arguments += ["--warm", module]
    if os.name == "nt":
        arguments += ["--stop-file", str(stop_file(run_id))]
    return arguments
