"""A project folder that lives: `tip up`, a model server and data sets, each in processes that a test can end.

What is going on is read from database and disk by connections of the test's own, which start nothing.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.embedded import temporary_home
from tests.faults import model_server_double
from tests.faults.own_network import OwnNetwork
from tests.faults.shifted_clock import COMPILER, ShiftedClock
from tests.small_disk import fill, mount, mounted
from tip_resources.database import embedded
from tip_resources.database.connection import database_url
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.launch.ports import free_ports
from tip_resources.launch.worker import WORKER_MODULE

ROOT = Path(__file__).resolve().parents[2]
# A call has about 1,400 tokens: a second for one, so that a set of a dozen can be met half way.
TOKENS_PER_SECOND = 1_500
READY_SECONDS = 120.0


class House:
    """One project folder with all that works in it."""

    def __init__(self, folder: Path, clock: ShiftedClock | None = None, network: OwnNetwork | None = None) -> None:
        self.folder = folder
        self._clock = clock
        self._network = network
        self._model_host = network.address if network else "127.0.0.1"
        self.model_port = free_ports(1)[0]
        self._models: subprocess.Popen[bytes] | None = None
        self._up: subprocess.Popen[bytes] | None = None
        self._engine: Engine | None = None
        # Since `tip up` was started last.
        self.services_killed = 0

    @property
    def data(self) -> Path:
        """Where sets, parts and exports lie."""
        return self.folder / ".tip" / "data"

    def environment(self) -> dict[str, str]:
        """As a user's shell has it, with this project folder and its model server."""
        others = {key: value for key, value in os.environ.items() if not key.startswith(("TIP_", "DAGSTER_"))}
        own = {
            "TIP_HOME": str(self.folder),
            "TIP_LLM_URL": f"http://{self._model_host}:{self.model_port}/v1",
            # By words whatever this machine has: opening a sentence model takes seconds.
            "TIP_QUALITY__SEMANTIC_VECTORS": "words",
            "TIP_GENERATION__CONCURRENCY": "2-2",
            "TIP_DISK__RESERVE_GIGABYTES": "0",
            # A silence that is told from slowness within a test's patience.
            "TIP_ENGINE__BETWEEN_TOKENS_TIMEOUT_SECONDS": "10",
            "TIP_ENGINE__FIRST_TOKEN_TIMEOUT_SECONDS": "10",
            "PYTHONPATH": str(ROOT),
        }
        return others | own | (self._clock.environment if self._clock else {})

    def start_models(self) -> None:
        """The model server, on the same port as before."""
        command = [sys.executable, "-m", model_server_double.__name__]
        command += ["--host", self._model_host, "--port", str(self.model_port)]
        command += ["--tokens-per-second", str(TOKENS_PER_SECOND)]
        command = [*(self._network.prefix if self._network else ()), *command]
        self._models = subprocess.Popen(command, env=self.environment(), cwd=ROOT)
        wait_until(lambda: self._asked_of_models("/health") is not None, "the model server")

    def model_requests(self) -> int:
        """Calls that the model server was asked to write since it was started."""
        counted = self._asked_of_models("/rehearsal/stats")
        return counted["requests"] if counted else 0

    def start_up(self) -> None:
        """`tip up`, ready."""
        log = (self.folder / "up.log").open("ab")
        command = [sys.executable, "-c", "from tip_assets.cli.main import main; main()", "up", "--no-web"]
        begins = log.tell()
        self.services_killed = 0
        self._up = subprocess.Popen(command, env=self.environment(), cwd=self.folder, stdout=log, stderr=log)
        log.close()
        wait_until(lambda: b"Ctrl-C stops" in (self.folder / "up.log").read_bytes()[begins:], "`tip up`", READY_SECONDS)

    def stop(self) -> None:
        """Everything, at once."""
        if self._engine is not None:
            self._engine.dispose()
        for process in (self._up, self._models):
            if process is not None:
                process.kill()
                process.wait()
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def ask(self, name: str, count: int, seed: int) -> None:
        """A data set of `count` calls."""
        spec = DatasetSpec(name=name, count=count, domain="healthcare", query=f"{count} calls", seed=seed)
        RequestStore(self.engine()).add(spec, source="cli")

    def engine(self) -> Engine:
        """Connections of the test's own, which never start the server."""
        if self._engine is None:
            self._engine = create_engine(database_url(self.folder), pool_pre_ping=True)
        return self._engine

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """Rows of a query; none while the database is down."""
        try:
            with self.engine().connect() as connection:
                return list(connection.execute(text(sql), values))
        except DBAPIError:
            return []

    def run_of(self, name: str) -> str | None:
        """The newest run that makes the data set."""
        found = self.rows("SELECT run_id FROM tip_dagster.runs WHERE partition = :name ORDER BY id DESC", name=name)
        return found[0][0] if found else None

    def state_of(self, name: str) -> str | None:
        """How far the request is; None while the database is down."""
        found = self.rows("SELECT state FROM tip.dataset_requests WHERE dataset = :name", name=name)
        return found[0][0] if found else None

    def has_started(self, name: str, step: str) -> bool:
        """Whether a step of that name has begun in a run of the data set."""
        sql = """
            SELECT 1 FROM tip_dagster.event_logs AS events JOIN tip_dagster.runs AS runs USING (run_id)
            WHERE runs.partition = :name AND dagster_event_type = 'STEP_START' AND events.step_key LIKE :step
        """
        return bool(self.rows(sql, name=name, step=step))

    def has_partition_only(self, name: str) -> bool:
        """Whether the sensor has made the partition, and nobody the run."""
        sql = "SELECT 1 FROM tip_dagster.dynamic_partitions WHERE partition = :name"
        return bool(self.rows(sql, name=name)) and self.run_of(name) is None

    def kept(self, name: str) -> int:
        """Calls of the data set that are kept as parts."""
        return len(list((self.data / "parts" / name / "calls").rglob("*.json")))

    def processes(self, word: str = "") -> list[psutil.Process]:
        """Processes that work for this folder and have `word` on their command line, except database and models."""

        def is_one(process: psutil.Process) -> bool:
            try:
                command = process.cmdline()
                return word in " ".join(command) and process.environ().get("TIP_HOME") == str(self.folder)
            except psutil.Error:
                return False

        own = {os.getpid(), self._models.pid if self._models else 0}
        return [process for process in psutil.process_iter() if process.pid not in own and is_one(process)]

    def worker_of(self, name: str) -> psutil.Process | None:
        """The run worker of the data set's run."""
        run_id = self.run_of(name)
        found = [process for process in self.processes(WORKER_MODULE) if run_id and run_id in process.cmdline()]
        # The fork server and the steps have its command line too: the worker is the one above them.
        pids = {process.pid for process in found}
        return next((process for process in found if process.ppid() not in pids), None)

    def kill_models(self) -> None:
        """The model server ends, is away for a while, and comes back."""
        assert self._models is not None
        self._models.kill()
        self._models.wait()
        time.sleep(1)
        self.start_models()

    def kill_database(self) -> None:
        """PostgreSQL ends without writing anything; its own children notice."""
        pid = embedded.status(self.folder).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def kill_up(self) -> None:
        """The supervisor ends; its services end by themselves; somebody starts it again."""
        assert self._up is not None
        self._up.kill()
        self._up.wait()
        wait_until(lambda: not self.processes("tip_resources.launch.daemon"), "the end of the services")
        self.start_up()

    def restart_database(self) -> None:
        """PostgreSQL is stopped as its operator does it, and started by whoever needs it next."""
        embedded.stop(self.folder)

    def silence_models(self, seconds: float) -> None:
        """The model server takes connections and says nothing, as behind a network that swallows everything."""
        assert self._models is not None
        self._models.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._models.send_signal(signal.SIGCONT)

    def cut_network(self, seconds: float) -> None:
        """Nothing that is sent to or from the model server arrives for a while."""
        assert self._network is not None
        self._network.pull_the_cable()
        time.sleep(seconds)
        self._network.plug_it_in()

    def sleep(self, seconds: int) -> None:
        """Everything stands still, and when it goes on the clock is `seconds` further."""
        assert self._clock is not None
        everything = self.everything()
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended in the meantime
                process.suspend()
        self._clock.move(seconds)
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def shift_clock(self, seconds: int) -> None:
        """The clock is set, as a person or a time server does it."""
        assert self._clock is not None
        self._clock.move(seconds)

    def fill_disk(self, seconds: float, then: Callable[[], None] | None = None) -> None:
        """No byte is left on the file system of the data for a while; `then` happens when it is full."""
        ballast = self.data / "ballast"
        fill(ballast)
        if then is not None:
            then()
        time.sleep(seconds)
        ballast.unlink()

    def lock_disk(self, seconds: float) -> None:
        """Nothing can be written to the file system of the data for a while."""
        # A file that is open for writing forbids it for an instant.
        wait_until(lambda: mount("-o", "remount,ro", str(self.data)) == 0, "a read-only file system", 20)
        time.sleep(seconds)
        assert mount("-o", "remount,rw", str(self.data)) == 0

    def everything(self) -> list[psutil.Process]:
        """All processes of the house, database and model server too."""
        found = self.processes()
        for pid in (embedded.status(self.folder).pid, self._models.pid if self._models else None):
            if pid is not None:
                process = psutil.Process(pid)
                found += [process, *process.children(recursive=True)]
        return found

    def _asked_of_models(self, path: str) -> dict[str, Any] | None:
        try:
            return httpx2.get(f"http://{self._model_host}:{self.model_port}{path}", trust_env=False).json()
        except httpx2.HTTPError:
            return None

    def log(self) -> str:
        """The ends of all logs, for a test that failed."""
        files = [self.folder / "up.log", *sorted((self.folder / ".tip" / "logs").rglob("*.log"))]
        return "\n".join(f"{file.name}: {file.read_text(errors='replace')[-2000:]}" for file in files if file.exists())


@contextmanager
def living_house(
    *, data_bytes: int | None = None, disk_bytes: int | None = None, network: OwnNetwork | None = None
) -> Iterator[House]:
    """A house with `tip up`, a model server, and a clock of its own where a compiler is.

    With `data_bytes`, its data lie on a file system of their own, of that size; with `disk_bytes`, all of it does,
    PostgreSQL too. With `network`, the model server is at its other end.
    """
    with temporary_home() as folder, ExitStack() as stack:
        if disk_bytes is not None:
            stack.enter_context(mounted(folder, disk_bytes))
            stack.callback(embedded.stop, folder)
        for name in ("dagster.yaml", "workspace.yaml"):
            shutil.copy(ROOT / name, folder)
        clock = ShiftedClock(folder) if COMPILER else None
        house = House(folder, clock, network)
        if data_bytes is not None:
            house.data.mkdir(parents=True)
            stack.enter_context(mounted(house.data, data_bytes))
        stack.callback(house.stop)
        house.start_models()
        house.start_up()
        yield house


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """The first true value of `condition`."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
    return value
