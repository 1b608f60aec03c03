"""Interpreters that have loaded the definitions and wait for a step: the warm start where there is no fork.

A step takes the oldest one and the pool starts another. Spares end when their stdin closes: with the process that
owns the pool, however it ends, or when no step has come for a while.
"""

import contextlib
import os
import subprocess
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tip_resources.launch.orders import start_worker

# One to take while the other loads. What one costs: benchmarks/fleet/start_methods.py.
POOL_SIZE = 2
_IDLE_SECONDS = 300.0
_LOOK_SECONDS = 1.0
# A spare that dies again and again has a cause that the next one shares.
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_WORKER_MODULE = "tip_resources.launch.worker"


@dataclass(frozen=True)
class Spare:
    """An interpreter that waits for orders on its stdin, or is still loading."""

    process: subprocess.Popen[bytes]
    stop_file: Path


class SparePool:
    """Spares of this process, kept by a thread of its own.

    Args:
        start: Starts one.
        size: How many wait.
        idle_seconds: They are given up when no step has come for so long.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        start: Callable[[], Spare],
        *,
        size: int = POOL_SIZE,
        idle_seconds: float = _IDLE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._size = size
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._spares: deque[Spare] = deque()
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._wanted = threading.Event()
        self._taken_at = clock()
        self._pause_seconds = 0.0
        self._not_before = 0.0
        self._keeper: threading.Thread | None = None

    def open(self) -> None:
        """Starts the first spares, and keeps them from now on, in the background."""
        self._wanted.set()
        self._keeper = threading.Thread(target=self._keep, name="spare-pool", daemon=True)
        self._keeper.start()

    def take(self) -> Spare:
        """The spare that has waited longest, else a new one, which has to load first."""
        with self._lock:
            self._taken_at = self._clock()
            self._drop_the_dead()
            spare = self._spares.popleft() if self._spares else None
        self._wanted.set()
        return spare or self._start()

    def waiting(self) -> list[int]:
        """The process ids of the spares."""
        with self._lock:
            return [spare.process.pid for spare in self._spares]

    def close(self) -> None:
        """Ends the spares, not the steps."""
        self._is_closed.set()
        self._wanted.set()
        if self._keeper is not None:
            self._keeper.join()
        self._give_up()

    def look(self) -> None:
        """One look: gives up spares nobody has wanted for long, and starts those that are missing."""
        now = self._clock()
        if now - self._taken_at > self._idle_seconds:
            self._give_up()
            return
        with self._lock:
            if self._drop_the_dead():
                self._pause_seconds = min(max(_FIRST_PAUSE_SECONDS, self._pause_seconds * 2), _LONGEST_PAUSE_SECONDS)
                self._not_before = now + self._pause_seconds
            missing = self._size - len(self._spares)
        if now < self._not_before:
            return
        for _ in range(missing):
            spare = self._start()
            with self._lock:
                self._spares.append(spare)

    def _keep(self) -> None:
        while not self._is_closed.is_set():
            self.look()
            self._wanted.wait(_LOOK_SECONDS)
            self._wanted.clear()

    def _drop_the_dead(self) -> bool:
        alive = [spare for spare in self._spares if spare.process.poll() is None]
        lost = len(alive) < len(self._spares)
        self._spares = deque(alive)
        return lost

    def _give_up(self) -> None:
        with self._lock:
            given_up, self._spares = self._spares, deque()
        for spare in given_up:
            with contextlib.suppress(OSError):
                assert spare.process.stdin is not None, "start_worker gives every worker a stdin"
                spare.process.stdin.close()
            spare.process.wait()


_pools: list[SparePool] = []


def the_pool(folder: Path, modules: Iterable[str] = (), working_directory: str | None = None) -> SparePool:
    """This process's pool; opened at the first call, whose arguments count.

    Args:
        folder: Where its spares run; holds no `.env`.
        modules: Where the definitions are; loaded besides Dagster.
        working_directory: Where Python finds them, when it would not by itself.
    """
    if not _pools:
        named, path = list(modules), working_directory
        _pools.append(SparePool(lambda: start_spare(folder, named, path)))
        _pools[0].open()
    return _pools[0]


def start_spare(folder: Path, modules: Iterable[str], working_directory: str | None) -> Spare:
    """A new interpreter that loads `modules` and Dagster, then waits for its orders."""
    from tip_resources.launch.fork_server import warm_environment

    stop_file = folder / f"stop-{uuid.uuid4().hex}"
    arguments = ["--load", *(["--stop-file", str(stop_file)] if os.name == "nt" else [])]
    environment = warm_environment(modules, working_directory)
    process = start_worker(_WORKER_MODULE, arguments, environment=environment, cwd=folder, log_file=None)
    return Spare(process, stop_file)
