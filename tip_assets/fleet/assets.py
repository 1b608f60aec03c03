"""The machines of the fleet and its gate as assets that nobody makes: sensors/fleet_nodes.py observes them.

A machine that was invited has its definition from the next start on; observed it is at once.
"""

from collections.abc import Iterable

import dagster as dg

from tip_assets.catalogue import FLEET, OWNERS
from tip_assets.fleet.figures import GATE_KEY, node_key

_MACHINE = (
    "A machine of the fleet: its state with the reason, temperatures, slots and what of ours runs there; observed when "
    "its state changes and every 15 minutes, with a picture of its last day."
)
_GATE = "How many runs may go on at once, and why; observed when the limit changes (docs/gate.md)."


def fleet_specs(nodes: Iterable[str]) -> list[dg.AssetSpec]:
    """The gate, and each machine by name."""
    gate = dg.AssetSpec(GATE_KEY, description=_GATE, group_name=FLEET, owners=OWNERS, kinds={"gate"})
    machines = [
        dg.AssetSpec(node_key(node), description=_MACHINE, group_name=FLEET, owners=OWNERS, kinds={"machine"})
        for node in sorted(set(nodes))
    ]
    return [gate, *machines]
