"""What the platform makes of a node's reports: its state, with the reason and since when. Pure.

A state machine with hysteresis: `derive_state` gets the state before. The report says what is; the state says what
may be done. States with `accepts_work` take work, the others say why not. Heat is judged in heat.py, people in
people_first.py, and reports are kept in node_history.py.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from node_agent.report import NodeReport, Reading
from tip_resources.fleet.cooling import CoolingCurve
from tip_resources.fleet.heat import CPU, LEVELS, PartHeat, in_words, next_heat, parts_of
from tip_resources.fleet.people_first import Use, next_use, quiet_until
from tip_resources.settings.fleet_models import FleetSettings
from tip_resources.settings.models import ThermalSettings

Status = Literal["ready", "throttled", "hot", "in_use", "quiet", "draining", "stale", "lost"]
_TAKES_WORK: frozenset[Status] = frozenset({"ready", "throttled"})
# Not "lost": its agent may be gone and its model server not; what really died, the request engine notices itself.
_MOVES_CALLS: frozenset[Status] = frozenset({"hot", "in_use"})

# A report is missed when it is half an interval late: polls and reports have no common beat.
STALE_AFTER_MISSED = 2
LOST_AFTER_MISSED = 4
_LATE_SHARE = 0.5
# A section that its collector could not renew, and a temperature that vanished, count as long as a node until lost.
_KEEP_REPORTS = LOST_AFTER_MISSED
_UNDER_VOLTAGE = "its power supply is too weak (under-voltage)"
_NOTED_SKEW_SECONDS = 120.0


@dataclass(frozen=True)
class Memory:
    """What a state has to remember for the next one."""

    parts: tuple[PartHeat, ...] = ()
    use: Use | None = None


@dataclass(frozen=True)
class NodeState:
    """One machine as a place to run work.

    `slots` is how many steps it takes at once now (a throttled machine has fewer), `slots_used` how many it
    has, `queue_depth` how many wait for it; `success_ratio` is the share of its past steps that succeeded.
    `since_unix_seconds` is when it came into this status, by our clock. `concurrency_factor` is the share of its
    calls at once that it keeps: 1, less when throttled, 0 when it takes no work. `moves_calls`: those under way there
    are to be moved elsewhere at once. `is_watched`: somebody asks its agent. `notes` are for people: a clock that is
    wrong, a weak power supply. None means unknown.
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
    since_unix_seconds: float = 0.0
    concurrency_factor: float = 1.0
    moves_calls: bool = False
    is_watched: bool = True
    notes: tuple[str, ...] = ()
    memory: Memory = Memory()

    @property
    def accepts_work(self) -> bool:
        return self.status in _TAKES_WORK

    @property
    def slots_free(self) -> int:
        return max(0, self.slots - self.slots_used)

    def described(self, now_unix_seconds: float) -> str:
        """One line for a person: "desk is in_use: a game (for 12 min)"."""
        lasted = in_words(max(0.0, now_unix_seconds - self.since_unix_seconds))
        return f"{self.node} is {self.status}: {self.reason} (for {lasted})"


@dataclass(frozen=True)
class Known:
    """What is known of a node at a moment.

    `age_seconds` is since its newest report came, by our own steady clock; `skew_seconds` how far its clock is ahead
    of ours, which nothing depends on. `curves` are by part ("CPU", "GPU 0"). `local_time` is
    the node's, for quiet hours. `why_silent` is what became of asking it last.
    """

    report: NodeReport
    age_seconds: float
    local_time: datetime
    curves: Mapping[str, CoolingCurve] = field(default_factory=dict)
    skew_seconds: float = 0.0
    why_silent: str = ""


