"""Orders that people give to machines, pause and drain: rows of node_orders, each with its entry in the audit log."""

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tip_resources.database import audit
from tip_resources.database.tables import node_orders
from tip_resources.fleet.node_order import NodeOrder, OrderKind


class NodeOrderStore:
    """Reads and writes node_orders."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def give(self, node: str, kind: OrderKind, *, by: str, reason: str = "") -> None:
        """Puts an order in force, in place of one given before."""
        values = {"kind": kind, "given_by": by, "reason": reason}
        new = insert(node_orders).values(node=node, **values)
        change = {**values, "given_at": func.now()}
        with self._engine.begin() as connection:
            connection.execute(new.on_conflict_do_update(index_elements=[node_orders.c.node], set_=change))
            audit.append(connection, by, f"node.{kind}", node, {"reason": reason})

    def lift(self, node: str, *, by: str) -> bool:
        """Takes the order of a machine back; False when it had none."""
        with self._engine.begin() as connection:
            lifted = connection.execute(delete(node_orders).where(node_orders.c.node == node)).rowcount > 0
            if lifted:
                audit.append(connection, by, "node.resume", node)
        return lifted

    def all(self) -> dict[str, NodeOrder]:
        """The orders in force, by machine."""
        columns = node_orders.c
        query = select(
            columns.node,
            columns.kind,
            columns.given_by,
            columns.reason,
            func.extract("epoch", columns.given_at).label("given_at"),
        )
        with self._engine.connect() as connection:
            return {
                row.node: NodeOrder(row.node, row.kind, row.given_by, row.reason, float(row.given_at))
                for row in connection.execute(query)
            }
