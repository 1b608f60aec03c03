"""What people order of machines: `tip nodes pause`, `resume` and `drain`, and waiting until a drained one is empty."""

import time
from collections.abc import Callable
from pathlib import Path

from node_agent.identity import node_name
from tip_resources.database.connection import database
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.fleet.endpoint_nodes import EndpointNodes
from tip_resources.fleet.node_order import OrderKind
from tip_resources.fleet.under_way import NOTHING, UnderWay, under_way
from tip_resources.settings.changes import this_person
from tip_resources.settings.layers import load_settings

LOOK_SECONDS = 1.0
# An engine or run that has not read the order yet may still begin something: empty only when it stays empty.
_EMPTY_LOOKS = 4


class Orders:
    """Orders to the machines of a project folder's fleet."""

    def __init__(self, home: Path) -> None:
        self._engine = database(home)
        self._settings = load_settings(home)
        self._own = node_name()
        self._nodes = EndpointNodes(own=self._own)

    @property
    def members(self) -> list[str]:
        """The machines of the fleet, this one first."""
        return list(dict.fromkeys([self._own, *(node.name for node in self._settings.fleet.nodes)]))

    @property
    def ordered(self) -> list[str]:
        """The machines that are under an order, of the fleet or not any more."""
        return sorted(NodeOrderStore(self._engine).all())

    def give(self, node: str, kind: OrderKind, reason: str) -> None:
        """Puts an order in force, signed by who runs this process."""
        NodeOrderStore(self._engine).give(node, kind, by=this_person(), reason=reason)

    def lift(self, node: str) -> bool:
        """Takes the order back; False when there was none."""
        return NodeOrderStore(self._engine).lift(node, by=this_person())

    def under_way(self, node: str) -> UnderWay:
        """What of ours runs there now, by the leases of all engines and runs."""
        return under_way(self._engine, self._nodes, self._settings.fleet.nodes).get(node, NOTHING)

    def wait_until_empty(self, node: str, on_change: Callable[[UnderWay], None]) -> None:
        """Returns when nothing of ours ran there for some looks in a row; tells what runs whenever that changes."""
        told: UnderWay | None = None
        empty = 0
        while empty < _EMPTY_LOOKS:
            now = self.under_way(node)
            if now != told and not now.is_nothing:
                on_change(now)
            told, empty = now, empty + 1 if now.is_nothing else 0
            if empty < _EMPTY_LOOKS:
                time.sleep(LOOK_SECONDS)
