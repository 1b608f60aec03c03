"""How long after a game has begun on a machine no model call is in flight there any more, and where the time goes.

All parts are real: a node agent (gaming_agent.py: a file is its game), the fleet watcher as the process that `tip up`
starts, a PostgreSQL, and the request engine over two rehearsal servers, one on the machine of the game and one that is
on none. Only the network is missing: all processes are on this machine. A run keeps both servers busy, lets the game
begin at a random moment, and waits until the first server itself says that it works on nothing.

    python -m benchmarks.fleet.game_to_drain                          asked every second, measured every second
    python -m benchmarks.fleet.game_to_drain --check-seconds 30 --agent-seconds 5       tip's own defaults

The parts, each from the end of the one before: `asked` until the agent is asked and sees the game, `written` until
the database has the state, `read` until the engine knows it, `drained` until nothing is in flight.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import Engine, text

from tip_assets.generation.bench_requests import bench_request
from tip_assets.generation.engine import SharedRecords, engine_for
from tip_resources.database import embedded
from tip_resources.database.connection import URL_VARIABLE, close, database
from tip_resources.database.performance import new_run_id
from tip_resources.fleet.fleet_servers import FleetServers
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.home import HOME_VARIABLE
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.types import ChatRequest, Endpoint, EngineNotice, RequestDone
from tip_resources.rehearsal.process import rehearsal_process
from tip_resources.settings.live import LiveSettings

_ROOT = Path(__file__).parents[2]
_NODE = "game-pc"
_PARTS = ("asked", "written", "read", "drained")
# Answers of some 10 s, so that calls are under way whenever the game begins.
_SERVER = ("--tokens-per-second", "40", "--concurrency-gain", "1.0")
_AT_ONCE = 4
_MAX_TOKENS = 2000
_LOOK_SECONDS = 0.01
_RELEASE_SECONDS = 1
_IN_USE = text("""
SELECT extract(epoch FROM state_written_at) FROM tip.nodes
WHERE name = :node AND newest_state->>'status' = 'in_use'
""")


@dataclass(frozen=True)
class Drain:
    """One game: when it began, and the moments after it, in seconds since 1970."""

    began: float
    seen: float
    written: float
    read: float
    drained: float

    @property
    def seconds(self) -> float:
        return self.drained - self.began

    @property
    def parts(self) -> tuple[float, ...]:
        moments = (self.began, self.seen, self.written, self.read, self.drained)
        return tuple(after - before for before, after in pairwise(moments))


class Bench:
    """The engine at work, and everything that is looked at from outside."""

    def __init__(self, engine: RequestEngine, tables: Engine, server: str, folder: Path, check_seconds: float) -> None:
        self._engine, self._tables, self._server, self._folder = engine, tables, server, folder
        self._check_seconds = check_seconds
        self.paused_at: float | None = None

    def heard(self, notice: EngineNotice) -> None:
        """Notes when the engine ceased to ask the machine of the game."""
        if notice.kind == "endpoint_paused" and notice.endpoint == _NODE and self.paused_at is None:
            self.paused_at = time.time()

    async def game(self) -> Drain:
        """One game, from a moment when the machine is fully used."""
        while self._engine.status()[0].in_flight < 2:
            await asyncio.sleep(_LOOK_SECONDS)
        await asyncio.sleep(random.uniform(0.0, self._check_seconds))
        self.paused_at = None
        (self._folder / "seen").unlink(missing_ok=True)
        (self._folder / "gaming").touch()
        began = time.time()
        written = await self._until(lambda: self._written_since(began))
        drained = await self._until(lambda: None if in_flight_at(self._server) else time.time())
        while self.paused_at is None:
            await asyncio.sleep(_LOOK_SECONDS)
        seen = float((self._folder / "seen").read_text())
        (self._folder / "gaming").unlink()
        return Drain(began, seen, written, self.paused_at, drained)

    def _written_since(self, began: float) -> float | None:
        with self._tables.connect() as connection:
            at = connection.execute(_IN_USE, {"node": _NODE}).scalar()
        return float(at) if at is not None and float(at) > began else None

    async def _until(self, look: Callable[[], float | None]) -> float:
        while (found := await asyncio.to_thread(look)) is None:
            await asyncio.sleep(_LOOK_SECONDS)
        return found


def in_flight_at(server: str) -> int:
    """Calls that a rehearsal server works on, as it says."""
    with urllib.request.urlopen(server.removesuffix("/v1") + "/rehearsal/stats") as answer:
        return json.load(answer)["in_flight"]


@contextmanager
def project(agent_url: str, check_seconds: float) -> Iterator[Path]:
    """A project folder with that one machine in its fleet, and a database of its own."""
    home = Path(tempfile.mkdtemp(prefix="tip-game-")).resolve()
    home.chmod(0o755)  # its server may run as another user
    (home / "config").mkdir()
    settings = {
        "models": {"probe_localhost": False},
        "node": {"health_check_seconds": check_seconds},
        "fleet": {"nodes": [{"name": _NODE, "url": agent_url}], "in_use_release_seconds": _RELEASE_SECONDS},
    }
    (home / "config" / "default.yaml").write_text(json.dumps(settings))
    try:
        yield home
    finally:
        close(home)
        embedded.stop(home)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def process(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A Python program that ends when its stdin closes."""
    started = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=_ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield started
    finally:
        started.communicate(timeout=30)


