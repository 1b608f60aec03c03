"""Where steps can be started, and how: each kind of place is a `StepBackend`.

Which node a step goes to is decided in fleet/placement.py, when it goes there in step_handler.py.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import NodeState
from tip_resources.launch.step_process import StartableStep, StartMethod, start_step


class StepBackend(Protocol):
    """A way of starting steps."""

    def reachable(self, states: Sequence[NodeState]) -> Sequence[NodeState]:
        """Those of the fleet's nodes on which it can start steps."""
        ...

    def start(self, node: str, environment: Mapping[str, str]) -> StartableStep:
        """A process on `node` that waits for its orders, with `environment` added to ours."""
        ...


class LocalBackend:
    """Steps as processes of this machine: they run where Dagster runs.

    Args:
        fleet: Knows which of its nodes this machine is.
        start_method: How step processes are made.
        folder: Where they run, in the sense of cwd; holds no `.env`.
    """

    def __init__(self, fleet: KnownFleet, start_method: StartMethod, folder: Path) -> None:
        self._fleet = fleet
        self._start_method: StartMethod = start_method
        self._folder = folder

    def reachable(self, states: Sequence[NodeState]) -> Sequence[NodeState]:
        """This machine."""
        return [state for state in states if state.node == self._fleet.own_name]

    def start(self, node: str, environment: Mapping[str, str]) -> StartableStep:
        return start_step(self._start_method, environment, self._folder)
