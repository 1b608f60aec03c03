"""Promises of the report and of the parts that every machine has."""

import json
import time
from types import SimpleNamespace

import pytest

from node_agent.collectors.host import HostCollector
from node_agent.collectors.thermal import cpu_temperature
from node_agent.identity import node_name
from node_agent.report import Reading
from node_agent.reporter import Reporter


def sensor(*celsius: float) -> list[SimpleNamespace]:
    return [SimpleNamespace(current=value) for value in celsius]


def test_reports_are_json_and_counted() -> None:
    reporter = Reporter(clock=lambda: 12.5)
    first, second = reporter.report(), reporter.report()
    assert (first.node, first.reported_at_unix_seconds) == (node_name(), 12.5)
    assert (first.sequence, second.sequence, first.boot_id) == (1, 2, second.boot_id)
    assert json.loads(json.dumps(first.to_json_object()))["schema_version"] == 1


def test_the_host_is_believable() -> None:
    host = HostCollector().collect()
    assert host.cores >= 1
    assert 0 < host.memory_available_bytes <= host.memory_total_bytes
    assert host.disk_free_bytes > 0


def test_processor_use_is_unknown_at_first_and_then_a_ratio() -> None:
    collector = HostCollector()
    assert collector.collect().cpu_ratio.value is None
    time.sleep(0.15)  # processor time passes in ticks of the kernel's clock
    value = collector.collect().cpu_ratio.value
    assert value is not None
    assert 0 <= value <= 1


def test_the_hottest_core_of_the_processor_counts_and_no_other_chip() -> None:
    sensors = {"nvme": sensor(91.0), "coretemp": sensor(55.0, 61.0), "k10temp": sensor(80.0)}
    assert cpu_temperature(sensors) == Reading(61.0)


@pytest.mark.parametrize("sensors", [{}, {"nvme": sensor(40.0)}, {"coretemp": []}, {"coretemp": sensor(0.0, 2.0)}])
def test_a_temperature_nobody_can_believe_is_unknown_with_a_reason(sensors) -> None:
    reading = cpu_temperature(sensors)
    assert reading.value is None
    assert reading.why_unknown


@pytest.mark.parametrize(("value", "why"), [(None, ""), (1.0, "but also a reason")])
def test_a_reading_is_either_known_or_says_why_not(value: float | None, why: str) -> None:
    with pytest.raises(ValueError, match="either"):
        Reading(value, why)
