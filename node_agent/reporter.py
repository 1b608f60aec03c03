"""Puts the sections of the collectors together into reports."""

import time
import uuid
from collections.abc import Callable

from node_agent.collectors.host import HostCollector
from node_agent.collectors.thermal import ThermalCollector
from node_agent.identity import node_name
from node_agent.report import NodeReport


class Reporter:
    """Makes reports of this machine, one after the other."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._boot_id = str(uuid.uuid4())
        self._sequence = 0
        self._host, self._thermal = HostCollector(), ThermalCollector()

    def report(self) -> NodeReport:
        """This machine now."""
        self._sequence += 1
        return NodeReport(
            node=node_name(),
            boot_id=self._boot_id,
            sequence=self._sequence,
            reported_at_unix_seconds=self._clock(),
            agent_version="0.1.0",
            host=self._host.collect(),
            thermal=self._thermal.collect(),
        )
