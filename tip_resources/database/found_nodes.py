"""Agents that announce themselves on the network: rows of found_nodes. Hints for people; never asked, never trusted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Engine, delete, select, text

from tip_resources.database.tables import found_nodes

# Anybody in the network can announce anything, as often as they like.
MOST_HINTS = 1000
KEEP_DAYS = 7

_SAW = text("""
INSERT INTO tip.found_nodes AS known (url, name)
SELECT url, name FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (url text, name text) ORDER BY url
ON CONFLICT (url) DO UPDATE SET name = excluded.name, last_seen_at = now()
""")
_FORGET = text("""
DELETE FROM tip.found_nodes WHERE last_seen_at < now() - make_interval(days => :keep_days)
    OR url IN (SELECT url FROM tip.found_nodes ORDER BY first_seen_at, url OFFSET :most)
""")


class FoundNode(msgspec.Struct, frozen=True):
    """An agent that announces itself, by its own words."""

    name: str
    url: str
    first_seen_at: datetime
    last_seen_at: datetime


class FoundNodeStore:
    """Reads and writes found_nodes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def saw(self, names_by_url: Mapping[str, str]) -> None:
        """Notes who announced themselves now; keeps a thousand at most, the ones known longest, for a week."""
        rows = [{"url": url, "name": name} for url, name in names_by_url.items()]
        with self._engine.begin() as connection:
            if rows:
                connection.execute(_SAW, {"rows": msgspec.json.encode(rows).decode()})
            connection.execute(_FORGET, {"keep_days": KEEP_DAYS, "most": MOST_HINTS})

    def all(self) -> Sequence[FoundNode]:
        """Every hint, by name; those that are listed by now among them."""
        columns = found_nodes.c
        query = select(columns.name, columns.url, columns.first_seen_at, columns.last_seen_at)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(columns.name, columns.url))
            return [FoundNode(*row) for row in rows]

    def forget(self, url: str) -> bool:
        """Takes a hint away until it is announced again; False when there is none."""
        with self._engine.begin() as connection:
            return connection.execute(delete(found_nodes).where(found_nodes.c.url == url)).rowcount > 0
