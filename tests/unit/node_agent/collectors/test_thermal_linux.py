"""Promises of heat on Linux: psutil's own entries, and trees of files as the kernel shows them."""

from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from node_agent.collectors.raspberry_pi import RaspberryPiFirmware
from node_agent.collectors.thermal import ThermalCollector
from node_agent.collectors.thermal_linux import LinuxHeat, is_processor_chip
from node_agent.report import Reading, Sensor, Thermal
from tests.unit.node_agent.collectors.sysfs_tree import write_tree

# The entries of psutil.sensors_temperatures().
shwtemp = namedtuple("shwtemp", "label current high critical")
Chips = Mapping[str, list[Any]]
INTEL: Chips = {
    "nvme": [shwtemp("Composite", 91.85, 81.85, 84.85), shwtemp("Sensor 1", 40.85, 65261.85, 65261.85)],
    "coretemp": [shwtemp("Package id 0", 55.0, 80.0, 100.0), shwtemp("Core 0", 61.0, 80.0, 100.0)],
}


def collected(chips: Chips, sys_root: Path, **more: Any) -> Thermal:
    return ThermalCollector(LinuxHeat(sys_root, lambda: chips, **more)).collect()


def zone(number: int, kind: str, temperature: str | int, **trips: int) -> dict[str, str | int]:
    folder = f"class/thermal/thermal_zone{number}"
    files: dict[str, str | int] = {f"{folder}/type": kind, f"{folder}/temp": temperature}
    for place, (name, at) in enumerate(trips.items()):
        files |= {f"{folder}/trip_point_{place}_type": name, f"{folder}/trip_point_{place}_temp": at}
    return files


def test_the_hottest_core_counts_and_every_sensor_is_listed_with_its_limit(tmp_path: Path) -> None:
    thermal = collected(INTEL, tmp_path)
    assert thermal.cpu_celsius == Reading(61.0)
    assert Sensor("coretemp", "Core 0", Reading(61.0), 100.0) in thermal.sensors
    assert Sensor("nvme", "Composite", Reading(91.85), 84.85) in thermal.sensors
    # 65261.85 is a disk's way to say that it has no limit.
    assert Sensor("nvme", "Sensor 1", Reading(40.85), None) in thermal.sensors


def test_the_control_value_of_older_ryzens_is_not_the_temperature_of_the_die(tmp_path: Path) -> None:
    chips = {"k10temp": [shwtemp("Tctl", 80.0, 70.0, None), shwtemp("Tdie", 53.0, 70.0, None)]}
    thermal = collected(chips, tmp_path)
    assert thermal.cpu_celsius == Reading(53.0)
    assert [sensor.limit_celsius for sensor in thermal.sensors] == [70.0, 70.0]
    assert collected({"k10temp": [shwtemp("Tctl", 62.0, None, None)]}, tmp_path).cpu_celsius == Reading(62.0)


@pytest.mark.parametrize("celsius", [0.0, 4.9, -273.0, 150.5, 255.0, float("nan"), float("inf")])
def test_a_value_nobody_can_believe_is_unknown_with_a_reason(celsius: float, tmp_path: Path) -> None:
    thermal = collected({"coretemp": [shwtemp("Core 0", celsius, 80.0, 100.0)]}, tmp_path)
    assert thermal.cpu_celsius.value is None
    assert thermal.cpu_celsius.why_unknown.startswith("coretemp Core 0: ")
    assert thermal.sensors[0].celsius.value is None


def test_one_core_that_cannot_be_believed_does_not_hide_the_others(tmp_path: Path) -> None:
    chips = {"coretemp": [shwtemp("Core 0", 0.0, 80.0, 100.0), shwtemp("Core 1", 47.0, 80.0, 100.0)]}
    assert collected(chips, tmp_path).cpu_celsius == Reading(47.0)


@pytest.mark.parametrize(("chips", "why"), [({}, "no temperature sensor"), ({"nvme": INTEL["nvme"]}, "among nvme")])
def test_a_machine_without_a_sensor_of_the_processor_says_so(chips: Chips, why: str, tmp_path: Path) -> None:
    assert why in collected(chips, tmp_path).cpu_celsius.why_unknown


