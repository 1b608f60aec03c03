"""A node whose reports and clocks are in the hands of a test."""

from datetime import UTC, datetime

from node_agent.report import NodeReport
from tests.unit.resources.fleet.reports import report
from tip_resources.fleet.node_history import Now, WatchedNode
from tip_resources.fleet.node_state import NodeState
from tip_resources.settings.models import Settings

# A Wednesday, 12:00 UTC; reports come every 30 s.
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()


class Watch:
    """A node whose reports come when the test says."""

    def __init__(self, settings: Settings | None = None, slots: int = 4, name: str = "pi-4b") -> None:
        self.settings = settings or Settings()
        self.node = WatchedNode(name, slots=slots, time_zone=UTC)
        self.seconds = 0.0
        self.sequence = 0

    @property
    def now(self) -> Now:
        return Now(5000 + self.seconds, NOON + self.seconds)

    def reports(self, celsius: float | None = 50.0, after: float = 30.0, **changes) -> NodeState:
        self.sequence += 1
        clock = self.now.unix_seconds + after
        given = report(sequence=self.sequence, celsius=celsius, reported_at_unix_seconds=clock, **changes)
        return self.reports_this(given, after)

    def reports_this(self, given: NodeReport, after: float = 30.0) -> NodeState:
        self.seconds += after
        self.node.arrived(given, self.now)
        return self.node.state(self.settings, self.now)

    def waits(self, seconds: float) -> NodeState:
        self.seconds += seconds
        return self.node.state(self.settings, self.now)
