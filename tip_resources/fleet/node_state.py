"""What the platform makes of a node's report: its state, with the reason. Pure; measuring is in node_agent.

The report says what is; the state says what may be done. States with `accepts_work` take work, the others
say why not.
"""

import math
from dataclasses import dataclass, field
from typing import Literal

from node_agent.report import NodeReport, Reading
from tip_resources.settings.models import ThermalSettings

Status = Literal["ready", "throttled", "hot", "in_use", "quiet", "draining", "stale", "lost"]
_TAKES_WORK: frozenset[Status] = frozenset({"ready", "throttled"})

# A machine missing three reports in a row is worth waiting for; one silent much longer is gone. Kubernetes takes
# 40 to 50 s before a node counts as unreachable, which is in the same range at a report every 30 s.
STALE_AFTER_REPORTS = 3
LOST_AFTER_REPORTS = 10


@dataclass(frozen=True)
class NodeState:
    """One machine as a place to run work.

    `slots` is how many steps it takes at once now (a throttled machine has fewer), `slots_used` how many it
    has, `queue_depth` how many wait for it; `success_ratio` is the share of its past steps that succeeded.
    None means unknown.
    """

    node: str
    status: Status
    reason: str
    slots: int
    slots_used: int = 0
    queue_depth: int | None = None
    cpu_celsius: Reading = field(default_factory=lambda: Reading.unknown("not reported"))
    success_ratio: float | None = None
    memory_available_bytes: int | None = None
    capabilities: frozenset[str] = frozenset()

    @property
    def accepts_work(self) -> bool:
        return self.status in _TAKES_WORK

    @property
    def slots_free(self) -> int:
        return max(0, self.slots - self.slots_used)


def derive_state(
    report: NodeReport,
    thermal: ThermalSettings,
    *,
    slots: int,
    report_every_seconds: float,
    now_unix_seconds: float,
    before: NodeState | None = None,
    capabilities: frozenset[str] = frozenset(),
) -> NodeState:
    """The state of the node that made `report`.

    Args:
        report: Its newest report.
        thermal: Limits in degrees Celsius.
        slots: Steps at once when nothing holds it back.
        report_every_seconds: How often it is expected to report.
        now_unix_seconds: The time now.
        before: Its state so far: a hot machine stays hot until it has cooled to the recovery temperature.
        capabilities: What it can do.
    """
    cpu = report.thermal.cpu_celsius if report.thermal is not None else Reading.unknown("no temperatures reported")
    silent_seconds = now_unix_seconds - report.reported_at_unix_seconds
    if silent_seconds > LOST_AFTER_REPORTS * report_every_seconds:
        status, reason = "lost", f"no report for {silent_seconds:.0f} s"
    elif silent_seconds > STALE_AFTER_REPORTS * report_every_seconds:
        status, reason = "stale", f"no report for {silent_seconds:.0f} s"
    else:
        status, reason = _thermal_status(cpu, thermal, was_hot=before is not None and before.status == "hot")
    if status == "throttled":
        slots = max(1, math.floor(slots * thermal.throttle_factor))
    return NodeState(
        node=report.node,
        status=status,
        reason=reason,
        slots=slots,
        cpu_celsius=cpu,
        memory_available_bytes=None if report.host is None else report.host.memory_available_bytes,
        capabilities=capabilities,
    )


def _thermal_status(reading: Reading, thermal: ThermalSettings, *, was_hot: bool) -> tuple[Status, str]:
    celsius = reading.value
    if celsius is None:
        return "ready", f"temperature unknown: {reading.why_unknown}"
    if celsius >= thermal.cpu_limit_celsius:
        return "hot", f"CPU at {celsius:.0f} C, limit {thermal.cpu_limit_celsius:.0f} C"
    if celsius < thermal.recovery_celsius:
        return "ready", f"CPU at {celsius:.0f} C"
    if was_hot:
        return "hot", f"CPU at {celsius:.0f} C, cooling to {thermal.recovery_celsius:.0f} C"
    return "throttled", f"CPU at {celsius:.0f} C, from {thermal.recovery_celsius:.0f} C on at reduced speed"
