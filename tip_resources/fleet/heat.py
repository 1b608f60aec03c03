"""When a processor or a card is too hot to work: limits, hysteresis, and the forecast's say. Pure.

Hot at the limit until it has cooled below the recovery temperature, and throttled for two minutes after that. Throttled
before it: where it is known how the part warms by its watts, when it would soon come as near to the limit as the
forecast errs; where that is not known, from the recovery temperature on. Full speed again is at the recovery
temperature or below, so that it does not swing to and fro. Learning the forecast is in cooling.py; what follows from
heat in node_state.py.
"""

from dataclasses import dataclass
from typing import Literal

from node_agent.report import Gpu, Host, NodeReport, Reading, ThrottleReason
from tip_resources.fleet.cooling import CoolingCurve
from tip_resources.settings.models import ThermalSettings

Level = Literal["cool", "throttled", "hot"]
LEVELS: tuple[Level, ...] = ("cool", "throttled", "hot")

CPU = "CPU"
# A throttled part is cool again only this far below the recovery temperature: a sensor of whole degrees jitters by 1.
_BAND_CELSIUS = 2.0
# Throttling makes the forecast better at once; released at once it would be back in the next report.
_HOLD_SECONDS = 120.0
# Of errors spread as a bell curve, 95 % are below 2.5 times their mean. A sensor of whole degrees hides another one.
_P95_OF_MEAN = 2.5
_LEAST_ERROR_CELSIUS = 1.0
# NVML's distance to the temperature at which the card slows itself down; at nothing left it already does.
_LEAST_MARGIN_CELSIUS = 3.0
_SLOWED: frozenset[ThrottleReason] = frozenset({"thermal", "soft_limit"})


@dataclass(frozen=True)
class Limits:
    """In degrees Celsius: at `limit` it stops, below `recovery` it works again."""

    limit: float
    recovery: float


@dataclass(frozen=True)
class PartHeat:
    """How hot one part is taken to be. `known_at` and `hold_until` are by our steady clock."""

    part: str
    level: Level
    reason: str
    celsius: Reading
    known_at: float | None = None
    hold_until: float = 0.0


@dataclass(frozen=True)
class PartReading:
    """What a report says of one part's heat."""

    part: str
    celsius: Reading
    limits: Limits
    is_slowed: bool = False
    margin_celsius: float | None = None


def is_raspberry_pi(host: Host | None) -> bool:
    return host is not None and (host.board or "").startswith("Raspberry Pi")


def cpu_limits(thermal: ThermalSettings, host: Host | None) -> Limits:
    """A Raspberry Pi's firmware slows it down from 80 C on, where others have not begun to mind."""
    if is_raspberry_pi(host):
        return Limits(
            min(thermal.cpu_limit_celsius, thermal.raspberry_pi_limit_celsius),
            min(thermal.recovery_celsius, thermal.raspberry_pi_recovery_celsius),
        )
    return Limits(thermal.cpu_limit_celsius, thermal.recovery_celsius)


def parts_of(report: NodeReport, thermal: ThermalSettings, oldest_seconds: float) -> tuple[PartReading, ...]:
    """The processor and every card. A section older than `oldest_seconds` tells nothing of now."""
    ages = {run.name: run.age_seconds for run in report.collectors}
    heat = report.thermal
    if heat is None:
        cpu = Reading.unknown("no temperatures reported")
    elif (age := ages.get("thermal", 0.0)) > oldest_seconds:
        cpu = Reading.unknown(f"last measured {age:.0f} s ago")
    else:
        cpu = heat.cpu_celsius
    slowed = heat is not None and cpu.value is not None and bool(_SLOWED & set(heat.throttled))
    gpus = report.gpus or ()
    gpu_age = ages.get("gpus", 0.0)
    return (
        PartReading(CPU, cpu, cpu_limits(thermal, report.host), slowed),
        *(_gpu_part(gpu, thermal, gpu_age if gpu_age > oldest_seconds else None) for gpu in gpus),
    )


def gpu_part(gpu: Gpu) -> str:
    """The name of a card as a part."""
    return f"GPU {gpu.index}"


def _gpu_part(gpu: Gpu, thermal: ThermalSettings, too_old_seconds: float | None) -> PartReading:
    limits = Limits(thermal.gpu_limit_celsius, thermal.recovery_celsius)
    if too_old_seconds is not None:
        return PartReading(gpu_part(gpu), Reading.unknown(f"last measured {too_old_seconds:.0f} s ago"), limits)
    return PartReading(gpu_part(gpu), gpu.celsius, limits, bool(_SLOWED & set(gpu.throttled)), gpu.margin_celsius.value)


