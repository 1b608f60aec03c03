"""Heat of the processor, through psutil."""

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from node_agent.report import Reading, Thermal

# Where Linux and FreeBSD keep the processor's own sensor, best first: Intel, AMD, AMD by zenpower, boards with Arm.
_CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
# Drivers without access report 0 or a few degrees instead of an error (LibreHardwareMonitor issues 1875, 2225).
_LEAST_BELIEVABLE_CELSIUS = 5.0

Temperatures = Mapping[str, Sequence[Any]]


class ThermalCollector:
    """The section `thermal`."""

    name = "thermal"
    timeout_seconds = 2.0

    def collect(self) -> Thermal:
        """Temperatures now; a processor without a sensor is unknown, with the reason."""
        return Thermal(cpu_celsius=_cpu_celsius())


def _cpu_celsius() -> Reading:
    read = getattr(psutil, "sensors_temperatures", None)
    if read is None:
        return Reading.unknown(f"psutil reads no temperatures on {platform.system()}")
    return cpu_temperature(read())


def cpu_temperature(sensors: Temperatures) -> Reading:
    """The hottest believable value of the processor's sensor.

    Args:
        sensors: As psutil gives them: chip name to entries with `current` in degrees Celsius.
    """
    chip = next((name for name in _CPU_SENSORS if sensors.get(name)), None)
    if chip is None:
        return Reading.unknown("no processor sensor")
    believable = [entry.current for entry in sensors[chip] if entry.current >= _LEAST_BELIEVABLE_CELSIUS]
    if not believable:
        return Reading.unknown(f"{chip} reports no believable value")
    return Reading(max(believable))
