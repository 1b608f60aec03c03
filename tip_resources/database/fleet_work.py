"""What of ours is under way on each machine now: steps that hold a lease there, and calls in flight to its servers."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import Engine, func, select

from tip_resources.database.endpoint_leases import LeaseStore
from tip_resources.database.tables import step_leases


class UnderWay(msgspec.Struct, frozen=True):
    """Steps as "step (run)", with the first eight characters of the run's id."""

    steps: tuple[str, ...] = ()
    calls: int = 0

    @property
    def is_nothing(self) -> bool:
        return not self.steps and not self.calls


class FleetWork:
    """Reads step_leases and endpoint_leases; leases that expired do not count."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def steps(self) -> Mapping[str, tuple[str, ...]]:
        """The steps of every machine that has some."""
        leases = step_leases.c
        query = select(leases.node, leases.step_key, leases.run_id).where(leases.expires_at >= func.now())
        found: dict[str, tuple[str, ...]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(leases.node, leases.run_id, leases.step_key)):
                found[row.node] = (*found.get(row.node, ()), f"{row.step_key} ({row.run_id[:8]})")
        return found

    def calls(self) -> Mapping[str, int]:
        """Calls in flight by the shared address of the endpoint (llm/addresses.py)."""
        found: dict[str, int] = {}
        for lease in LeaseStore(self._engine).live():
            found[lease.endpoint] = found.get(lease.endpoint, 0) + lease.in_flight
        return found
