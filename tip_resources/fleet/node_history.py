"""One node over time: its newest report, when that came by our clock, what was learned of its heat, and its state.

Clocks are handed in. Reports come from poller.py or from this machine itself; what a state is, is in node_state.py.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo

from node_agent.report import Gpu, Host, NodeReport
from tip_resources.fleet.cooling import CoolingCurve, DriveUnit
from tip_resources.fleet.heat import CPU, gpu_part
from tip_resources.fleet.node_state import STALE_AFTER_MISSED, Known, Memory, NodeState, derive_state, missed_reports
from tip_resources.fleet.people_first import Use
from tip_resources.fleet.reading_reports import Novelty, novelty
from tip_resources.fleet.rejected import Rejected
from tip_resources.settings.models import Settings

# Agents that start anew over and over; an older one's report is still told from a new one's.
_MOST_BOOTS = 32


@dataclass(frozen=True)
class Now:
    """This moment by our two clocks: `steady` for ages, `unix_seconds` for people."""

    steady: float
    unix_seconds: float


class WatchedNode:
    """What is known of one node. Not for several threads at once.

    Args:
        name: As it is listed.
        slots: Steps at once when nothing holds it back.
        time_zone: The node's, for quiet hours; None is this machine's.
        capabilities: What it can do besides what its reports tell.

    Set `why_silent` to what became of asking it in vain, and `remark` to what is to be known besides; `rejected` takes
    what it sent and was not taken.
    """

    def __init__(
        self, name: str, *, slots: int, time_zone: tzinfo | None = None, capabilities: frozenset[str] = frozenset()
    ) -> None:
        self.name = name
        self.slots = slots
        self.why_silent = ""
        self.remark = ""
        self.rejected = Rejected()
        self.time_zone = time_zone
        self.capabilities = capabilities
        self._report: NodeReport | None = None
        self._arrived_at = 0.0
        self._skew_seconds = 0.0
        self._boots: list[str] = []
        self._curves: dict[str, CoolingCurve] = {}
        self._state: NodeState | None = None
        self._watched_since: float | None = None
        self._resumed_at: float | None = None

    def resume(self, state: NodeState, now: Now) -> None:
        """Goes on from a state that another watcher came to a moment ago: what was hot has to cool down as it would
        have had to, and who was there is taken to have been there until now."""
        parts = tuple(replace(part, known_at=now.steady) for part in state.memory.parts)
        use = Use(state.reason, now.steady) if state.status == "in_use" else None
        self._state = replace(state, memory=Memory(parts, use))
        self._resumed_at = now.steady

    @property
    def newest_report(self) -> NodeReport | None:
        return self._report

    @property
    def clock_skew_seconds(self) -> float:
        """How far its clock was ahead of ours when its newest report came."""
        return self._skew_seconds

    def curve(self, part: str) -> CoolingCurve | None:
        """What was learned of how "CPU" or "GPU 0" warms; None before anything was."""
        return self._curves.get(part)

    def arrived(self, report: NodeReport, now: Now) -> Novelty:
        """Takes a report in, unless it tells nothing new: then the node gets no younger by it."""
        kind = novelty(report, self._report)
        if kind == "restarted" and report.boot_id in self._boots:
            kind = "older"
        if kind in {"new", "restarted"}:
            if report.boot_id not in self._boots:
                self._boots = [*self._boots, report.boot_id][-_MOST_BOOTS:]
            self._report = report
            self._arrived_at = now.steady
            self.why_silent = ""
            self._skew_seconds = report.reported_at_unix_seconds - now.unix_seconds
            self._learn(report, now.steady)
        return kind

    def state(self, settings: Settings, now: Now) -> NodeState:
        """The node now. Ask after every report, and from time to time without one: silence is a state too."""
        state = self._derived(self._report, settings, now) if self._report else self._unheard(settings, now)
        notes = (self.remark, self.rejected.words(now.steady))
        return replace(state, notes=(*state.notes, *filter(None, notes)))

    def age_seconds(self, now: Now) -> float:
        """How long ago its newest report came."""
        return now.steady - self._arrived_at

    def _derived(self, report: NodeReport, settings: Settings, now: Now) -> NodeState:
        self._state = derive_state(
            Known(
                report=report,
                age_seconds=self.age_seconds(now),
                local_time=self._local_time(now),
                curves=self._curves,
                skew_seconds=self._skew_seconds,
                why_silent=self.why_silent,
            ),
            settings.thermal,
            settings.fleet,
            slots=self.slots,
            report_every_seconds=settings.node.health_check_seconds,
            now=now.steady,
            now_unix_seconds=now.unix_seconds,
            before=self._state,
            capabilities=self.capabilities | capabilities_of(report),
        )
        return self._state

    def _unheard(self, settings: Settings, now: Now) -> NodeState:
        """Without a report of our own: what was known before, for as long as one late report means nothing."""
        if self._state is not None and self._resumed_at is not None:
            missed = missed_reports(now.steady - self._resumed_at, settings.node.health_check_seconds)
            if missed < STALE_AFTER_MISSED:
                return replace(self._state, notes=())
        if self._watched_since is None:
            self._watched_since = now.unix_seconds
        return NodeState(
            node=self.name,
            status="lost",
            reason=f"has not reported yet{f': {self.why_silent}' if self.why_silent else ''}",
            slots=self.slots,
            capabilities=self.capabilities,
            since_unix_seconds=self._watched_since,
            concurrency_factor=0.0,
        )

    def _local_time(self, now: Now) -> datetime:
        there = datetime.fromtimestamp(now.unix_seconds, UTC).astimezone(self.time_zone)
        return there.replace(tzinfo=None)  # hours of a wall clock, compared with hours of a wall clock

    def _learn(self, report: NodeReport, at_seconds: float) -> None:
        """Only from sections measured for this very report: an older one would look as if nothing moved."""
        not_renewed = {run.name for run in report.collectors if run.outcome != "ok"}
        if report.thermal is not None and "thermal" not in not_renewed:
            self._learn_part(CPU, report.thermal.cpu_celsius.value, _cpu_drive(report.host), at_seconds)
        for gpu in () if "gpus" in not_renewed else report.gpus or ():
            self._learn_part(gpu_part(gpu), gpu.celsius.value, _gpu_drive(gpu), at_seconds)

    def _learn_part(
        self, part: str, celsius: float | None, drive: tuple[float, DriveUnit] | None, at_seconds: float
    ) -> None:
        if celsius is None or drive is None:
            return
        value, unit = drive
        curve = self._curves.get(part)
        self._curves[part] = (
            CoolingCurve.begun(at_seconds, celsius, value, unit)
            if curve is None
            else curve.after(at_seconds, celsius, value, unit)
        )


def capabilities_of(report: NodeReport) -> frozenset[str]:
    """What a node can do by its own report: "cpu", "linux", "gpu", "nvidia"."""
    system = () if report.host is None else (report.host.system.lower(),)
    vendors = {gpu.vendor for gpu in report.gpus or ()}
    return frozenset({"cpu", *system, *({"gpu", *vendors} if vendors else ())})


def _cpu_drive(host: Host | None) -> tuple[float, DriveUnit] | None:
    if host is None:
        return None
    ratio, load = host.cpu_ratio.value, host.load_per_core.value
    if ratio is not None:
        return ratio, "load"
    return None if load is None else (min(load, 1.0), "load")


def _gpu_drive(gpu: Gpu) -> tuple[float, DriveUnit] | None:
    if gpu.power_watts.value is not None:
        return gpu.power_watts.value, "W"
    return None if gpu.busy_ratio.value is None else (gpu.busy_ratio.value, "load")
