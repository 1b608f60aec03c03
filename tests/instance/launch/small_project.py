"""What the launching tests are made with: a project folder, runs submitted to it, and waiting."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster_graphql.cli import execute_query

from tip_resources.database import embedded
from tip_resources.launch.worker import WORKER_MODULE

ROOT = Path(__file__).resolve().parents[3]
LOCATION = "small_definitions"
LAUNCH = """
mutation Launch($job: String!, $config: RunConfigData, $tags: [ExecutionTag!]) {
  launchRun(executionParams: {
    selector: {repositoryLocationName: "small_definitions", repositoryName: "__repository__", jobName: $job}
    runConfigData: $config
    executionMetadata: {tags: $tags}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""
TERMINATE = "mutation Stop($run: String!) { terminateRun(runId: $run) { __typename } }"


def wait_until(condition: Callable[[], Any], what: str, timeout_seconds: float = 60) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + timeout_seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {timeout_seconds} s"
        time.sleep(0.05)
    return value


@contextmanager
def temporary_project(location: str = LOCATION) -> Iterator[Path]:
    """A project folder with our dagster.yaml, a code location from this folder, and a space in its name.

    Only dead runs are looked for more often than in ours.
    """
    home = Path(tempfile.mkdtemp(prefix="tip launch ")).resolve()
    home.chmod(0o755)  # pytest's tmp_path is closed to the account that runs PostgreSQL for root
    configuration = (ROOT / "dagster.yaml").read_text()
    assert "poll_interval_seconds: 5" in configuration
    (home / "dagster.yaml").write_text(configuration.replace("poll_interval_seconds: 5", "poll_interval_seconds: 1"))
    folder = ROOT / "tests" / "instance" / "launch"
    (home / "workspace.yaml").write_text(
        f"load_from:\n  - python_module:\n      module_name: {location}\n      working_directory: {folder}\n"
    )
    try:
        yield home
    finally:
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


def services_of(home: Path) -> list[psutil.Process]:
    """Every process of ours that works for the project folder, except its database."""

    def is_one(process: psutil.Process) -> bool:
        try:
            command = " ".join(process.cmdline())
            is_ours = "tip_resources.launch." in command or "tip_resources.fleet." in command
            return is_ours and process.environ().get("TIP_HOME") == str(home)
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if is_one(process)]


def service(home: Path, word: str) -> psutil.Process:
    """The service that has `word` on its command line."""
    return next(process for process in services_of(home) if word in process.cmdline())


class Project:
    """A project folder whose services run."""

    def __init__(self, home: Path, notes: Path, context: WorkspaceProcessContext) -> None:
        self.home = home
        self.notes = notes
        self.instance: dg.DagsterInstance = context.instance
        self._context = context

    def launch(self, job: str, config: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> str:
        """Submits a run, as the web UI does."""
        variables = {
            "job": job,
            "config": config or {},
            "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()],
        }
        answer: Any = execute_query(self._context, LAUNCH, variables)
        answer = answer["data"]["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def cancel(self, run_id: str) -> None:
        execute_query(self._context, TERMINATE, {"run": run_id})

    def run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def wait_for_end(self, run_id: str, timeout_seconds: float = 90) -> dg.DagsterRunStatus:
        wait_until(lambda: self.run(run_id).is_finished, f"the end of run {run_id}", timeout_seconds)
        return self.run(run_id).status

    def wait_for_cancel(self, run_id: str) -> None:
        """Waits until a cancelled run has ended, and not because Dagster waited for that in vain."""
        assert self.wait_for_end(run_id) == dg.DagsterRunStatus.CANCELED
        ends = [event.message or "" for event in self.events(run_id, dg.DagsterEventType.RUN_CANCELED)]
        assert ends and not any("seconds to cancel" in end for end in ends), ends

    def events(self, run_id: str, *kinds: dg.DagsterEventType) -> list[dg.DagsterEvent]:
        """The run's events of these kinds, oldest first."""
        logs = self.instance.all_logs(run_id, of_type=set(kinds))
        return [entry.dagster_event for entry in logs if entry.dagster_event]

    def noted(self, what: str) -> list[Path]:
        """The notes that steps left about `what`; the part before the last dot is the pid."""
        return sorted(self.notes.glob(f"{what}.*"))

    def release(self, *what: str) -> None:
        for name in what:
            (self.notes / f"release-{name}").touch()

    def workers(self, run_id: str) -> list[psutil.Process]:
        """The run worker's process with its fork server and steps."""
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if WORKER_MODULE in words and run_id in words:
                return [process, *process.children(recursive=True)]
        return []


@contextmanager
def variables(**values: str) -> Iterator[None]:
    """Sets environment variables for a block."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def environment_of(home: Path) -> AbstractContextManager[None]:
    """For a block, the variables of who works in this project folder."""
    return variables(TIP_HOME=str(home), LAUNCH_TEST_FOLDER=str(home / "notes"), DAGSTER_DISABLE_TELEMETRY="1")
