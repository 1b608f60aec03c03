"""How many runs may go on, as it was decided last: the one row of fleet_gate, for everybody who waits to read."""

from datetime import datetime

import msgspec
from sqlalchemy import Engine, case, func, select
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database.tables import fleet_gate
from tip_resources.fleet.gate import GateDecision, GateMemory


class GateRow(msgspec.Struct, frozen=True, kw_only=True):
    """The decision in force. Times are in UTC; `since`: from when on the limit has been this one.

    The ages are by the database's clock. `memory` is None where another version of tip wrote what cannot be read.
    """

    run_limit: int
    reason: str
    since: datetime
    decided_at: datetime
    held_seconds: float
    age_seconds: float
    memory: GateMemory | None

    @property
    def is_closed(self) -> bool:
        """Whether nothing may start."""
        return self.run_limit == 0


class GateStore:
    """Reads and writes fleet_gate."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write(self, decision: GateDecision) -> None:
        """Puts a decision in force; `since` stays while the limit does."""
        known = fleet_gate.c
        values = {
            "run_limit": decision.limit,
            "reason": decision.reason,
            "memory": msgspec.to_builtins(decision.memory),
        }
        new = insert(fleet_gate).values(is_only=True, **values)
        since = case((known.run_limit == new.excluded.run_limit, known.since), else_=func.now())
        change = {**values, "since": since, "decided_at": func.now()}
        with self._engine.begin() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=[known.is_only], set_=change))

    def read(self) -> GateRow | None:
        """The newest decision; None as long as there was none, and then nothing is held."""
        known = fleet_gate.c
        query = select(
            known.run_limit,
            known.reason,
            known.since,
            known.decided_at,
            func.extract("epoch", func.now() - known.since).label("held_seconds"),
            func.extract("epoch", func.now() - known.decided_at).label("age_seconds"),
            known.memory,
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        try:
            memory = msgspec.convert(row.memory, GateMemory)
        except msgspec.ValidationError:
            memory = None
        return GateRow(
            run_limit=row.run_limit,
            reason=row.reason,
            since=row.since,
            decided_at=row.decided_at,
            held_seconds=float(row.held_seconds),
            age_seconds=float(row.age_seconds),
            memory=memory,
        )
