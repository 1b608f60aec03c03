"""Machines as they are now: rows of nodes. Their figures over time are in node_reports.py."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, select, text

from tip_resources.database.tables import nodes

# One statement and one parameter for a whole pass. Who keeps its state keeps its since; what is not told, such as the
# report of a silent machine, stays. In one order, so that two writers cannot hold each other up.
_UPSERT = text("""
INSERT INTO tip.nodes AS known
    (name, profile, address, state, state_reason, state_since, notes, clock_skew_seconds, hardware, newest_report,
    last_seen_at)
SELECT name, profile, address, state, state_reason, to_timestamp(since_unix_seconds), notes, clock_skew_seconds,
    coalesce(hardware, '{}'), newest_report, CASE WHEN is_seen THEN now() END
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (
    name text, profile text, address text, state text, state_reason text, since_unix_seconds double precision,
    notes text, clock_skew_seconds double precision, hardware jsonb, newest_report jsonb, is_seen boolean)
ORDER BY name
ON CONFLICT (name) DO UPDATE SET
    profile = excluded.profile,
    address = excluded.address,
    state = excluded.state,
    state_reason = excluded.state_reason,
    state_since = CASE WHEN known.state = excluded.state THEN known.state_since ELSE excluded.state_since END,
    notes = excluded.notes,
    clock_skew_seconds = coalesce(excluded.clock_skew_seconds, known.clock_skew_seconds),
    hardware = CASE WHEN excluded.hardware = '{}' THEN known.hardware ELSE excluded.hardware END,
    newest_report = coalesce(excluded.newest_report, known.newest_report),
    last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
""")


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A machine to be noted. `is_seen`: a report came since the last time. Empty hardware and no report leave what is
    known: a whole report is large, and need not be written each time."""

    name: str
    state: str
    state_reason: str
    since_unix_seconds: float
    is_seen: bool = True
    address: str = ""
    profile: str = ""
    notes: str = ""
    clock_skew_seconds: float | None = None
    hardware: Mapping[str, Any] = {}
    newest_report: Mapping[str, Any] | None = None


class StoredNode(msgspec.Struct, frozen=True, kw_only=True):
    """A machine as it was noted last. `last_seen_at` None: listed, and has not reported yet."""

    name: str
    address: str
    profile: str
    state: str
    state_reason: str
    state_since: datetime
    notes: str
    clock_skew_seconds: float | None
    hardware: Mapping[str, Any]
    newest_report: Mapping[str, Any] | None
    first_seen_at: datetime
    last_seen_at: datetime | None


class NodeStore:
    """Reads and writes nodes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def note(self, rows: Sequence[NodeRow]) -> None:
        """Notes machines as they are now, each name once, in one statement."""
        if rows:
            with self._engine.begin() as connection:
                connection.execute(_UPSERT, {"rows": msgspec.json.encode(rows).decode()})

    def all(self) -> Sequence[StoredNode]:
        """Every machine that was ever noted, by name."""
        columns = [nodes.c[name] for name in StoredNode.__struct_fields__]
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).order_by(nodes.c.name))
            return [StoredNode(**row._mapping) for row in rows]
