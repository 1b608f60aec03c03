"""Where work is done right now, by the live leases of steps and of endpoints."""

from dataclasses import dataclass

from sqlalchemy import Engine, text

_NODES = text("""
SELECT node FROM tip.step_leases WHERE expires_at > now()
UNION
SELECT nodes.name FROM tip.endpoint_leases
JOIN tip.endpoints ON endpoints.url = endpoint_leases.endpoint
JOIN tip.nodes ON nodes.id = endpoints.node_id
WHERE endpoint_leases.in_flight > 0 AND endpoint_leases.expires_at > now()
""")
_ADDRESSES = text("SELECT DISTINCT endpoint FROM tip.endpoint_leases WHERE in_flight > 0 AND expires_at > now()")


@dataclass(frozen=True)
class WorkNow:
    """Machines that hold a step or have calls in flight, and the shared addresses of the endpoints with calls."""

    nodes: frozenset[str]
    addresses: frozenset[str]


def work_now(engine: Engine) -> WorkNow:
    """Reads both."""
    with engine.connect() as connection:
        return WorkNow(
            nodes=frozenset(connection.scalars(_NODES)),
            addresses=frozenset(connection.scalars(_ADDRESSES)),
        )