def test_thermal_zones_are_read_where_hwmon_shows_no_processor(tmp_path: Path) -> None:
    zones = (
        zone(0, "acpitz", 27_800) | zone(1, "x86_pkg_temp", 68_000, critical=100_000) | zone(10, "cpu-thermal", 59_500)
    )
    thermal = collected({"nvme": INTEL["nvme"]}, write_tree(tmp_path, zones))
    assert thermal.cpu_celsius == Reading(68.0)
    assert [(s.chip, s.label, s.limit_celsius) for s in thermal.sensors[2:]] == [
        ("acpitz", "thermal_zone0", None),
        ("x86_pkg_temp", "thermal_zone1", 100.0),
        ("cpu-thermal", "thermal_zone10", None),
    ]


def test_zones_are_left_out_where_hwmon_shows_the_processor_and_never_listed_twice(tmp_path: Path) -> None:
    root = write_tree(tmp_path, zone(0, "acpitz", 27_800) | zone(1, "x86_pkg_temp", 68_000))
    assert {sensor.chip for sensor in collected(INTEL, root).sensors} == {"nvme", "coretemp"}
    # Without any hwmon psutil reads the zones itself.
    chips = {"acpitz": [shwtemp("", 27.8, None, None)]}
    assert [sensor.chip for sensor in collected(chips, root).sensors] == ["acpitz", "x86_pkg_temp"]


def test_a_zone_that_cannot_be_read_is_unknown_with_the_systems_words(tmp_path: Path) -> None:
    root = write_tree(tmp_path, {"class/thermal/thermal_zone0/type": "cpu-thermal"})
    why = collected({}, root).cpu_celsius.why_unknown
    assert "thermal_zone0 cannot be read: No such file" in why
    write_tree(tmp_path, zone(0, "cpu-thermal", "garbage"))
    assert "thermal_zone0 holds no number" in collected({}, root).cpu_celsius.why_unknown


@pytest.mark.parametrize("name", ["coretemp", "k10temp", "cpu_thermal", "cpu-thermal", "soc_thermal", "cpu0-thermal"])
def test_names_of_processor_sensors(name: str) -> None:
    assert is_processor_chip(name)


@pytest.mark.parametrize("name", ["nvme", "acpitz", "iwlwifi_1", "amdgpu", "gpu_thermal", "pch_cannonlake", "cpu"])
def test_names_of_other_sensors(name: str) -> None:
    assert not is_processor_chip(name)


def test_a_throttle_count_that_grew_since_the_report_before_is_heat(tmp_path: Path) -> None:
    core = "devices/system/cpu/cpu3/thermal_throttle/core_throttle_count"
    package = "devices/system/cpu/cpu3/thermal_throttle/package_throttle_count"
    power = "devices/system/cpu/cpu3/thermal_throttle/core_power_limit_count"
    write_tree(tmp_path, {core: 41_912, package: 67_565, power: 1})
    heat = LinuxHeat(tmp_path, lambda: {})
    assert heat.throttled() == ()  # since boot is not now
    write_tree(tmp_path, {package: 67_566})
    assert heat.throttled() == ("thermal",)
    assert heat.throttled() == ()
    write_tree(tmp_path, {core: 0, package: 0, power: 99})  # the core was switched off and on again
    assert heat.throttled() == ()


def test_what_the_firmware_of_a_raspberry_pi_says_is_in_the_section(tmp_path: Path) -> None:
    pi = RaspberryPiFirmware(tmp_path, lambda *_: "throttled=0xf0009\n")
    chips = {"cpu_thermal": [shwtemp("", 71.58, None, 110.0)], "rp1_adc": [shwtemp("", 58.3, None, None)]}
    thermal = collected(chips, tmp_path, raspberry_pi=pi)
    assert (thermal.cpu_celsius, thermal.throttled) == (Reading(71.58), ("soft_limit", "under_voltage"))


def test_this_machine_is_measured_without_an_error() -> None:
    thermal = ThermalCollector().collect()
    assert thermal.cpu_celsius.value is None or 5 <= thermal.cpu_celsius.value <= 150
