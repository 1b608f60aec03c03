"""Model servers as they were last seen, and what they served: rows of endpoints and models."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database.tables import endpoints, models, nodes
from tip_resources.domain.provenance import Tier

# What the agent of its machine says of a server: there, or no longer.
REPORTED = "reported"
GONE = "gone"


class SeenModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a server listed. Unknown is None, and leaves what is known."""

    name: str
    context_window_tokens: int | None = None
    is_loaded: bool | None = None


class SeenEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A server that was asked, used or reported. `address` is its shared address, `details` whatever else is known,
    `node` the machine it runs on; "" leaves what is known."""

    address: str
    name: str
    tier: Tier
    state: str
    details: Mapping[str, Any] = {}
    models: tuple[SeenModel, ...] = ()
    node: str = ""


class EndpointRegistry:
    """Reads and writes endpoints and models."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def saw(self, seen: Sequence[SeenEndpoint]) -> None:
        """Notes servers as they are now; what an endpoint served before and serves no more stays with its time."""
        with self._engine.begin() as connection:
            # In one order, so that two who see the same servers cannot hold each other up.
            for one in sorted(seen, key=lambda each: each.address):
                values = {"name": one.name, "tier": one.tier, "state": one.state, "details": dict(one.details)}
                of_node = select(nodes.c.id).where(nodes.c.name == one.node).scalar_subquery()
                new = insert(endpoints).values(url=one.address, node_id=of_node, **values)
                node_id = func.coalesce(new.excluded.node_id, endpoints.c.node_id)
                change = {**values, "node_id": node_id, "last_seen_at": func.now()}
                upsert = new.on_conflict_do_update(index_elements=[endpoints.c.url], set_=change)
                endpoint_id = connection.execute(upsert.returning(endpoints.c.id)).scalar_one()
                for model in sorted(one.models, key=lambda each: each.name):
                    row = insert(models).values(endpoint_id=endpoint_id, **msgspec.structs.asdict(model))
                    known = {
                        name: func.coalesce(row.excluded[name], models.c[name])
                        for name in ("context_window_tokens", "is_loaded")
                    }
                    keys = [models.c.endpoint_id, models.c.name]
                    connection.execute(
                        row.on_conflict_do_update(index_elements=keys, set_={**known, "last_seen_at": func.now()})
                    )

    def keep_reported(self, node: str, addresses: Sequence[str]) -> None:
        """Of the servers that `node` reported, those at other addresses are gone: it reports them no more."""
        of_node = endpoints.c.node_id == select(nodes.c.id).where(nodes.c.name == node).scalar_subquery()
        gone = of_node & (endpoints.c.state == REPORTED) & endpoints.c.url.not_in(addresses)
        with self._engine.begin() as connection:
            connection.execute(update(endpoints).where(gone).values(state=GONE))

    def all(self) -> Sequence[SeenEndpoint]:
        """Every endpoint that was ever seen, by address."""
        with self._engine.connect() as connection:
            served: dict[str, list[SeenModel]] = {}
            for row in connection.execute(select(models).order_by(models.c.name)):
                model = SeenModel(
                    name=row.name, context_window_tokens=row.context_window_tokens, is_loaded=row.is_loaded
                )
                served.setdefault(row.endpoint_id, []).append(model)
            query = select(endpoints, nodes.c.name.label("node")).outerjoin(nodes, nodes.c.id == endpoints.c.node_id)
            return [
                SeenEndpoint(
                    address=row.url,
                    name=row.name,
                    tier=row.tier,
                    state=row.state,
                    details=row.details,
                    models=tuple(served.get(row.id, ())),
                    node=row.node or "",
                )
                for row in connection.execute(query.order_by(endpoints.c.url))
            ]
