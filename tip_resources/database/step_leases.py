"""Which steps hold a slot of which node, over all runs: rows of step_leases, which live for seconds unless renewed.

A run that waits for a slot has a row too, with the node's name behind a prefix: first come, first served. Where a step
goes is decided in fleet/placement.py; here runs only agree on what is taken. All times are the database's: the clocks
of the holders' machines may differ. What each node got done is counted in node_work.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Engine, TextClause, delete, func, select, text, tuple_

from tip_resources.database.node_work import NodeWork, add_work
from tip_resources.database.tables import step_leases

# Six heartbeats: a holder whose database stalled keeps its slots, one that was killed gives them back soon.
LEASE_SECONDS = 30.0
Outcome = Literal["succeeded", "failed"]

# No node has such a name. The row of a step that waits becomes its lease when it gets the slot.
_WAITS = "waits for "

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('tip.step_leases/' || :node, 0))")
# Not waiting for the disk: after a crash of the database nobody holds what it forgot but steps that say so again.
_PATIENCE = text("SET LOCAL statement_timeout = '3s'; SET LOCAL synchronous_commit = off")
_HOLD = """
INSERT INTO tip.step_leases AS held (run_id, step_key, node, holder, host, pid, expires_at)
SELECT run_id, step_key, node, holder, host, pid, clock_timestamp() + make_interval(secs => :seconds)
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS given (run_id text, step_key text, node text, holder uuid, host text, pid integer)
ON CONFLICT (run_id, step_key) DO UPDATE SET
    node = excluded.node, holder = excluded.holder, host = excluded.host, pid = excluded.pid,
    expires_at = excluded.expires_at
"""
_TAKE = text(_HOLD)
_RENEW = text(f"{_HOLD} WHERE held.holder = excluded.holder OR held.expires_at < now()")
# Runs that waited for this node when we were not yet waiting. Each run has one step in the line, so that runs with a
# thousand steps and with one take turns.
_AHEAD = text("""
SELECT count(DISTINCT run_id) FROM tip.step_leases
WHERE node = :line AND run_id <> :run_id AND expires_at >= clock_timestamp() AND taken_at < coalesce(
    (SELECT min(taken_at) FROM tip.step_leases WHERE node = :line AND run_id = :run_id), clock_timestamp())
""")


class StepLease(msgspec.Struct, frozen=True, kw_only=True):
    """One step's slot on a node.

    `holder` is the run worker that renews it, by an id of its own. `host` and `pid` are of the step's process; pid is
    0 as long as there is none.
    """

    run_id: str
    step_key: str
    node: str
    holder: str
    host: str = ""
    pid: int = 0


class StepLeaseStore:
    """Reads and writes step_leases.

    Args:
        engine: On tip's database.
        lease_seconds: How long a lease lives that nobody renews.
    """

    def __init__(self, engine: Engine, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._engine = engine
        self._lease_seconds = lease_seconds

    def take(self, lease: StepLease, slots: int) -> bool:
        """Takes one of a node's `slots` for a step; False when they are taken, or due to runs that waited longer."""
        leases = step_leases.c
        own = (leases.run_id == lease.run_id) & (leases.step_key == lease.step_key)
        with self._engine.begin() as connection:
            connection.execute(_PATIENCE)
            connection.execute(_LOCK, {"node": lease.node})
            of_node = leases.node.in_([lease.node, _WAITS + lease.node])
            connection.execute(delete(step_leases).where(of_node & (leases.expires_at < func.clock_timestamp())))
            others = select(func.count()).select_from(step_leases).where((leases.node == lease.node) & ~own)
            ahead = {"line": _WAITS + lease.node, "run_id": lease.run_id}
            taken = connection.execute(others).scalar_one() + connection.execute(_AHEAD, ahead).scalar_one()
            if taken >= slots:
                return False
            self._hold(connection, [lease], _TAKE)
        return True

    def wait(self, lease: StepLease) -> None:
        """Puts the first of a run's steps that wait for a node in line for it, or keeps it there. `pid` is the run
        worker's. The place is lost with the lease's time unless this is called again."""
        with self._engine.begin() as connection:
            connection.execute(_PATIENCE)
            self._hold(connection, [msgspec.structs.replace(lease, node=_WAITS + lease.node)], _TAKE)

    def adopt(self, lease: StepLease) -> None:
        """Holds the slot of a step that runs already, whoever held it before: it cannot be refused."""
        with self._engine.begin() as connection:
            self._hold(connection, [lease], _TAKE)

    def renew(self, leases: Sequence[StepLease]) -> None:
        """Renews a holder's leases in one statement. One that had expired is there again, since its step still runs;
        one that another holder has adopted stays with that."""
        if not leases:
            return
        with self._engine.begin() as connection:
            connection.execute(_PATIENCE)
            self._hold(connection, leases, _RENEW)

    def release(self, run_id: str, step_key: str, *, node: str, outcome: Outcome | None) -> None:
        """Gives a slot back, and counts the step as done by `node`; without an outcome nothing is counted."""
        leases = step_leases.c
        with self._engine.begin() as connection:
            connection.execute(_PATIENCE)
            connection.execute(delete(step_leases).where((leases.run_id == run_id) & (leases.step_key == step_key)))
            if outcome is not None:
                add_work(connection, [NodeWork(node=node, steps=1, failed_steps=int(outcome == "failed"))])

    def release_all(self, holder: str) -> None:
        """Gives back everything a holder has."""
        with self._engine.begin() as connection:
            connection.execute(delete(step_leases).where(step_leases.c.holder == holder))

    def drop(self, leases: Collection[StepLease]) -> None:
        """Drops leases of steps that are known to have ended, unless another process works on the step by now."""
        if leases:
            rows = [(lease.run_id, lease.step_key, lease.pid) for lease in leases]
            held = tuple_(step_leases.c.run_id, step_leases.c.step_key, step_leases.c.pid)
            with self._engine.begin() as connection:
                connection.execute(delete(step_leases).where(held.in_(rows)))

    def live(self) -> Sequence[StepLease]:
        """All slots that are held, the oldest first."""
        return self._rows(~step_leases.c.node.startswith(_WAITS))

    def waiting(self) -> Sequence[StepLease]:
        """Those in line for a slot of a node, the first first."""
        waiting = self._rows(step_leases.c.node.startswith(_WAITS))
        return [msgspec.structs.replace(lease, node=lease.node.removeprefix(_WAITS)) for lease in waiting]

    def used(self) -> Mapping[str, int]:
        """How many slots of each node are taken; nodes with none are missing."""
        return Counter(lease.node for lease in self.live())

    def _rows(self, condition: ColumnElement[bool]) -> Sequence[StepLease]:
        leases = step_leases.c
        columns = [leases[name] for name in StepLease.__struct_fields__]
        query = select(*columns).where(condition & (leases.expires_at >= func.now()))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(leases.taken_at, leases.step_key))
            return [StepLease(**row) for row in rows.mappings()]

    def _hold(self, connection: Connection, leases: Sequence[StepLease], statement: TextClause) -> None:
        rows = msgspec.json.encode(leases).decode()
        connection.execute(statement, {"rows": rows, "seconds": self._lease_seconds})
