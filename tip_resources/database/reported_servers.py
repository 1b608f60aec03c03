"""Model servers as the agents of machines reported them last: a part of the newest whole report in nodes."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Engine, select

from node_agent.report import ServedEndpoint
from tip_resources.database.tables import nodes


@dataclass(frozen=True)
class ReportedServers:
    """What one machine reported. `trouble` says why nothing of it can be used."""

    servers: tuple[ServedEndpoint, ...] = ()
    trouble: str = ""


class ReportedServerStore:
    """Reads the section `endpoints` of nodes.newest_report."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> Mapping[str, ReportedServers]:
        """By machine, for those that reported any server."""
        section = nodes.c.newest_report["endpoints"].label("servers")
        found: dict[str, ReportedServers] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(select(nodes.c.name, section).where(nodes.c.newest_report.is_not(None))):
                if not row.servers:  # none, or not told
                    continue
                try:
                    servers = msgspec.convert(row.servers, tuple[ServedEndpoint, ...])
                except msgspec.ValidationError as error:
                    found[row.name] = ReportedServers(
                        trouble=f"what it reported of its servers cannot be read: {error}"
                    )
                    continue
                found[row.name] = ReportedServers(servers)
        return found
