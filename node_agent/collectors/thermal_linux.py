"""Heat and throttling of the processor as Linux tells them: hwmon through psutil, thermal zones, throttle counts.

FreeBSD comes through here too: psutil knows its sensors, and it has no /sys.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from node_agent.collectors.raspberry_pi import RaspberryPiFirmware
from node_agent.collectors.temperatures import Measured
from node_agent.report import ThrottleReason

_SYS = Path("/sys")
# Intel, AMD, AMD by zenpower, Intel's package zone, and boards with Arm (Raspberry Pi: cpu_thermal). Not acpitz: it
# is the board's own zone, and often a constant.
_PROCESSOR_CHIPS = re.compile(
    r"coretemp|k10temp|zenpower|x86_pkg_temp|(cpu|soc|package|cluster|bigcore|littlecore)[\w-]*[-_]thermal"
)

Temperatures = Mapping[str, Sequence[Any]]


class LinuxHeat:
    """Reads files only, and asks the firmware of a Raspberry Pi."""

    def __init__(
        self,
        sys_root: Path = _SYS,
        read_hwmon: Callable[[], Temperatures] | None = None,
        raspberry_pi: RaspberryPiFirmware | None = None,
    ) -> None:
        self._sys = sys_root
        self._read_hwmon = read_hwmon or _psutil_sensors
        self._raspberry_pi = raspberry_pi or RaspberryPiFirmware(sys_root)
        self._counts = _throttle_counts(sys_root)

    def temperatures(self) -> list[Measured]:
        """All sensors of hwmon, and the thermal zones where no sensor of the processor is among them."""
        sensors = _of_hwmon(self._read_hwmon())
        if not any(sensor.is_processor for sensor in sensors):
            # psutil reads the zones itself on a machine without any hwmon: none is listed twice.
            chips = {sensor.chip for sensor in sensors}
            sensors += [zone for zone in _thermal_zones(self._sys) if zone.chip not in chips]
        return sensors

    def throttled(self) -> tuple[ThrottleReason, ...]:
        """What the firmware of a Raspberry Pi says, and heat where a count of the kernel grew since the last call."""
        reasons = set(self._raspberry_pi.throttled())
        before, self._counts = self._counts, _throttle_counts(self._sys)
        if any(count > before.get(file, count) for file, count in self._counts.items()):
            reasons.add("thermal")
        return tuple(sorted(reasons))


def _psutil_sensors() -> Temperatures:
    read = getattr(psutil, "sensors_temperatures", None)
    return {} if read is None else read()


def _of_hwmon(chips: Temperatures) -> list[Measured]:
    return [
        Measured(
            chip=chip,
            label=entry.label,
            celsius=entry.current,
            # `critical` is where the driver steps in; `high` is where it says warm.
            limit_celsius=entry.high if entry.critical is None else entry.critical,
            is_processor=is_processor_chip(chip) and not _is_control_value(entry.label, entries),
        )
        for chip, entries in chips.items()
        for entry in entries
    ]


def is_processor_chip(chip: str) -> bool:
    """Whether a sensor chip or thermal zone of this name measures the processor."""
    return _PROCESSOR_CHIPS.fullmatch(chip) is not None


def _is_control_value(label: str, entries: Sequence[Any]) -> bool:
    # k10temp's Tctl is up to 27 degrees above the die (kernel docs, hwmon/k10temp); Tdie is there where they differ.
    return label == "Tctl" and any(entry.label == "Tdie" for entry in entries)


def _thermal_zones(sys_root: Path) -> list[Measured]:
    folders = sorted(sys_root.glob("class/thermal/thermal_zone*"), key=lambda folder: (len(folder.name), folder.name))
    return [zone for zone in map(_thermal_zone, folders) if zone is not None]


def _thermal_zone(folder: Path) -> Measured | None:
    try:
        chip = (folder / "type").read_text().strip()
    except OSError:
        return None  # A zone that is being removed has no name and no value.
    try:
        celsius, why = int((folder / "temp").read_text()) / 1000, ""
    except OSError as error:
        celsius, why = None, f"{folder.name} cannot be read: {error.strerror}"
    except ValueError:
        celsius, why = None, f"{folder.name} holds no number"
    return Measured(chip, folder.name, celsius, _critical_trip(folder), is_processor_chip(chip), why)


def _critical_trip(folder: Path) -> float | None:
    for file in folder.glob("trip_point_*_type"):
        try:
            if file.read_text().strip() == "critical":
                return int(file.with_name(file.name.replace("_type", "_temp")).read_text()) / 1000
        except (OSError, ValueError):
            continue
    return None


def _throttle_counts(sys_root: Path) -> dict[Path, int]:
    """How often each core and its package were slowed down for heat since boot (Intel only)."""
    counts: dict[Path, int] = {}
    for file in sys_root.glob("devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count"):
        try:
            counts[file] = int(file.read_text())
        except (OSError, ValueError):
            continue  # A core that was just switched off.
    return counts
