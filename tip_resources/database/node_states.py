"""The newest state of every machine as the fleet watcher wrote it: two columns of nodes, for everybody else to read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Engine, func, select, text

from tip_resources.database.tables import nodes
from tip_resources.fleet.node_state import Memory, NodeState

_WRITE = text("""
UPDATE tip.nodes SET newest_state = given.state, state_written_at = now()
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (node text, state jsonb)
WHERE nodes.name = given.node
""")


class WrittenState(msgspec.Struct, frozen=True):
    """A state, and how old it is by the database's clock."""

    state: NodeState
    age_seconds: float


class NodeStateStore:
    """Reads and writes the newest states."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, states: Sequence[NodeState]) -> None:
        """Writes the states of machines that were noted before (`NodeStore.note`), in one statement."""
        if not states:
            return
        rows = [{"node": state.node, "state": msgspec.to_builtins(_told(state))} for state in states]
        with self._engine.begin() as connection:
            connection.execute(_WRITE, {"rows": msgspec.json.encode(rows).decode()})

    def all(self) -> Mapping[str, WrittenState]:
        """Every state that was written, by machine, but for those of another version of tip that cannot be read."""
        columns = nodes.c
        age = func.extract("epoch", func.now() - columns.state_written_at).label("age")
        query = select(columns.newest_state, age).where(columns.newest_state.is_not(None))
        found: dict[str, WrittenState] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query):
                try:
                    state = msgspec.convert(row.newest_state, NodeState)
                except msgspec.ValidationError:
                    continue
                found[state.node] = WrittenState(state, float(row.age))
        return found


def _told(state: NodeState) -> NodeState:
    """Without what counts by the steady clock of the watcher alone."""
    parts = tuple(replace(part, known_at=None, hold_until=0.0) for part in state.memory.parts)
    return replace(state, memory=Memory(parts))
