"""What the watcher writes down and reads back. A database that is away is said once, and once that it is back."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Engine

from tip_resources.database.found_nodes import FoundNodeStore
from tip_resources.database.node_reports import NodeReportStore
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.node_work import NodeWork, NodeWorkStore
from tip_resources.database.nodes import NodeStore
from tip_resources.database.seen_endpoints import EndpointRegistry
from tip_resources.database.trouble import DATABASE_TROUBLE
from tip_resources.fleet.endpoint_nodes import EndpointNodes
from tip_resources.fleet.fleet_watch import Member, Pass
from tip_resources.fleet.node_state import NodeState, lost_after_seconds
from tip_resources.fleet.reported_endpoints import seen_endpoints
from tip_resources.fleet.under_way import under_way
from tip_resources.settings.fleet_models import FleetNodeSettings

T = TypeVar("T")
_logger = logging.getLogger(__name__)
# A fold takes an hour's worth; a watcher that was away for a day catches up within a few hours.
_MOST_FOLDS = 6
_MOST_COUNTS = 10


class FleetRecords:
    """The tables of the fleet. Threads may share one.

    Args:
        database: Where they are.
        own_name: This machine's name.
    """

    def __init__(self, database: Engine, own_name: str) -> None:
        self._database = database
        self._own_name = own_name
        self._nodes = EndpointNodes(own=own_name)
        self._lock = threading.Lock()
        self._is_away = False

    def tried(self, what: Callable[[], T]) -> T | None:
        """What `what` gives; None while the database is away."""
        try:
            result = what()
        except DATABASE_TROUBLE as trouble:
            with self._lock:
                if not self._is_away:
                    _logger.warning("states of the fleet are not written while the database is away: %s", trouble)
                self._is_away = True
            return None
        with self._lock:
            if self._is_away:
                _logger.info("the database is back; states of the fleet are written again")
            self._is_away = False
        return result

    def store(self, done: Pass, members: Mapping[str, Member]) -> bool:
        """Writes a pass down; False when the database did not take it."""
        return self.tried(lambda: self._store(done, members)) is not None

    def fresh_states(self, health_check_seconds: float) -> Mapping[str, NodeState]:
        """What another watcher wrote a moment ago, by node."""
        written = self.tried(NodeStateStore(self._database).all) or {}
        oldest = lost_after_seconds(health_check_seconds)
        return {name: one.state for name, one in written.items() if one.age_seconds <= oldest}

    def busy_nodes(self, listed: Sequence[FleetNodeSettings]) -> frozenset[str]:
        """The nodes that work for us now: that hold a step, or have calls in flight at one of their servers."""
        work = self.tried(lambda: under_way(self._database, self._nodes, listed))
        return frozenset(work or ())

    def work(self, listed: Sequence[FleetNodeSettings]) -> Mapping[str, NodeWork] | None:
        """Counts the calls that ended since the last time, and gives the work of the last 24 hours by node."""

        def counted() -> Mapping[str, NodeWork]:
            store = NodeWorkStore(self._database)
            for _ in range(_MOST_COUNTS):
                if not store.count_calls(lambda addresses: self._nodes.of(addresses, listed)):
                    break
            return store.recent()

        return self.tried(counted)

    def fold(self) -> None:
        """Makes quarter hours of old reports, a bounded number."""

        def folded() -> None:
            reports = NodeReportStore(self._database)
            for _ in range(_MOST_FOLDS):
                if not reports.fold():
                    break

        self.tried(folded)

    def saw_hints(self, names_by_url: Mapping[str, str]) -> None:
        """Notes who announces itself on the network."""
        self.tried(lambda: FoundNodeStore(self._database).saw(names_by_url))

    def _store(self, done: Pass, members: Mapping[str, Member]) -> bool:
        done.store(NodeStore(self._database), NodeReportStore(self._database))
        NodeStateStore(self._database).write(done.states)
        registry = EndpointRegistry(self._database)
        for name, served in done.served.items():
            if served is None or (member := members.get(name)) is None:
                continue  # its servers are not known, which does not make them gone
            seen = seen_endpoints(name, served, member.address, self._own_name)
            if seen:
                registry.saw(list(seen.values()))
            registry.keep_reported(name, list(seen))
        return True
