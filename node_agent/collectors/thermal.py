"""Heat of the processor: the section `thermal`.

The system's way to measure is in thermal_linux, thermal_windows and macmon; what can be believed in temperatures.
"""

import platform
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import psutil

from node_agent.collectors.base import NoData
from node_agent.collectors.macmon import AppleHeat
from node_agent.collectors.temperatures import Measured, ProcessorLoad, StuckSensors, believable_limit
from node_agent.collectors.thermal_linux import LinuxHeat
from node_agent.collectors.thermal_windows import WindowsHeat
from node_agent.report import Reading, Sensor, Thermal, ThrottleReason


class HeatSource(Protocol):
    """How one operating system tells the heat of its processor."""

    def temperatures(self) -> list[Measured]:
        """All sensors now.

        Raises:
            NoData: Nobody tells; the message says what to install.
        """
        ...

    def throttled(self) -> tuple[ThrottleReason, ...]:
        """Why the processor runs slower than it could, now; empty where the system does not tell."""
        ...


class ThermalCollector:
    """The section `thermal`. Keeps what the sensors said before, to find those that are stuck."""

    name = "thermal"
    # `macmon pipe` measures for a second before it answers.
    timeout_seconds = 6.0

    def __init__(
        self,
        source: HeatSource | None = None,
        cpu_times: Callable[[], Any] = psutil.cpu_times,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source or heat_source(platform.system())
        self._load = ProcessorLoad(cpu_times)
        self._clock = clock
        self._stuck = StuckSensors()

    def collect(self) -> Thermal:
        """Temperatures now; a processor without a believable sensor is unknown, with the reason."""
        load = self._load.since_last()
        throttled = self._source.throttled()
        try:
            measured = self._source.temperatures()
        except NoData as none:
            return Thermal(Reading.unknown(str(none)), throttled=throttled)
        readings = self._stuck.judge(measured, load, self._clock())
        sensors = tuple(
            Sensor(sensor.chip, sensor.label, reading, believable_limit(sensor.limit_celsius))
            for sensor, reading in zip(measured, readings, strict=True)
        )
        return Thermal(_hottest(measured, readings), sensors, throttled)


def heat_source(system: str) -> HeatSource:
    """The way of the operating system, as `platform.system()` names it."""
    if system == "Windows":
        return WindowsHeat()
    if system == "Darwin":
        return AppleHeat()
    return LinuxHeat()


def _hottest(measured: Sequence[Measured], readings: Sequence[Reading]) -> Reading:
    """The hottest of the processor's sensors that can be believed, or why there is none."""
    of_processor = [
        (sensor, reading) for sensor, reading in zip(measured, readings, strict=True) if sensor.is_processor
    ]
    known = [reading.value for _, reading in of_processor if reading.value is not None]
    if known:
        return Reading(max(known))
    if of_processor:
        sensor, reading = of_processor[0]
        return Reading.unknown(f"{sensor.chip} {sensor.label}".rstrip() + f": {reading.why_unknown}")
    others = ", ".join(sorted({sensor.chip for sensor in measured}))
    return Reading.unknown(f"no processor sensor among {others}" if others else "no temperature sensor")
