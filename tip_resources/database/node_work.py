"""What each machine did, by the hour: calls of its model servers, and steps. Rows of node_work.

Calls come from performance_samples, each counted once; steps are added by who held their slots. The database sets the
hours.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database.tables import node_work

# A sample every 5 s of 100 endpoints makes 600 rows in half a minute; a longer backlog takes several turns.
_SAMPLES_AT_ONCE = 20_000
_SUMMED = ("calls", "failed_calls", "tokens_out", "call_seconds", "steps", "failed_steps")

# Marked and read in one statement, so that no sample is counted twice, whoever else counts at the same time.
_COUNT = text("""
WITH counted AS (
    UPDATE tip.performance_samples SET is_counted = true
    WHERE id IN (
        SELECT id FROM tip.performance_samples WHERE NOT is_counted ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING endpoint, "timestamp", calls, failed_calls, tokens_out, call_seconds
)
SELECT endpoint, date_trunc('hour', "timestamp") AS hour_at, sum(calls)::integer AS calls,
    sum(failed_calls)::integer AS failed_calls, sum(tokens_out)::bigint AS tokens_out,
    sum(call_seconds) AS call_seconds, count(*) AS samples
FROM counted GROUP BY endpoint, hour_at
""")


class NodeWork(msgspec.Struct, frozen=True, kw_only=True):
    """Work of one machine: in an hour that begins at `hour_at` (None: the present one), or in several together.

    `call_seconds` is how long its calls took, all added up.
    """

    node: str
    hour_at: datetime | None = None
    calls: int = 0
    failed_calls: int = 0
    tokens_out: int = 0
    call_seconds: float = 0.0
    steps: int = 0
    failed_steps: int = 0

    @property
    def tokens_per_second(self) -> float | None:
        """Of one call; None when none ended."""
        return self.tokens_out / self.call_seconds if self.call_seconds > 0 else None

    @property
    def error_rate(self) -> float | None:
        """The failed share of its calls; None when none ended."""
        return self.failed_calls / self.calls if self.calls else None

    @property
    def success_ratio(self) -> float | None:
        """The share of its calls and steps that succeeded; None without work."""
        all_work = self.calls + self.steps
        return 1 - (self.failed_calls + self.failed_steps) / all_work if all_work else None


class NodeWorkStore:
    """Reads and writes node_work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, rows: Sequence[NodeWork]) -> None:
        """Adds work to what is known of its hour."""
        if rows:
            with self._engine.begin() as connection:
                add_work(connection, rows)

    def recent(self, hours: int = 24) -> Mapping[str, NodeWork]:
        """The work of the last so many hours, the present one among them, by machine; who had none is not there."""
        columns = node_work.c
        # summed as they are kept: sum() of integers is a numeric otherwise
        sums = (func.sum(columns[name]).cast(columns[name].type).label(name) for name in _SUMMED)
        since = func.date_trunc("hour", func.now()) - func.make_interval(0, 0, 0, 0, hours - 1)
        query = select(columns.node, *sums).where(columns.hour_at >= since).group_by(columns.node)
        with self._engine.connect() as connection:
            return {row.node: NodeWork(**row._mapping) for row in connection.execute(query)}

    def count_calls(self, nodes_of: Callable[[Collection[str]], Mapping[str, str]]) -> int:
        """Adds the calls of samples that were not counted yet, a bounded number of them.

        Args:
            nodes_of: The machines of endpoints' shared addresses; "" for one that is none of the fleet's, whose calls
                are nobody's work here.

        Returns:
            How many samples were counted.
        """
        with self._engine.begin() as connection:
            found = connection.execute(_COUNT, {"most": _SAMPLES_AT_ONCE}).all()
            node_of = nodes_of({row.endpoint for row in found})
            work = [
                NodeWork(
                    node=node,
                    hour_at=row.hour_at,
                    calls=row.calls,
                    failed_calls=row.failed_calls,
                    tokens_out=row.tokens_out,
                    call_seconds=row.call_seconds,
                )
                for row in found
                if row.calls and (node := node_of[row.endpoint])
            ]
            add_work(connection, work)
        return sum(row.samples for row in found)


def add_work(connection: Connection, rows: Sequence[NodeWork]) -> None:
    """Adds work to what is known of its hour, in the transaction of a connection."""
    # In one order, so that two who add at the same time cannot hold each other up.
    for row in sorted(rows, key=lambda each: (each.node, each.hour_at is not None, each.hour_at)):
        values = {name: getattr(row, name) for name in _SUMMED}
        hour = func.date_trunc("hour", func.now()) if row.hour_at is None else row.hour_at
        new = insert(node_work).values(node=row.node, hour_at=hour, **values)
        more = {name: node_work.c[name] + new.excluded[name] for name in _SUMMED}
        keys = [node_work.c.node, node_work.c.hour_at]
        connection.execute(new.on_conflict_do_update(index_elements=keys, set_=more))