@asynccontextmanager
async def working(home: Path, servers: tuple[str, str], folder: Path, check_seconds: float) -> AsyncIterator[Bench]:
    """An engine that is kept busy; at the end no call may have been lost."""
    tables, live = database(home), LiveSettings(home)
    common = {"model": "rehearsal", "concurrency": _AT_ONCE, "most_at_once": _AT_ONCE}
    endpoints = [
        Endpoint(name=_NODE, url=servers[0], node=_NODE, **common),
        Endpoint(name="elsewhere", url=servers[1], **common),
    ]
    is_over = asyncio.Event()

    def requests() -> Iterator[ChatRequest]:
        index = 0
        while not is_over.is_set():
            yield bench_request(index, _MAX_TOKENS)
            index += 1

    fleet = FleetServers(KnownFleet(tables, live.current), tables)
    # By the address under which its leases stand the watcher knows that the machine works for us, and asks it often.
    shared = SharedRecords(tables, new_run_id(), _NODE)
    listeners: list[Callable[[EngineNotice], None]] = []

    def heard(notice: EngineNotice) -> None:
        for listener in listeners:
            listener(notice)

    async with engine_for(endpoints, live.current(), shared=shared, fleet=fleet, on_notice=heard) as engine:
        bench = Bench(engine, tables, servers[0], folder, check_seconds)
        listeners.append(bench.heard)

        async def work() -> list[RequestDone]:
            return [event async for event in engine.run(requests()) if isinstance(event, RequestDone)]

        at_work = asyncio.create_task(work())
        yield bench
        is_over.set()
        done = await at_work
    lost = [one for one in done if one.failure is not None]
    print(f"{len(done)} calls answered, {len(lost)} lost {[one.detail for one in lost[:3]] if lost else ''}".rstrip())


async def measure(home: Path, servers: tuple[str, str], folder: Path, runs: int, check_seconds: float) -> list[Drain]:
    """So many games, one after the other."""
    drains = []
    async with working(home, servers, folder, check_seconds) as bench:
        for number in range(runs):
            drains.append(await bench.game())
            told = ", ".join(f"{name} {part:.2f}" for name, part in zip(_PARTS, drains[-1].parts, strict=True))
            print(f"game {number + 1}: {drains[-1].seconds:.2f} s ({told})", flush=True)
    return drains


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check-seconds", type=float, default=1.0, help="node.health_check_seconds")
    parser.add_argument("--agent-seconds", type=float, default=1.0, help="the agent's --every-seconds")
    options = parser.parse_args()
    os.environ.pop(URL_VARIABLE, None)
    with (
        tempfile.TemporaryDirectory() as given,
        process("benchmarks.fleet.gaming_agent", given, _NODE, str(options.agent_seconds)) as agent,
        project((agent.stdout or sys.stdin).readline().strip(), options.check_seconds) as home,
        rehearsal_process(*_SERVER) as first,
        rehearsal_process(*_SERVER) as second,
    ):
        database(home)
        with process("tip_resources.fleet.fleet_service", "--supervised", **{HOME_VARIABLE: str(home)}):
            measured = measure(home, (first, second), Path(given), options.runs, options.check_seconds)
            drains = asyncio.run(measured)
    for name, seconds in (("in all", [one.seconds for one in drains]), *_by_part(drains)):
        print(f"{name:<8} median {statistics.median(seconds):6.2f} s   most {max(seconds):6.2f} s")


def _by_part(drains: list[Drain]) -> Iterator[tuple[str, list[float]]]:
    for place, name in enumerate(_PARTS):
        yield name, [one.parts[place] for one in drains]


if __name__ == "__main__":
    main()
