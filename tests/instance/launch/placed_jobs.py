"""Jobs whose steps ask for nodes, part of the small code location; some on several machines that are all this one."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from tip_resources.database.connection import database
from tip_resources.database.step_leases import StepLeaseStore
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import NodeState
from tip_resources.launch.executor import NodeExecutor
from tip_resources.launch.fork_server import start_fork_server
from tip_resources.launch.step_backend import LocalBackend
from tip_resources.launch.step_handler import NodeStepHandler
from tip_resources.launch.step_process import BEST_START_METHOD, StartableStep
from tip_resources.launch.step_slots import StepSlots
from tip_resources.settings.live import LiveSettings

MACHINES = {
    "twin-pi-a": frozenset({"cpu", "linux", "class:pi"}),
    "twin-pi-b": frozenset({"cpu", "linux", "class:pi"}),
    "twin-desk": frozenset({"cpu", "linux", "gpu", "class:generation"}),
}


class SeveralMachinesHere:
    """Several nodes by name and capability, on each of which a step is a real process of this one machine."""

    def __init__(self, local: LocalBackend) -> None:
        self._local = local

    def reachable(self, states: Sequence[NodeState]) -> Sequence[NodeState]:
        return [replace(states[0], node=name, capabilities=has) for name, has in MACHINES.items()]

    def start(self, node: str, environment: Mapping[str, str]) -> StartableStep:
        return self._local.start(node, environment)


@dg.executor(name="several", config_schema={}, requirements=dg.multiple_process_executor_requirements())
def several_machines_executor(_context: dg.InitExecutorContext) -> NodeExecutor:
    start_fork_server(["small_definitions"])
    engine = database()
    fleet = KnownFleet(engine, LiveSettings().current)
    backend = SeveralMachinesHere(LocalBackend(fleet, BEST_START_METHOD, Path.cwd()))
    return NodeExecutor(NodeStepHandler(fleet, backend, StepSlots(StepLeaseStore(engine)), 1), None)


def note(what: str) -> None:
    """As in small_definitions.py: a file named after `what` and this process."""
    folder = Path(os.environ["LAUNCH_TEST_FOLDER"])
    (folder / f"{what}.{os.getpid()}.{time.monotonic_ns()}").touch()


@dg.op
def busy() -> None:
    note("busy-begins")
    time.sleep(0.2)
    note("busy-ends")


@dg.job
def crowd():
    for number in range(3):
        busy.alias(f"busy_{number}")()


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1), tags={"tip/node-class": "pi"})
def fails_at_first() -> None:
    is_first = not list(Path(os.environ["LAUNCH_TEST_FOLDER"]).glob("try-on-*"))
    note(f"try-on-{os.environ['TIP_NODE']}")
    if is_first:
        raise dg.Failure("not on this one")


@dg.op(tags={"tip/requires": "gpu", "tip/prefers": "cpu"})
def needs_a_card() -> None:
    note(f"card-on-{os.environ['TIP_NODE']}")


@dg.job(executor_def=several_machines_executor)
def choosy():
    fails_at_first()
    needs_a_card()


@dg.op(tags={"tip/memory-mb": "lots"}, retry_policy=dg.RetryPolicy(max_retries=5))
def asks_for_lots() -> None:
    note("lots")


@dg.job
def wrongly_tagged():
    asks_for_lots()


@dg.op(tags={"tip/requires": "warp-drive"})
def asks_for_what_nobody_has() -> None:
    note("warp")


@dg.job
def impossible():
    asks_for_what_nobody_has()


PLACED_JOBS: list[Any] = [crowd, choosy, wrongly_tagged, impossible]
