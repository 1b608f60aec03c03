"""What a person ordered of a machine, and the state that makes of it. Pure; the rows are in database/node_orders.py."""

from dataclasses import dataclass, replace
from typing import Literal

from tip_resources.fleet.node_state import NodeState

# pause: it takes no new work, and finishes what it does. drain: its calls are moved elsewhere as well, at once.
OrderKind = Literal["pause", "drain"]
_DONE: dict[OrderKind, str] = {"pause": "paused", "drain": "drained"}


@dataclass(frozen=True)
class NodeOrder:
    """One order, in force until it is lifted. `given_by` and `reason` may be empty."""

    node: str
    kind: OrderKind
    given_by: str
    reason: str
    given_at_unix_seconds: float

    @property
    def words(self) -> str:
        """For example "paused by anna: a demo at four"."""
        by = f" by {self.given_by}" if self.given_by else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{_DONE[self.kind]}{by}{why}"


def under_order(state: NodeState, order: NodeOrder | None) -> NodeState:
    """The state of a machine under a person's order, which outranks every other; without one, as it is.

    What the machine would be without it stays in the reason when that is not "ready".
    """
    if order is None:
        return state
    besides = "" if state.status == "ready" else f"; {state.status}: {state.reason}"
    return replace(
        state,
        status="draining",
        reason=order.words + besides,
        since_unix_seconds=order.given_at_unix_seconds,
        concurrency_factor=0.0,
        moves_calls=state.moves_calls or order.kind == "drain",
    )
