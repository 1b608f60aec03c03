"""The jobs of step_overhead.py, one per executor: steps in a chain and mapped ones, which do nothing."""

from typing import Any

import dagster as dg
from sqlalchemy import create_engine

from tip_resources.database.connection import database
from tip_resources.database.step_leases import Outcome, StepLeaseStore
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.home import state_folder
from tip_resources.launch.executor import NodeExecutor, node_executor
from tip_resources.launch.fork_server import start_fork_server
from tip_resources.launch.step_backend import LocalBackend
from tip_resources.launch.step_handler import NodeStepHandler
from tip_resources.launch.step_process import BEST_START_METHOD
from tip_resources.launch.step_slots import StepSlots, Usage
from tip_resources.settings.live import LiveSettings

CHAINED = 10
MAPPED = 20


class UncountedSlots(StepSlots):
    """Counts the slots of its own run only, in memory: what steps would cost if runs did not agree on slots."""

    def __init__(self) -> None:
        super().__init__(StepLeaseStore(create_engine("postgresql+psycopg2://")))

    def begin(self, run_id: str) -> None:
        self._run_id = run_id

    def usage(self) -> Usage:
        return Usage(list(self._held.values()), [])

    def take(self, step_key: str, node: str, slots: int) -> bool:
        if len(self._held) >= slots:
            return False
        self._held[step_key] = self._lease(step_key, node)
        return True

    def wait(self, step_key: str, node: str) -> None:
        """Nobody else wants it."""

    def works(self, step_key: str, pid: int) -> None:
        """Nobody asks."""

    def release(self, step_key: str, outcome: Outcome | None) -> None:
        self._held.pop(step_key, None)

    def renew(self) -> None:
        """Nothing expires."""

    def release_all(self) -> None:
        self._held.clear()


@dg.executor(name="uncounted", config_schema={}, requirements=dg.multiple_process_executor_requirements())
def uncounted_executor(_context: dg.InitExecutorContext) -> NodeExecutor:
    start_fork_server([__name__])
    fleet = KnownFleet(database(), LiveSettings().current)
    backend = LocalBackend(fleet, BEST_START_METHOD, state_folder())
    return NodeExecutor(NodeStepHandler(fleet, backend, UncountedSlots()), None)


@dg.op
def link(before: int) -> int:
    return before + 1


@dg.op
def first_link() -> int:
    return 1


@dg.op(out=dg.DynamicOut(int))
def fan_out(before: int):
    for number in range(MAPPED):
        yield dg.DynamicOutput(before + number, mapping_key=str(number))


@dg.graph
def chain_and_map():
    value = first_link()
    for number in range(CHAINED - 2):
        value = link.alias(f"link_{number}")(value)
    fan_out(value).map(link)


def _job(name: str, executor: dg.ExecutorDefinition) -> Any:
    return chain_and_map.to_job(
        name=name, executor_def=executor, resource_defs={"io_manager": dg.FilesystemIOManager()}
    )


def in_process():
    return _job("in_process", dg.in_process_executor)


def multiprocess():
    return _job("multiprocess", dg.multiprocess_executor.configured({"max_concurrent": 2}))


def node_with_leases():
    return _job("node_with_leases", node_executor)


def node_without_leases():
    return _job("node_without_leases", uncounted_executor)
