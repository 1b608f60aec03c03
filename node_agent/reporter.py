"""Puts the sections of the collectors together into reports. Each collector runs apart, see isolated.py."""

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from node_agent.collectors.base import Collector
from node_agent.collectors.host import HostCollector
from node_agent.collectors.thermal import ThermalCollector
from node_agent.identity import node_name
from node_agent.isolated import IsolatedCollector
from node_agent.report import NodeReport
from node_agent.version import VERSION

# A report waits no longer than this for its slowest collector, whatever limit that collector has of its own.
WAIT_SECONDS = 2.0
SECTIONS = ("host", "thermal", "gpus", "activity", "endpoints")


class Reporter:
    """Makes reports of this machine, one after the other. May be called from several threads.

    Args:
        collectors: What to measure, at most one for each section; None takes host and thermal, which every machine
            has and which cost about a millisecond.
        clock: Seconds since 1970.
        node: The machine's name in the fleet; None takes the host name.
        keep_seconds: A report younger than this is given again instead of measuring anew.
        wait_seconds: How long a report waits for slow collectors at most.
        monotonic: Seconds from any start, never set back.

    Raises:
        ValueError: A collector fills no section, or two fill the same.
    """

    def __init__(
        self,
        collectors: Sequence[Collector[Any]] | None = None,
        clock: Callable[[], float] = time.time,
        *,
        node: str | None = None,
        keep_seconds: float = 0.0,
        wait_seconds: float = WAIT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        chosen = (HostCollector(), ThermalCollector()) if collectors is None else tuple(collectors)
        names = [collector.name for collector in chosen]
        if unknown := set(names) - set(SECTIONS):
            raise ValueError(f"no section of a report is called {', '.join(sorted(unknown))}")
        if len(set(names)) < len(names):
            raise ValueError(f"two collectors for one section: {', '.join(names)}")
        self._collectors = [IsolatedCollector(collector, monotonic) for collector in chosen]
        self._clock, self._monotonic = clock, monotonic
        self._keep_seconds, self._wait_seconds = keep_seconds, wait_seconds
        self._node = node or node_name()
        self._boot_id = str(uuid.uuid4())
        self._making = threading.Lock()
        self._latest: tuple[float, NodeReport] | None = None

    @property
    def node(self) -> str:
        return self._node

    def kept(self) -> tuple[NodeReport, float] | None:
        """The report that would be given again, and its age in seconds; None when the next one is measured."""
        latest = self._latest
        if latest is None:
            return None
        age = self._monotonic() - latest[0]
        return (latest[1], age) if age < self._keep_seconds else None

    def report(self) -> NodeReport:
        """This machine now, or at most `keep_seconds` ago. Takes at most about `wait_seconds`."""
        with self._making:
            kept = self.kept()
            return kept[0] if kept else self._measure()

    def _measure(self) -> NodeReport:
        for collector in self._collectors:
            collector.begin()
        until = self._monotonic() + self._wait_seconds
        for collector in self._collectors:
            collector.wait(until)
        results = [collector.result() for collector in self._collectors]
        sequence = self._latest[1].sequence + 1 if self._latest else 1
        report = NodeReport(
            node=self._node,
            boot_id=self._boot_id,
            sequence=sequence,
            reported_at_unix_seconds=self._clock(),
            agent_version=VERSION,
            collectors=tuple(run for _, run in results),
            **{run.name: section for section, run in results},
        )
        self._latest = (self._monotonic(), report)
        return report
