"""Promises of the report and of the parts that every machine has."""

import json
import time

import pytest

from node_agent.collectors.host import HostCollector
from node_agent.identity import node_name
from node_agent.report import Reading
from node_agent.reporter import Reporter


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


@pytest.mark.parametrize(("value", "why"), [(None, ""), (1.0, "but also a reason")])
def test_a_reading_is_either_known_or_says_why_not(value: float | None, why: str) -> None:
    with pytest.raises(ValueError, match="either"):
        Reading(value, why)