def derive_state(
    known: Known,
    thermal: ThermalSettings,
    fleet: FleetSettings,
    *,
    slots: int,
    report_every_seconds: float,
    now: float,
    now_unix_seconds: float,
    before: NodeState | None = None,
    capabilities: frozenset[str] = frozenset(),
) -> NodeState:
    """The state of a node after everything that is known of it.

    Args:
        known: Its newest report and what was learned from those before.
        thermal: Limits in degrees Celsius.
        fleet: When its people come first.
        slots: Steps at once when nothing holds it back.
        report_every_seconds: How often it is expected to report.
        now: By our steady clock.
        now_unix_seconds: The time now, for `since_unix_seconds` alone.
        before: Its state so far; None at first.
        capabilities: What it can do.
    """
    report = known.report
    memory = Memory() if before is None else before.memory
    silence = _silence(known, report_every_seconds)
    oldest = _KEEP_REPORTS * report_every_seconds
    if silence is None:  # of a silent node nothing new is known, so nothing of it changes
        memory = _remembered(known, thermal, fleet, memory, oldest, now)
    status, reason = silence or _status(known, fleet, memory)
    throttled = status == "throttled"
    return NodeState(
        node=report.node,
        status=status,
        reason=reason,
        slots=max(1, math.floor(slots * thermal.throttle_factor)) if throttled else slots,
        cpu_celsius=next(part.celsius for part in memory.parts if part.part == CPU)
        if memory.parts
        else Reading.unknown("not reported in time"),
        memory_available_bytes=None if report.host is None else report.host.memory_available_bytes,
        capabilities=capabilities,
        since_unix_seconds=before.since_unix_seconds
        if before is not None and before.status == status
        else now_unix_seconds,
        concurrency_factor=(thermal.throttle_factor if throttled else 1.0) if status in _TAKES_WORK else 0.0,
        moves_calls=status in _MOVES_CALLS,
        notes=_notes(known),
        memory=memory,
    )


def lost_after_seconds(report_every_seconds: float) -> float:
    """What was known of a node this long ago says nothing of it now."""
    return LOST_AFTER_MISSED * report_every_seconds


def missed_reports(age_seconds: float, report_every_seconds: float) -> int:
    """How many reports should have come since the newest one and did not."""
    return max(0, math.floor(age_seconds / report_every_seconds - _LATE_SHARE))


def _silence(known: Known, every_seconds: float) -> tuple[Status, str] | None:
    missed = missed_reports(known.age_seconds, every_seconds)
    if missed < STALE_AFTER_MISSED:
        return None
    why = f": {known.why_silent}" if known.why_silent else ""
    return ("lost" if missed >= LOST_AFTER_MISSED else "stale"), f"no report for {in_words(known.age_seconds)}{why}"


def _remembered(
    known: Known, thermal: ThermalSettings, fleet: FleetSettings, memory: Memory, oldest: float, now: float
) -> Memory:
    before = {part.part: part for part in memory.parts}
    readings = parts_of(known.report, thermal, oldest)
    parts = [
        next_heat(
            reading,
            before.pop(reading.part, None),
            known.curves.get(reading.part),
            forecast_seconds=thermal.forecast_seconds,
            keep_seconds=oldest,
            now=now,
            age_seconds=known.age_seconds,
        )
        for reading in readings
    ]
    # A hot card does not cool down by no longer being listed.
    parts += [
        part
        for part in before.values()
        if part.level != "cool" and part.known_at is not None and now - part.known_at <= oldest
    ]
    use = next_use(known.report, fleet, memory.use, oldest_seconds=oldest, now=now)
    return Memory(tuple(parts), use)


def _status(known: Known, fleet: FleetSettings, memory: Memory) -> tuple[Status, str]:
    level = max((part.level for part in memory.parts), key=LEVELS.index)
    reason = "; ".join(part.reason for part in memory.parts if part.level == level)
    if level == "hot":
        return "hot", reason
    if memory.use is not None:
        return "in_use", memory.use.sign
    if quiet := quiet_until(known.report.node, fleet.quiet_hours, known.local_time):
        return "quiet", f"quiet hours until {quiet:%H:%M} of its local time"
    return ("throttled" if level == "throttled" else "ready"), reason


def _notes(known: Known) -> tuple[str, ...]:
    notes = []
    if abs(known.skew_seconds) > _NOTED_SKEW_SECONDS:
        ahead = "ahead" if known.skew_seconds > 0 else "behind"
        notes.append(f"its clock is {in_words(abs(known.skew_seconds))} {ahead}")
    if known.report.thermal is not None and "under_voltage" in known.report.thermal.throttled:
        notes.append(_UNDER_VOLTAGE)
    return tuple(notes)
