"""The fleet as everybody but its watcher sees it: the newest states from the database, under people's orders.

The launcher, the executor, the gate, the request engine and `tip nodes` all ask here, so that they agree.
"""

import math
import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine

from node_agent.identity import node_name
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.trouble import DATABASE_TROUBLE
from tip_resources.fleet.heat import in_words
from tip_resources.fleet.node_order import NodeOrder, under_order
from tip_resources.fleet.node_state import NodeState, lost_after_seconds
from tip_resources.fleet.this_machine import ThisMachine
from tip_resources.settings.models import Settings

_KEEP_SECONDS = 1.0
_UNWATCHED = "nobody watches the fleet; `tip up` does"
_NOT_ASKED = "it has not been asked yet"


class KnownFleet:
    """All machines of the settings, this one among them. Threads may share one.

    A state that the watcher has not renewed for four health checks counts for nothing: then this machine is measured
    here, without its people's activity, and another one is lost: because nobody watches, or because it was listed a
    moment ago and has not been asked yet.

    Args:
        database: Where the watcher writes; None for this machine alone.
        settings: Gives the settings of now.
        steady: Seconds that never go back.
    """

    def __init__(
        self,
        database: Engine | None,
        settings: Callable[[], Settings],
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._settings = settings
        self._steady = steady
        self._own = ThisMachine(settings)
        self._own_name = node_name()
        self._lock = threading.Lock()
        self._states: tuple[NodeState, ...] = ()
        self._orders: dict[str, NodeOrder] = {}
        self._written: dict[str, tuple[NodeState, float]] = {}
        self._read_at: float | None = None

    @property
    def settings(self) -> Settings:
        return self._settings()

    @property
    def own_name(self) -> str:
        """This machine's name in the fleet."""
        return self._own_name

    def states(self) -> tuple[NodeState, ...]:
        """Every machine, this one first, the others as they are listed; read at most every second."""
        with self._lock:
            now = self._steady()
            if self._read_at is None or now - self._read_at >= _KEEP_SECONDS:
                self._read(now)
                self._states = self._derived(now)
                self._read_at = now
            return self._states

    def is_watched(self) -> bool:
        """Whether a watcher has written this machine's state within one health check."""
        self.states()
        return self._is_watched(self._steady(), self._settings())

    def this_node(self) -> NodeState:
        """This machine."""
        return self.states()[0]

    def node(self, name: str) -> NodeState | None:
        """One machine by name; None when it is not of the fleet."""
        return next((state for state in self.states() if state.node == name), None)

    def _read(self, now: float) -> None:
        """What the database knows. While it is away what was read last ages on."""
        if self._database is None:
            return
        try:
            written = NodeStateStore(self._database).all()
            self._orders = NodeOrderStore(self._database).all()
        except DATABASE_TROUBLE:
            return
        self._written = {name: (one.state, now - one.age_seconds) for name, one in written.items()}

    def _is_watched(self, now: float, settings: Settings) -> bool:
        _, written_at = self._written.get(self._own_name, (None, -math.inf))
        return now - written_at <= settings.node.health_check_seconds

    def _derived(self, now: float) -> tuple[NodeState, ...]:
        settings = self._settings()
        oldest = lost_after_seconds(settings.node.health_check_seconds)
        listed = [node.name for node in settings.fleet.nodes if node.name != self._own_name]
        is_watched = self._is_watched(now, settings)
        states = []
        for name in (self._own_name, *listed):
            state, written_at = self._written.get(name, (None, 0.0))
            if state is None or now - written_at > oldest:
                age = None if state is None else now - written_at
                state = self._own.state() if name == self._own_name else _unknown(name, age, is_watched=is_watched)
            states.append(under_order(state, self._orders.get(name)))
        return tuple(states)


def _unknown(name: str, age_seconds: float | None, *, is_watched: bool) -> NodeState:
    """A machine of which nothing fresh is known; `is_watched` when somebody watches, who will ask it."""
    last = "" if age_seconds is None else f" for {in_words(age_seconds)}"
    return NodeState(
        node=name,
        status="lost",
        reason=f"nothing is known of it{last}: {_NOT_ASKED if is_watched else _UNWATCHED}",
        slots=1,
        concurrency_factor=0.0,
        is_watched=is_watched,
    )
