"""Made-up fleets for measuring decisions: every status, unknowns and full nodes among them. The same each time."""

import random
from dataclasses import replace

from node_agent.report import Reading
from tip_resources.fleet.heat import CPU, PartHeat
from tip_resources.fleet.node_state import Memory, NodeState, Status

_STATUSES: tuple[Status, ...] = ("ready", "throttled", "hot", "in_use", "quiet", "draining", "stale", "lost")
_SHARES = (70, 8, 4, 6, 4, 2, 3, 3)
_KINDS = ("pi", "laptop", "generation", "processing")


def mixed_fleet(count: int, seed: int = 1) -> list[NodeState]:
    """So many nodes, about three in four of them open for work."""
    chance = random.Random(seed)
    return [_node(index, chance) for index in range(count)]


def open_fleet(count: int) -> list[NodeState]:
    """Nodes with cards, all alike and open for work: the most that a decision has to weigh."""
    parts = tuple(PartHeat(name, "cool", f"{name} at 50 C", Reading(50.0)) for name in (CPU, "GPU 0"))
    alike = NodeState("", "ready", "CPU at 50 C", 4, 1, 2, Reading(50.0), 0.97, 8 << 30, memory=Memory(parts))
    return [replace(alike, node=node.node, capabilities=node.capabilities) for node in mixed_fleet(count)]


def _node(index: int, chance: random.Random) -> NodeState:
    status = chance.choices(_STATUSES, _SHARES)[0]
    celsius = {"throttled": 76.0, "hot": 84.0}.get(status, chance.uniform(35, 74))
    slots = chance.choice((1, 2, 4, 8))
    return NodeState(
        node=f"node-{index:04}",
        status=status,
        reason=f"CPU at {celsius:.0f} C" if status in {"ready", "throttled", "hot"} else "as it says itself",
        slots=slots,
        slots_used=chance.randint(0, slots),
        queue_depth=chance.choice((None, 0, 0, 3, 20)),
        cpu_celsius=Reading.unknown("no sensor") if chance.random() < 0.1 else Reading(celsius),
        success_ratio=chance.choice((None, chance.uniform(0.8, 1))),
        memory_available_bytes=chance.choice((None, chance.randint(1, 64) << 30)),
        capabilities=frozenset({"cpu", "linux", f"class:{chance.choice(_KINDS)}", *chance.sample(("gpu", "big"), 1)}),
    )
