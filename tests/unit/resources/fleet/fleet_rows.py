"""Machines in a database as the fleet watcher writes them: their states, and the servers they report."""

from sqlalchemy import Engine

from node_agent.report import ServedEndpoint, ServedModel, ServerKind
from tests.unit.resources.fleet.reports import report
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.fleet.node_state import NodeState, Status

_TAKES = ("ready", "throttled")


def state(node: str, status: Status = "ready", reason: str = "", **changes) -> NodeState:
    is_moved = status in ("hot", "in_use")
    factor = 0.7 if status == "throttled" else float(status in _TAKES)
    given = {"slots": 1, "concurrency_factor": factor, "moves_calls": is_moved, **changes}
    return NodeState(node=node, status=status, reason=reason, **given)


def served(port: int | str, kind: ServerKind = "lm_studio", host: str = "127.0.0.1") -> ServedEndpoint:
    """As an agent tells it, which looks for servers at its own machine's 127.0.0.1."""
    return ServedEndpoint(f"http://{host}:{port}/v1", kind, (ServedModel("phi-4"),))


def write_states(database: Engine, *states: NodeState) -> None:
    """The states alone; the machines were written before."""
    NodeStateStore(database).write(states)


def write_node(database: Engine, given: NodeState, *servers: ServedEndpoint) -> None:
    told = report(given.node, endpoints=servers)
    row = NodeRow(
        name=given.node,
        state=given.status,
        state_reason=given.reason,
        since_unix_seconds=0.0,
        newest_report=told.to_json_object(),
    )
    NodeStore(database).note([row])
    write_states(database, given)