def next_heat(
    reading: PartReading,
    before: PartHeat | None,
    curve: CoolingCurve | None,
    *,
    forecast_seconds: float,
    keep_seconds: float,
    now: float,
    age_seconds: float = 0.0,
) -> PartHeat:
    """The part after this reading.

    Args:
        reading: What the newest report says.
        before: The part so far; None at first.
        curve: What was learned of how it warms; None before anything was.
        forecast_seconds: Throttle ahead of a limit that is nearer than this; 0 trusts no forecast.
        keep_seconds: How long a part keeps its level when nobody knows its temperature any more, and how long a curve
            counts that learns nothing more.
        now: By our steady clock.
        age_seconds: How long ago the reading came.
    """
    celsius = reading.celsius.value
    if celsius is None:
        return _unknown(reading, before, keep_seconds, now)
    known_at = now - age_seconds
    was: Level = "cool" if before is None else before.level
    if curve is not None and (curve.why_no_trust or now - curve.at_seconds > keep_seconds):
        curve = None
    at = f"{reading.part} at {celsius:.0f} C"
    if hot := _why_hot(reading, celsius, was, curve):
        return PartHeat(reading.part, "hot", at + hot, reading.celsius, known_at)
    hold = 0.0 if before is None else before.hold_until
    if was == "hot":  # all its work at once would soon have it hot again
        return PartHeat(reading.part, "throttled", f"{at}, was hot", reading.celsius, known_at, now + _HOLD_SECONDS)
    if ahead := _ahead(reading, celsius, curve, forecast_seconds):
        return PartHeat(reading.part, "throttled", at + ahead, reading.celsius, known_at, now + _HOLD_SECONDS)
    is_foreseen = curve is not None and curve.unit == "W" and forecast_seconds > 0
    if throttled := _why_throttled(reading, celsius, was, is_held=now < hold, is_foreseen=is_foreseen):
        return PartHeat(reading.part, "throttled", at + throttled, reading.celsius, known_at, hold)
    return PartHeat(reading.part, "cool", at, reading.celsius, known_at)


def _why_hot(reading: PartReading, celsius: float, was: Level, curve: CoolingCurve | None) -> str:
    """What follows on "CPU at 81 C"; empty when it is not hot."""
    limits = reading.limits
    time = None if curve is None else curve.seconds_to_recover(limits.recovery).value
    forecast = "" if time is None else f", about {in_words(time)} to {limits.recovery:.0f} C at this rate"
    if celsius >= limits.limit:
        return f", limit {limits.limit:.0f} C{forecast}"
    if was == "hot" and celsius >= limits.recovery:
        return forecast or f", cooling to {limits.recovery:.0f} C"
    return ""


def _ahead(reading: PartReading, celsius: float, curve: CoolingCurve | None, forecast_seconds: float) -> str:
    """What follows on "CPU at 71 C" when it is soon as near to the limit as the forecast errs."""
    if curve is None:
        return ""
    limit = reading.limits.limit
    near = limit - max(_LEAST_ERROR_CELSIUS, _P95_OF_MEAN * curve.error_celsius)
    soon = 0.0 if celsius >= near else curve.seconds_to_limit(near).value
    if soon is None or soon >= forecast_seconds:
        return ""
    time = curve.seconds_to_limit(limit).value
    return (
        f", close to its limit of {limit:.0f} C"
        if time is None
        else f", about {in_words(time)} to {limit:.0f} C at this rate"
    )


def _why_throttled(reading: PartReading, celsius: float, was: Level, *, is_held: bool, is_foreseen: bool) -> str:
    """Why it is slowed down, besides what is ahead; `is_foreseen` when its watts tell what is."""
    recovery = reading.limits.recovery
    released = recovery if is_foreseen else recovery - _BAND_CELSIUS
    if reading.margin_celsius is not None and reading.margin_celsius < _LEAST_MARGIN_CELSIUS:
        return f", {reading.margin_celsius:.0f} C from where it slows itself down"
    if reading.is_slowed:
        return ", slows itself down because of heat"
    if celsius >= recovery and not is_foreseen:
        return f", from {recovery:.0f} C on at reduced speed"
    if was == "throttled" and celsius >= released:
        return f", at full speed below {released:.0f} C"
    if was == "throttled" and is_held:
        return f", was near its limit of {reading.limits.limit:.0f} C"
    return ""


def _unknown(reading: PartReading, before: PartHeat | None, keep_seconds: float, now: float) -> PartHeat:
    """One lost reading cools nothing down; a sensor that stays away is no reason to wait for ever."""
    why = f"{reading.part} temperature unknown: {reading.celsius.why_unknown}"
    known_at = None if before is None else before.known_at
    if before is None or known_at is None or before.level == "cool" or now - known_at > keep_seconds:
        return PartHeat(reading.part, "cool", why, reading.celsius, known_at)
    return PartHeat(reading.part, before.level, f"{why}; {before.level} before", reading.celsius, known_at)


def in_words(seconds: float) -> str:
    """A duration as people say it: "40 s", "3 min", "2 h", "5 days"."""
    if seconds < 115:
        return f"{10 * max(1, round(seconds / 10))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 2 * 86_400 else f"{seconds / 86_400:.0f} days"
