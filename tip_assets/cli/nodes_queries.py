"""Small reads of what the database knows of the fleet, for `tip nodes`, where no store has them. Nothing is written."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, select, text

from node_agent.report import ServedEndpoint
from tip_resources.database.tables import nodes


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """The row of a machine, with the endpoints of its newest whole report. `has_cards` None: never told."""

    address: str = ""
    last_seen_at: datetime | None = None
    endpoints: tuple[ServedEndpoint, ...] = ()
    has_cards: bool | None = None


class Load(msgspec.Struct, frozen=True):
    """Shares of the processor and of the busiest card in use, 0 to 1; None is unknown."""

    cpu_ratio: float | None = None
    gpu_ratio: float | None = None


class FleetQueries:
    """Reads for people; all ages are by the database's clock."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def noted(self) -> dict[str, Noted]:
        """Every machine that was ever noted."""
        columns, cards = nodes.c, nodes.c.hardware["gpus"]
        endpoints = columns.newest_report["endpoints"].label("endpoints")
        query = select(columns.name, columns.address, columns.last_seen_at, endpoints, cards.label("cards"))
        with self._engine.connect() as connection:
            return {
                row.name: Noted(
                    address=row.address,
                    last_seen_at=row.last_seen_at,
                    endpoints=_endpoints(row.endpoints),
                    has_cards=None if row.cards is None else bool(row.cards),
                )
                for row in connection.execute(query)
            }

    def loads(self, newer_than_seconds: float) -> dict[str, Load]:
        """The newest load of every machine that reported lately."""
        query = text("""
            SELECT DISTINCT ON (nodes.name) nodes.name, cpu_ratio, gpu_ratio
            FROM tip.node_reports JOIN tip.nodes ON nodes.id = node_id
            WHERE received_at > now() - make_interval(secs => :seconds)
            ORDER BY nodes.name, received_at DESC
        """)
        with self._engine.connect() as connection:
            rows = connection.execute(query, {"seconds": newer_than_seconds})
            return {row.name: Load(row.cpu_ratio, row.gpu_ratio) for row in rows}


def _endpoints(stored: Any) -> tuple[ServedEndpoint, ...]:
    """None for a report that told of none, and for one of another version of tip that cannot be read."""
    try:
        return msgspec.convert(stored or (), tuple[ServedEndpoint, ...])
    except msgspec.ValidationError:
        return ()
