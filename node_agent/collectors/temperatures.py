"""Which temperatures can be believed. Where they come from is in thermal_linux, thermal_windows and macmon."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psutil

from node_agent.report import Reading

# Drivers without access report 0 or a few degrees, not an error (LibreHardwareMonitor issues 1875, 2225); a socket
# without a sensor reads 127 or 255 on many boards, and silicon does not live at 150 degrees.
_LEAST_CELSIUS, _MOST_CELSIUS = 5.0, 150.0
# A sensor is stuck when it said the same to the last digit this often and this long, while the processor's load
# moved by at least this share: heat that follows no load is not measured.
_STUCK_REPORTS, _STUCK_SECONDS, _STUCK_LOAD_RANGE = 20, 600.0, 0.3


@dataclass(frozen=True)
class Measured:
    """What one sensor said, not judged yet. `celsius` is None where `why_unknown` says why it said nothing."""

    chip: str
    label: str
    celsius: float | None
    limit_celsius: float | None = None
    is_processor: bool = False
    why_unknown: str = ""


def judged(celsius: float | None, why_unknown: str = "") -> Reading:
    """The temperature if it can be one, else why not."""
    if celsius is None or math.isnan(celsius):
        return Reading.unknown(why_unknown or "the sensor gives no number")
    if not _LEAST_CELSIUS <= celsius <= _MOST_CELSIUS:
        return Reading.unknown(f"{celsius:g} C is not believable")
    return Reading(celsius)


def believable_limit(celsius: float | None) -> float | None:
    """The limit, or None for the placeholders that drivers give (an NVMe disk says 65261.85)."""
    return None if celsius is None else judged(celsius).value


@dataclass
class _Run:
    """How long one sensor has said the same, and the lightest and heaviest load meanwhile."""

    celsius: float
    since_seconds: float
    reports: int = 1
    least_load: float = math.inf
    most_load: float = -math.inf

    def is_stuck(self, now_seconds: float) -> bool:
        return (
            self.reports >= _STUCK_REPORTS
            and now_seconds - self.since_seconds >= _STUCK_SECONDS
            and self.most_load - self.least_load >= _STUCK_LOAD_RANGE
        )


class StuckSensors:
    """Remembers what each sensor of the processor said, to find those that always say the same."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str, int], _Run] = {}

    def judge(self, measured: Sequence[Measured], load: float | None, now_seconds: float) -> list[Reading]:
        """One reading for each sensor, in order.

        Args:
            measured: All sensors of this report.
            load: Share of the processor's time in use since the report before, or None where it is not known.
            now_seconds: Of a clock that is never set back.
        """
        runs: dict[tuple[str, str, int], _Run] = {}
        readings: list[Reading] = []
        for position, sensor in enumerate(measured):
            reading = judged(sensor.celsius, sensor.why_unknown)
            if sensor.is_processor and reading.value is not None:
                key = (sensor.chip, sensor.label, position)
                runs[key] = run = _continued(self._runs.get(key), reading.value, load, now_seconds)
                if run.is_stuck(now_seconds):
                    minutes = int((now_seconds - run.since_seconds) / 60)
                    reading = Reading.unknown(f"{reading.value:g} C for {minutes} min while the load changed: stuck")
            readings.append(reading)
        self._runs = runs
        return readings


def _continued(run: _Run | None, celsius: float, load: float | None, now_seconds: float) -> _Run:
    if run is None or run.celsius != celsius:
        run = _Run(celsius, now_seconds)
    else:
        run.reports += 1
    if load is not None:
        run.least_load, run.most_load = min(run.least_load, load), max(run.most_load, load)
    return run


class ProcessorLoad:
    """Share of the processor's time in use between two calls. psutil's own memory of it belongs to other callers."""

    def __init__(self, cpu_times: Callable[[], Any] = psutil.cpu_times) -> None:
        self._cpu_times = cpu_times
        self._before: tuple[float, float] | None = None

    def since_last(self) -> float | None:
        """0 to 1, or None at the first call and where no time has passed."""
        times = self._cpu_times()._asdict()
        # A guest's time is part of its host's user time (Linux, proc(5)).
        total = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
        idle = times["idle"] + times.get("iowait", 0.0)
        before, self._before = self._before, (total, idle)
        if before is None or total <= before[0]:
            return None
        return min(max(1 - (idle - before[1]) / (total - before[0]), 0.0), 1.0)
