"""How fast one processor or card warms and cools: a first-order fit that learns from its reports. Pure.

From one step to the next a body warms by aT + bP + c + dD. P is what drives it on average, watts where they are
reported, else the load; D is how much more of it there is at the end. A chip under its cooler has a fast and a slow
part; the fast one has followed the load before the next report comes, so that d is all there is to learn of it.
Recursive least squares with forgetting finds a to d for steps of 30 s; steps of other lengths are scaled by how far an
exponential of the present time constant gets in them. The fit keeps its own error, and until it has earned trust it
says nothing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from node_agent.report import Reading

DriveUnit = Literal["W", "load"]

# Trust: so many steps learned, so small a mean error of the next value, and something learned from.
TRUST_SAMPLES = 30
TRUST_ERROR_CELSIUS = 3.0
TRUST_SPREAD_CELSIUS = 4.0

_STEP_SECONDS = 30.0
# Closer together, the sensor's rounding to whole degrees hides the change; further apart, nobody knows what drove it.
_LEAST_SECONDS = 8.0
_MOST_SECONDS = 300.0
_FORGETTING = 0.995
# A machine that idles for a night teaches nothing new; forgetting on would blow the uncertainty up without bound.
_MOST_UNCERTAINTY = 400.0
_MOST_SURPRISE_CELSIUS = 15.0  # one jump, such as a fan that starts, must not overturn what was learned
_ERROR_WEIGHT = 0.05

# The parameters are learned around a middle and in these units, so that all are of about the same size.
_MIDDLE_CELSIUS, _CELSIUS_UNIT = 40.0, 20.0
_DRIVE_UNIT: dict[DriveUnit, float] = {"W": 100.0, "load": 1.0}
_LEAST_TAU_SECONDS, _MOST_TAU_SECONDS = 10.0, 3600.0
_MOST_FORECAST_SECONDS = 3 * 3600.0

Row = tuple[float, float, float, float]
# Before anything is learned: 120 s, and 30 C more at full drive. The uncertainty beside it lets data overrule it.
_PRIOR_SHARE = 1 - math.exp(-_STEP_SECONDS / 120.0)
_PRIOR: Row = (-_CELSIUS_UNIT * _PRIOR_SHARE, 30.0 * _PRIOR_SHARE, 0.0, 0.0)
_PRIOR_UNCERTAINTY: tuple[Row, Row, Row, Row] = (
    (25.0, 0.0, 0.0, 0.0),
    (0.0, 25.0, 0.0, 0.0),
    (0.0, 0.0, 25.0, 0.0),
    (0.0, 0.0, 0.0, 25.0),
)


@dataclass(frozen=True)
class CoolingCurve:
    """What was learned so far; `after` gives the next one. `celsius` and `drive` are the newest values."""

    unit: DriveUnit
    at_seconds: float
    celsius: float
    drive: float
    idle_drive: float
    coolest: float
    hottest: float
    steps: int = 0
    error_celsius: float = 0.0
    parameters: Row = _PRIOR
    uncertainty: tuple[Row, Row, Row, Row] = _PRIOR_UNCERTAINTY

    @classmethod
    def begun(cls, at_seconds: float, celsius: float, drive: float, unit: DriveUnit) -> "CoolingCurve":
        """From the first value.

        Raises:
            ValueError: A value is not finite.
        """
        if not all(map(math.isfinite, (at_seconds, celsius, drive))):
            raise ValueError("a cooling curve learns from finite numbers only")
        return cls(unit, at_seconds, celsius, drive, drive, celsius, celsius)

    def after(self, at_seconds: float, celsius: float, drive: float, unit: DriveUnit) -> "CoolingCurve":
        """With one more value, at any distance in time. Another unit begins anew: watts say nothing of load.

        Raises:
            ValueError: A value is not finite.
        """
        new = CoolingCurve.begun(at_seconds, celsius, drive, unit)
        if unit != self.unit or at_seconds < self.at_seconds:
            return new
        seconds = at_seconds - self.at_seconds
        if seconds < _LEAST_SECONDS:
            return self
        # The lowest drive seen is what idle means; it rises slowly, so that one false low is forgotten.
        idle = min(drive, self.idle_drive + 0.002 * (drive - self.idle_drive))
        moved = replace(
            self,
            at_seconds=at_seconds,
            celsius=celsius,
            drive=drive,
            idle_drive=idle,
            coolest=min(self.coolest, celsius),
            hottest=max(self.hottest, celsius),
        )
        return moved if seconds > _MOST_SECONDS else moved._learned(self, seconds)

    @property
    def tau_seconds(self) -> float:
        """The time constant, kept between 10 s and an hour."""
        return -_STEP_SECONDS / math.log(1 - self._share)

    @property
    def why_no_trust(self) -> str:
        """Empty once the fit may be relied on."""
        share = -self.parameters[0] / _CELSIUS_UNIT
        if self.steps < TRUST_SAMPLES:
            return f"learning how it warms: {self.steps} of {TRUST_SAMPLES} steps"
        if self.error_celsius >= TRUST_ERROR_CELSIUS:
            return f"its temperature follows no curve yet: off by {self.error_celsius:.1f} C a step"
        if self.hottest - self.coolest < TRUST_SPREAD_CELSIUS:
            return "its temperature has hardly moved so far"
        if not _share_of(_MOST_TAU_SECONDS) <= share <= _share_of(_LEAST_TAU_SECONDS) or self.parameters[1] <= 0:
            return "its temperature does not follow its load"
        return ""

    def settles_at(self, drive: float) -> float:
        """The temperature it goes to under a constant drive, in degrees Celsius."""
        share, (_, by_drive, rest, _) = self._share, self.parameters
        return _MIDDLE_CELSIUS + (by_drive * drive / _DRIVE_UNIT[self.unit] + rest) / share

    def predicted(self, seconds_ahead: float, drive: float | None = None) -> float:
        """The temperature so far ahead under a constant drive (the present one when None).

        Without trust it is the newest value.
        """
        if self.why_no_trust:
            return self.celsius
        drive = self.drive if drive is None else drive
        settled = self.settles_at(drive)
        return settled + (self._at_once(drive) - settled) * math.exp(-seconds_ahead / self.tau_seconds)

    def seconds_to_limit(self, limit_celsius: float) -> Reading:
        """How long until it is as hot as that under the present drive; 0 when it is. Unknown when it will not be."""
        if self.celsius >= limit_celsius:
            return Reading(0.0)
        return self._seconds_to(limit_celsius, self.drive)

    def seconds_to_recover(self, recovery_celsius: float) -> Reading:
        """How long until it has cooled to that: under the present drive, or idle where that would not cool it."""
        if self.celsius <= recovery_celsius:
            return Reading(0.0)
        now = self._seconds_to(recovery_celsius, self.drive)
        return self._seconds_to(recovery_celsius, self.idle_drive) if now.value is None else now

    def _seconds_to(self, target: float, drive: float) -> Reading:
        if why := self.why_no_trust:
            return Reading.unknown(why)
        settled, begins = self.settles_at(drive), self._at_once(drive)
        if (begins - target) * (self.celsius - target) <= 0:
            return Reading(0.0)
        if (settled - target) * (target - begins) <= 0:
            return Reading.unknown(f"it settles at {settled:.0f} C at this load, and does not reach {target:.0f} C")
        seconds = self.tau_seconds * math.log((settled - begins) / (settled - target))
        if seconds > _MOST_FORECAST_SECONDS:
            return Reading.unknown(f"more than {_MOST_FORECAST_SECONDS / 3600:.0f} h")
        return Reading(seconds)

    @property
    def _share(self) -> float:
        """How much of the way to the settled temperature one step of 30 s goes: 1 - a."""
        share = -self.parameters[0] / _CELSIUS_UNIT
        return min(max(share, _share_of(_MOST_TAU_SECONDS)), _share_of(_LEAST_TAU_SECONDS))

    def _at_once(self, drive: float) -> float:
        """The temperature a moment after the drive changed to that: the fast part follows, the slow one has not."""
        return self.celsius + max(0.0, self.parameters[3]) * (drive - self.drive) / _DRIVE_UNIT[self.unit]

    def _learned(self, before: "CoolingCurve", seconds: float) -> "CoolingCurve":
        """One step of recursive least squares on the change since `before`."""
        scale = (1 - (1 - before._share) ** (seconds / _STEP_SECONDS)) / before._share
        drive = (before.drive + self.drive) / 2 / _DRIVE_UNIT[self.unit]
        change = (self.drive - before.drive) / _DRIVE_UNIT[self.unit]
        row = (scale * (before.celsius - _MIDDLE_CELSIUS) / _CELSIUS_UNIT, scale * drive, scale, change)
        surprise = self.celsius - before.celsius - _dot(row, before.parameters)
        spread = tuple(_dot(line, row) for line in before.uncertainty)
        is_bounded = sum(before.uncertainty[at][at] for at in range(4)) < _MOST_UNCERTAINTY
        forgetting = _FORGETTING if is_bounded else 1.0
        room = forgetting + _dot(row, spread)
        kept = min(max(surprise, -_MOST_SURPRISE_CELSIUS), _MOST_SURPRISE_CELSIUS)
        weight = max(_ERROR_WEIGHT, 1 / (before.steps + 1))
        return replace(
            self,
            steps=before.steps + 1,
            error_celsius=before.error_celsius + weight * (abs(surprise) - before.error_celsius),
            parameters=_row(was + gain / room * kept for was, gain in zip(before.parameters, spread, strict=True)),
            uncertainty=_rows(
                _row((before.uncertainty[i][j] - spread[i] * spread[j] / room) / forgetting for j in range(4))
                for i in range(4)
            ),
        )


def _share_of(tau_seconds: float) -> float:
    return 1 - math.exp(-_STEP_SECONDS / tau_seconds)


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _row(values: Iterable[float]) -> Row:
    first, second, third, fourth = values
    return first, second, third, fourth


def _rows(rows: Iterable[Row]) -> tuple[Row, Row, Row, Row]:
    first, second, third, fourth = rows
    return first, second, third, fourth
