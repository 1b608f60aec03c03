"""A machine's state, and the gate's, as figures that Dagster plots and words that it shows. Pure.

What is unknown is left out: a 0 would be drawn.
"""

from tip_resources.fleet.heat import CPU
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.under_way import UnderWay

# Not ["fleet", "gate"]: a machine may be called so.
GATE_KEY = ["fleet_gate"]

Figures = dict[str, float | str]


def node_key(node: str) -> list[str]:
    """The asset key under which a machine's states are observed."""
    return ["fleet", node]


def node_figures(state: NodeState, work: UnderWay, said: str = "") -> Figures:
    """What is known of a machine. In degrees Celsius, of the hottest card; `said` is what happened."""
    figures: Figures = {
        "status": state.status,
        "reason": state.reason or "nothing holds it back",
        "slots": float(state.slots),
        "concurrency_factor": state.concurrency_factor,
        "steps_under_way": float(len(work.steps)),
        "calls_in_flight": float(work.calls),
    }
    if said:
        figures["event"] = said
    if state.cpu_celsius.value is not None:
        figures["cpu_celsius"] = state.cpu_celsius.value
    cards = [part.celsius.value for part in state.memory.parts if part.part != CPU and part.celsius.value is not None]
    if cards:
        figures["gpu_celsius"] = max(cards)
    if state.memory_available_bytes is not None:
        figures["memory_available_gib"] = round(state.memory_available_bytes / 2**30, 1)
    if state.notes:
        figures["notes"] = "; ".join(state.notes)
    return figures


def gate_figures(run_limit: int, reason: str) -> Figures:
    """How many runs may go on at once, and why."""
    return {"run_limit": float(run_limit), "reason": reason}
