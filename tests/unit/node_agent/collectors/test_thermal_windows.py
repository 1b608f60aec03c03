"""Promises of heat on Windows: documents in LibreHardwareMonitor's format over real HTTP."""

import json
import math
from typing import Any

import pytest
from hypothesis import given

from node_agent.collectors.thermal import ThermalCollector
from node_agent.collectors.thermal_windows import WindowsHeat, processor_sensors
from node_agent.report import Reading, Sensor, Thermal
from tests.unit.node_agent.collectors.heat_samples import documents, libre_sensor, libre_tree
from tests.unit.node_agent.collectors.loopback_server import nobody_serving, serving

PACKAGE, CORE, DISTANCE = (f"/intelcpu/0/temperature/{number}" for number in (0, 1, 9))
CARD = ("/gpu-nvidia/0", "RTX", [libre_sensor("/gpu-nvidia/0/temperature/0", "GPU Core", "84.0 °C", "84.0 °C")])
DISK = ("/nvme/0", "Disk", [libre_sensor("/nvme/0/temperature/3", "Critical Temperature", "94.0 °C", "94.0 °C")])


def collected(body: str, status: int = 200) -> Thermal:
    with serving("/data.json", body, status) as url:
        return ThermalCollector(WindowsHeat(url)).collect()


def intel(*sensors: dict[str, Any]) -> str:
    return libre_tree(("/intelcpu/0", "Intel Core i7", list(sensors)), CARD, DISK)


def test_the_processor_is_found_among_cards_and_disks_with_the_limit_of_each_core() -> None:
    thermal = collected(
        intel(
            libre_sensor(PACKAGE, "CPU Package", "64.5 °C", "64.5 °C"),
            libre_sensor(CORE, "P-Core #1", "61.0 °C", "61.0 °C"),
            libre_sensor(DISTANCE, "P-Core #1 Distance to TjMax", "39.0 °C", "39.0 °C"),
            libre_sensor("/intelcpu/0/power/0", "CPU Package", "92.0 W", "92.0 W"),
        )
    )
    assert thermal.cpu_celsius == Reading(64.5)
    assert thermal.sensors == (
        Sensor("intelcpu/0", "CPU Package", Reading(64.5), None),
        Sensor("intelcpu/0", "P-Core #1", Reading(61.0), 100.0),
    )


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ("46.9 °C", "46.9 °C"),  # 0.9.5 and 0.9.6
        ("46,9 °C", "46,9 °C"),  # where Windows writes numbers with a comma
        ("116.4 °F", "46.9 °C"),  # the display is set to Fahrenheit
        ("116.42 °F", None),  # the same before 0.9.5
        ("46.9 °C", None),
        ("46.9 °C", 46.9),  # a number, as the versions after 0.9.6 write it
    ],
)
def test_values_are_read_however_the_version_and_the_language_write_them(value: str, raw: Any) -> None:
    amd = libre_sensor("/amdcpu/0/temperature/2", "Core (Tctl/Tdie)", value, raw)
    assert collected(libre_tree(("/amdcpu/0", "AMD Ryzen", [amd]))).cpu_celsius == Reading(46.9)


@pytest.mark.parametrize("raw", ["0.0 °C", "0,0 °C", 0, 0.0])
def test_zero_is_unknown_and_says_what_is_missing(raw: Any) -> None:
    thermal = collected(intel(libre_sensor(PACKAGE, "CPU Package", "0.0 °C", raw)))
    assert "PawnIO" in thermal.cpu_celsius.why_unknown
    assert "administrator" in thermal.sensors[0].celsius.why_unknown


@pytest.mark.parametrize("raw", [" °C", "-", "NaN °C", True, [1]])
def test_a_sensor_without_a_number_is_unknown(raw: Any) -> None:
    assert "no value" in collected(intel(libre_sensor(PACKAGE, "CPU Package", "-", raw))).cpu_celsius.why_unknown


def test_a_tree_without_the_processor_says_what_to_install() -> None:
    assert "lists no temperature of the processor" in collected(libre_tree(CARD, DISK)).cpu_celsius.why_unknown


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ("<html>Authorization required</html>", 401, "status 401"),
        ("not json", 200, "did not answer with JSON"),
        ("[" * 200_000, 200, "did not answer with JSON"),
        (json.dumps([1, {"Children": "none"}, None]), 200, "no temperature"),
        (" " * (4 * 1024 * 1024 + 1), 200, "larger than"),
    ],
)
def test_an_answer_that_is_none_is_unknown_with_the_reason(body: str, status: int, why: str) -> None:
    assert why in collected(body, status).cpu_celsius.why_unknown


@given(documents("Children", "Text", "SensorId", "RawValue", "Value"), documents("RawValue", "Value"))
def test_any_document_gives_finite_values_or_none(tree: Any, raw: Any) -> None:
    sensor = libre_sensor(PACKAGE, "CPU Package", "46.9 °C", raw)
    for found in processor_sensors({"Children": [tree, sensor]}):
        assert found.celsius is None or math.isfinite(found.celsius)


def test_without_librehardwaremonitor_the_reason_says_what_to_install() -> None:
    with nobody_serving("/data.json") as url:
        thermal = ThermalCollector(WindowsHeat(url)).collect()
    assert thermal.cpu_celsius.value is None
    assert url in thermal.cpu_celsius.why_unknown
    assert "install LibreHardwareMonitor with PawnIO" in thermal.cpu_celsius.why_unknown
