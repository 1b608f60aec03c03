"""What of ours is under way on each machine now: steps that hold a slot there, and calls in flight to its servers."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Engine

from tip_resources.database.endpoint_leases import LeaseStore
from tip_resources.database.step_leases import StepLeaseStore
from tip_resources.fleet.endpoint_nodes import EndpointNodes
from tip_resources.settings.fleet_models import FleetNodeSettings


class UnderWay(msgspec.Struct, frozen=True):
    """Steps as "step (run)", with the first eight characters of the run's id; `calls` of all engines together."""

    steps: tuple[str, ...] = ()
    calls: int = 0

    @property
    def words(self) -> str:
        """For example "3 calls and 1 step"."""
        calls = f"{self.calls} call{'' if self.calls == 1 else 's'}"
        return f"{calls} and {len(self.steps)} step{'' if len(self.steps) == 1 else 's'}"

    @property
    def is_nothing(self) -> bool:
        return not self.steps and not self.calls


NOTHING = UnderWay()


def under_way(database: Engine, nodes: EndpointNodes, listed: Sequence[FleetNodeSettings]) -> Mapping[str, UnderWay]:
    """The work of every machine that has some, by the leases of all runs; ones that expired do not count.

    Args:
        database: Where the leases are.
        nodes: Tells on which machine an endpoint is.
        listed: The machines of the settings.
    """
    steps: dict[str, list[str]] = {}
    for lease in StepLeaseStore(database).live():
        steps.setdefault(lease.node, []).append(f"{lease.step_key} ({lease.run_id[:8]})")
    busy = [lease for lease in LeaseStore(database).live() if lease.in_flight]
    node_of = nodes.of({lease.endpoint for lease in busy}, listed)
    calls: dict[str, int] = {}
    for lease in busy:
        if node := node_of[lease.endpoint]:
            calls[node] = calls.get(node, 0) + lease.in_flight
    return {name: UnderWay(tuple(steps.get(name, ())), calls.get(name, 0)) for name in steps.keys() | calls.keys()}
