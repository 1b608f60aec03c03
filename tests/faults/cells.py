"""The faults, the moments, and what became of a set that a fault met at a moment."""

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psutil

from tests.faults.house import House, wait_until

COUNT = 12
END_SECONDS = 240.0
# `tip up` takes a service that ends six times in ten minutes for broken, and stops.
ENOUGH_SERVICES_KILLED = 4


@dataclass(frozen=True)
class Moment:
    """A moment in the making of a set: `has_come` is asked again and again with the set's name."""

    name: str
    has_come: Callable[[House, str], bool]
    # Steps that may be at work then; a run exists from the first of them on.
    has_run: bool = True


def _step(name: str) -> Callable[[House, str], bool]:
    return lambda house, dataset: house.has_started(dataset, name)


MOMENTS = (
    Moment("between partition and run", lambda house, dataset: house.has_partition_only(dataset), has_run=False),
    Moment("planning", _step("scenarios")),
    Moment("first call", lambda house, dataset: house.kept(dataset) >= 1),
    Moment("half way", lambda house, dataset: house.kept(dataset) >= COUNT // 2),
    Moment("collecting", _step("raw_conversations.collect_shards")),
    Moment("dedupe", _step("deduped_conversations")),
    Moment("grading", _step("graded_conversations%")),
    Moment("scrubbing", _step("scrubbed_conversations")),
    Moment("exporting", _step("lex_export")),
)


@dataclass(frozen=True)
class Fault:
    """What happens to the house; `needs_run` faults have nothing to meet before there is a run."""

    name: str
    happens: Callable[[House, str], None]
    needs_run: bool = False


def _kill_worker(house: House, dataset: str) -> None:
    wait_until(lambda: house.worker_of(dataset), "a run worker").kill()


def _kill_step(house: House, dataset: str) -> None:
    """The steps at work: what the worker's fork server has started, with what they started themselves."""

    def steps() -> list[psutil.Process]:
        if (worker := house.worker_of(dataset)) is None:
            return []
        below = worker.children(recursive=True)
        started = [process for process in below if process.ppid() != worker.pid]
        return [process for process in started if process.children()]

    for step in wait_until(steps, "a step at work"):
        for process in (*step.children(recursive=True), step):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def _kill_service(word: str) -> Callable[[House, str], None]:
    def kill(house: House, _: str) -> None:
        for process in wait_until(lambda: house.processes(word), word):
            process.kill()
        house.services_killed += 1

    return kill


FAULTS = (
    Fault("run worker", _kill_worker, needs_run=True),
    Fault("step", _kill_step, needs_run=True),
    Fault("daemon", _kill_service("tip_resources.launch.daemon")),
    Fault("code server", _kill_service("code-server")),
    Fault("PostgreSQL", lambda house, _: house.kill_database()),
    Fault("model server", lambda house, _: house.kill_models()),
    Fault("supervisor", lambda house, _: house.kill_up()),
)

# What befalls the whole machine, for a while. Not at every moment: it does not care what a run is at.
OF_THE_MACHINE = (
    Fault("PostgreSQL restarted", lambda house, _: house.restart_database()),
    Fault("model server silent for 20 s", lambda house, _: house.silence_models(20)),
    Fault("asleep for an hour", lambda house, _: house.sleep(3600)),
    Fault("clock 10 min ahead", lambda house, _: house.shift_clock(600)),
    Fault("clock 10 min back", lambda house, _: house.shift_clock(-600)),
)
# What befalls the disk that the data lie on.
OF_THE_DISK = (
    Fault("disk full for 10 s", lambda house, _: house.fill_disk(10)),
    Fault("disk read-only for 10 s", lambda house, _: house.lock_disk(10)),
)
# The same where PostgreSQL, logs and settings lie on it too.
OF_THE_SHARED_DISK = (
    Fault("shared disk full for 10 s", lambda house, _: house.fill_disk(10)),
    Fault("PostgreSQL killed on a full disk", lambda house, _: house.fill_disk(10, house.kill_database)),
)
# What befalls the way to the model server.
OF_THE_NETWORK = (Fault("network gone for 20 s", lambda house, _: house.cut_network(20)),)
MOMENTS_OF_THE_MACHINE = tuple(moment for moment in MOMENTS if moment.name in ("planning", "half way", "exporting"))


@dataclass(frozen=True)
class Cell:
    """What became of one set. `model_calls` were asked for in all, `answers_lost` of them for nothing."""

    fault: str
    moment: str
    asked: int
    state: str
    exported: int
    different: int
    half_files: int
    runs: int
    model_calls: int
    answers_lost: int
    seconds: float

    def is_whole(self) -> bool:
        """Complete, each call once, nothing half-written, one run."""
        return (
            self.state == "done"
            and self.exported == self.different == self.asked
            and self.half_files == 0
            and self.runs == 1
        )


def meet(house: House, fault: Fault, moment: Moment, dataset: str) -> Cell:
    """Asks for a set, lets the fault happen at the moment, and waits until the set has ended."""
    if house.services_killed >= ENOUGH_SERVICES_KILLED:
        house.kill_up()
    # Another seed for each: the same plan would be found to be delivered already.
    seed = int.from_bytes(hashlib.sha256(dataset.encode()).digest()[:3])
    started, before = time.monotonic(), house.model_requests()
    house.ask(dataset, COUNT, seed)
    wait_until(lambda: moment.has_come(house, dataset), moment.name, END_SECONDS)
    at_fault = house.model_requests()
    fault.happens(house, dataset)
    # A model server that was started anew counts from 0.
    was_replaced = house.model_requests() < at_fault
    wait_until(lambda: house.state_of(dataset) in ("done", "failed", "cancelled"), f"the end of {dataset}", END_SECONDS)
    model_calls = house.model_requests() + (at_fault if was_replaced else 0) - before
    return Cell(
        fault=fault.name,
        moment=moment.name,
        asked=COUNT,
        state=house.state_of(dataset) or "",
        **_exported(house.data / "exports" / dataset / "jsonl" / "conversations.jsonl"),
        half_files=len(_half_files(house.data)),
        runs=len(house.rows("SELECT 1 FROM tip_dagster.runs WHERE partition = :name", name=dataset)),
        model_calls=model_calls,
        answers_lost=model_calls - len(list((house.data / "parts" / dataset / "usage").glob("*.json"))),
        seconds=round(time.monotonic() - started, 1),
    )


def _exported(file: Path) -> dict[str, int]:
    calls = [json.loads(line) for line in file.read_bytes().splitlines()] if file.is_file() else []
    texts = {hashlib.sha256(json.dumps(call["turns"]).encode()).hexdigest() for call in calls}
    return {"exported": len(calls), "different": min(len(texts), len({call["id"] for call in calls}))}


def _half_files(data: Path) -> list[Path]:
    """Files that cannot be read to their end, and leftovers of ones that were being written."""
    found = [path for path in data.rglob("*") if path.name.endswith((".tmp", ".building", ".replaced"))]
    for path in data.rglob("*.parquet"):
        try:
            pl.read_parquet(path)
        except pl.exceptions.PolarsError:
            found.append(path)
    for path in data.rglob("*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            found.append(path)
    return found
