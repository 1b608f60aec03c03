"""One step as a process of this machine: forked from a warm server, taken from a pool of spares, or started anew.

Each kind waits for its orders (orders.py), so its identity is on record before it does anything. A step
whose orchestrator died is taken over by its identity alone (`AdoptedStep`).
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal, Protocol

import msgspec
import psutil

from tip_resources.launch.fork_server import HAS_FORK_SERVER, start_fork_server
from tip_resources.launch.orders import NO_ORDERS_EXIT_CODE, Orders, give_orders
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.spare_pool import Spare, start_spare, the_pool
from tip_resources.launch.stopping import ask_to_stop

StartMethod = Literal["forkserver", "pool", "subprocess"]
BEST_START_METHOD: StartMethod = "forkserver" if HAS_FORK_SERVER else "pool"


class StepProcess(Protocol):
    """A running or ended step."""

    @property
    def identity(self) -> ProcessIdentity: ...

    def how_ended(self) -> str | None:
        """In words; None while it runs."""
        ...

    def stop(self) -> None:
        """Asks it to end: Dagster records the interrupt and runs the step's clean-up. Does not wait."""
        ...


class StartableStep(StepProcess, Protocol):
    """A step process that waits for its orders."""

    def give_orders(self, orders: Orders) -> None: ...


class ForkedStep:
    """Forked from the warm server."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        context = multiprocessing.get_context("forkserver")
        theirs, self._ours = context.Pipe(duplex=False)
        self._process: BaseProcess = context.Process(target=_run_forked_step, args=(theirs, dict(environment)))
        self._process.start()
        theirs.close()
        self.identity = _identity_of(self._process.pid)

    def give_orders(self, orders: Orders) -> None:
        self._ours.send(orders)
        self._ours.close()

    def how_ended(self) -> str | None:
        # When the fork server was killed, multiprocessing says 255 of children that work on.
        if self._process.exitcode is None or self.identity.is_alive():
            return None
        return f"exit code {self._process.exitcode}"

    def stop(self) -> None:
        self._process.terminate()


class InterpreterStep:
    """An interpreter of its own, from the pool of spares or started anew.

    Args:
        spare: One that waits for its orders.
        environment: Added to the one it was started with.
    """

    def __init__(self, spare: Spare, environment: Mapping[str, str]) -> None:
        self._spare = spare
        self._environment = dict(environment)
        self.identity = _identity_of(spare.process.pid)

    def give_orders(self, orders: Orders) -> None:
        """As the other kinds do.

        Raises:
            BrokenPipeError: It has died already.
        """
        environment = {**orders.environment, **self._environment}
        give_orders(self._spare.process, msgspec.structs.replace(orders, environment=environment))

    def how_ended(self) -> str | None:
        code = self._spare.process.poll()
        return None if code is None else f"exit code {code}"

    def stop(self) -> None:
        ask_to_stop(self.identity, self._spare.stop_file)


def prepare(method: StartMethod, folder: Path, modules: Sequence[str], working_directory: str | None) -> None:
    """Loads the definitions ahead of the first step, in the background; nothing happens when that was done.

    Args:
        method: How steps will be started.
        folder: Where they run; holds no `.env`.
        modules: Where the definitions are.
        working_directory: Where Python finds them, when it would not by itself.
    """
    if method == "forkserver":
        start_fork_server(modules, working_directory)
    elif method == "pool":
        the_pool(folder, modules, working_directory)


def start_step(method: StartMethod, environment: Mapping[str, str], folder: Path) -> StartableStep:
    """A process that waits for its orders; `folder` is where it runs, but for forked ones."""
    match method:
        case "forkserver":
            return ForkedStep(environment)
        case "pool":
            return InterpreterStep(the_pool(folder).take(), environment)
        case "subprocess":
            return InterpreterStep(start_spare(folder, (), None), environment)


class AdoptedStep:
    """Started by an orchestrator that has died since; known by its identity only."""

    def __init__(self, identity: ProcessIdentity) -> None:
        self.identity = identity

    def how_ended(self) -> str | None:
        return None if self.identity.is_alive() else "no exit code is known, for its orchestrator had died"

    def stop(self) -> None:
        if self.identity.is_alive():
            psutil.Process(self.identity.pid).terminate()


def _identity_of(pid: int | None) -> ProcessIdentity:
    """The identity of a child just started; one that has died already keeps a start time no process has."""
    assert pid is not None, "the process was started"
    return ProcessIdentity.of(pid) or ProcessIdentity(pid, "died at its start")


def _run_forked_step(connection: Connection, environment: dict[str, str]) -> None:
    """The whole life of a forked step."""
    from tip_resources.launch.run_work import work

    try:
        orders = connection.recv()
    except EOFError:
        sys.exit(NO_ORDERS_EXIT_CODE)
    connection.close()
    os.environ.update(environment)
    work(orders)
