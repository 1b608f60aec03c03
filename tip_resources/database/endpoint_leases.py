"""Who uses which endpoint right now: rows of endpoint_leases, which live for seconds unless renewed.

How a limit is divided among the holders is decided in llm/sharing.py; here it is only agreed upon, one holder
after the other. All times are the database's: the clocks of the holders' machines may differ.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Engine, Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database.tables import endpoint_leases
from tip_resources.domain.priority import SHARE_WEIGHT

# Five heartbeats: a holder that was killed is forgotten soon, one whose database stalled for a moment is not.
LEASE_SECONDS = 5.0
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('tip.endpoint_leases/' || :key, 0))")
_PATIENCE = text("SET LOCAL statement_timeout = '3s'")


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's use of one endpoint and model.

    `wanted` is how many calls at once it could make use of, `in_flight` how many it has, `granted` how many are
    set aside for it, `endpoint_limit` what it would allow all holders together; `weight` is its part beside others.
    """

    endpoint: str
    model: str
    holder: str
    run_id: str = ""
    host: str = ""
    pid: int = 0
    wanted: int = 0
    in_flight: int = 0
    tokens_total: int = 0
    granted: int = 0
    endpoint_limit: int = 0
    weight: int = SHARE_WEIGHT["normal"]


class Grant(msgspec.Struct, frozen=True):
    """What a holder sets aside for itself, and what it would allow all together."""

    granted: int
    endpoint_limit: int


# From all live leases, oldest first and one's own among them, and the database's time.
Decide = Callable[[Sequence[Lease], datetime], Grant]


class LeaseStore:
    """Reads and writes endpoint_leases. `endpoint` is a shared address (llm/addresses.py)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def heartbeat(self, own: Lease, decide: Decide, *, lease_seconds: float = LEASE_SECONDS) -> Sequence[Lease]:
        """Renews a lease, forgets expired ones, and grants what `decide` says. Returns all live leases, oldest first.

        Holders of the same endpoint and model go one after the other, so that each decides on what the others
        have set aside. `own.granted` and `own.endpoint_limit` count only until `decide` has spoken.
        """
        leases = endpoint_leases.c
        of_endpoint = (leases.endpoint == own.endpoint) & (leases.model == own.model)
        with self._engine.begin() as connection:
            connection.execute(_PATIENCE)
            connection.execute(_LOCK, {"key": f"{own.endpoint} {own.model}"})
            # clock_timestamp(): now() is when the transaction began, before it waited for the lock.
            now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
            until = now + timedelta(seconds=lease_seconds)
            connection.execute(delete(endpoint_leases).where(of_endpoint & (leases.expires_at < now)))
            values = {**_values(own), "expires_at": until}
            new = insert(endpoint_leases).values(**values, first_seen_at=now)
            kept = {"expires_at", "wanted", "in_flight", "tokens_total", "weight"}
            renewed = {name: value for name, value in values.items() if name in kept}
            keys = [leases.endpoint, leases.model, leases.holder]
            connection.execute(new.on_conflict_do_update(index_elements=keys, set_=renewed))
            query = select(endpoint_leases).where(of_endpoint).order_by(leases.first_seen_at, leases.holder)
            live = [_lease(row) for row in connection.execute(query)]
            grant = decide(live, now)
            mine = of_endpoint & (leases.holder == own.holder)
            change = {"granted": grant.granted, "endpoint_limit": grant.endpoint_limit}
            connection.execute(update(endpoint_leases).where(mine).values(**change))
        return [msgspec.structs.replace(one, **change) if one.holder == own.holder else one for one in live]

    def release(self, holder: str) -> None:
        """Gives back everything a holder has."""
        with self._engine.begin() as connection:
            connection.execute(delete(endpoint_leases).where(endpoint_leases.c.holder == holder))

    def live(self) -> Sequence[Lease]:
        """All leases that have not expired, by endpoint, oldest first."""
        leases = endpoint_leases.c
        query = select(endpoint_leases).where(leases.expires_at >= func.now())
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(leases.endpoint, leases.model, leases.first_seen_at))
            return [_lease(row) for row in rows]


def _values(lease: Lease) -> dict[str, Any]:
    return {name: getattr(lease, name) for name in Lease.__struct_fields__}


def _lease(row: Row[Any]) -> Lease:
    return Lease(**{name: getattr(row, name) for name in Lease.__struct_fields__})
