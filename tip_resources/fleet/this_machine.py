"""The fleet of the first form: this machine alone, measured in-process."""

import platform
import time
from collections.abc import Callable
from dataclasses import replace

from node_agent.identity import node_name
from node_agent.reporter import Reporter
from tip_resources.fleet.node_history import Now, WatchedNode
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.placement import CLASS_PREFIX
from tip_resources.settings.models import Settings

# Temperatures move within seconds; measuring again for every step of a burst would only cost time.
_KEEP_SECONDS = 2.0


class ThisMachine:
    """The state of this machine, measured when the last measurement is older than two seconds.

    Args:
        settings: Gives the settings of now; asked at every measurement, so that a change needs no restart.
        slots: Steps at once; None takes `node.step_slots` from the settings.
    """

    def __init__(self, settings: Callable[[], Settings], slots: int | None = None) -> None:
        self._settings = settings
        self._slots = slots
        self._reporter = Reporter()
        self._node = WatchedNode(node_name(), slots=1)
        self._state: NodeState | None = None
        self._measured_at = 0.0

    @property
    def settings(self) -> Settings:
        return self._settings()

    def state(self, *, slots_used: int = 0, queue_depth: int | None = None) -> NodeState:
        """The machine now, holding `slots_used` steps of the caller's."""
        now = Now(time.monotonic(), time.time())
        if self._state is None or now.steady - self._measured_at > _KEEP_SECONDS:
            settings = self._settings()
            self._node.slots = self._slots or settings.node.step_slots
            self._node.capabilities = frozenset(
                {"cpu", platform.system().lower(), CLASS_PREFIX + settings.node.profile}
            )
            self._node.arrived(self._reporter.report(), now)
            self._state = self._node.state(settings, now)
            self._measured_at = now.steady
        return replace(self._state, slots_used=slots_used, queue_depth=queue_depth)
