"""Promises of heat and of the card on Apple silicon: macmon's documents over real HTTP and as its output."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.collectors.asking import NotInstalled, Runner, Unanswered
from node_agent.collectors.base import NoData
from node_agent.collectors.gpus_apple import AppleCards, apple_card
from node_agent.collectors.macmon import AppleHeat, Macmon
from node_agent.collectors.thermal import ThermalCollector
from node_agent.report import Gpu, Reading
from tests.unit.node_agent.collectors.heat_samples import MACMON_06, MACMON_08, documents
from tests.unit.node_agent.collectors.loopback_server import nobody_serving, serving


def not_installed(command: Sequence[str], timeout_seconds: float) -> str:
    raise NotInstalled(f"{command[0]} is not installed")


def failing(command: Sequence[str], timeout_seconds: float) -> str:
    raise Unanswered("macmon ended with 1: not Apple silicon")


def writing(text: str) -> Runner:
    def run(command: Sequence[str], timeout_seconds: float) -> str:
        assert tuple(command) == ("macmon", "pipe", "-s", "1")
        return text

    return run


def card(document: object) -> Gpu:
    with serving("/json", json.dumps(document)) as url:
        (found,) = AppleCards(Macmon(url, not_installed), system="Darwin").collect()
    return found


def cpu_celsius(document: object) -> Reading:
    with serving("/json", json.dumps(document)) as url:
        return ThermalCollector(AppleHeat(Macmon(url, not_installed))).collect().cpu_celsius


def test_a_running_server_is_asked() -> None:
    assert cpu_celsius(MACMON_08) == Reading(61.25)


@pytest.mark.parametrize(("path", "status"), [("/metrics", 200), ("/json", 503)])
def test_the_program_is_started_where_no_server_of_macmon_answers(path: str, status: int) -> None:
    with serving(path, "# HELP go_goroutines", status) as url:
        address = url.replace(path, "/json")
        macmon = Macmon(address, writing(json.dumps(MACMON_06) + "\n"))
        assert ThermalCollector(AppleHeat(macmon)).collect().cpu_celsius == Reading(43.75)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (not_installed, "brew install macmon"),
        (failing, "not Apple silicon"),
        (writing("{}"), "no measurement"),
        (writing("half a docu"), "did not answer with JSON"),
    ],
)
def test_without_macmon_the_reason_says_so(run: Runner, why: str) -> None:
    with nobody_serving("/json") as url:
        macmon = Macmon(url, run)
        assert why in ThermalCollector(AppleHeat(macmon)).collect().cpu_celsius.why_unknown
        with pytest.raises(NoData, match=why):
            AppleCards(macmon, system="Darwin").collect()


@pytest.mark.parametrize("said", [0.0, None, "hot", True, float("nan")])
def test_a_temperature_that_is_none_is_unknown(said: object) -> None:
    reading = cpu_celsius({**MACMON_08, "temp": {"cpu_temp_avg": said}})
    assert "macmon gives no processor temperature" in reading.why_unknown


def test_the_card_of_a_new_version() -> None:
    found = card(MACMON_08)
    assert (found.name, found.vendor) == ("Apple M3 Pro GPU", "apple")
    assert (found.celsius, found.power_watts, found.busy_ratio) == (Reading(54.5), Reading(7.75), Reading(0.5))
    assert (found.memory_total_bytes, found.memory_used_bytes) == (25769803776, 20985479168)
    assert found.margin_celsius.why_unknown
    assert found.others_ratio.why_unknown


def test_the_card_of_an_old_version_with_a_sensor_it_does_not_know() -> None:
    found = card(MACMON_06)
    assert (found.name, found.busy_ratio) == ("Apple GPU", Reading(0.25))
    assert found.celsius == Reading.unknown("macmon gives no card temperature")


def test_a_document_of_another_shape_leaves_every_value_unknown() -> None:
    found = card({"temp": [1], "memory": None, "gpu_usage": [461], "soc": "M3", "gpu_power": "7 W"})
    readings = (found.celsius, found.power_watts, found.busy_ratio, found.margin_celsius, found.others_ratio)
    assert all(reading.value is None for reading in readings)
    assert (found.memory_total_bytes, found.memory_used_bytes) == (None, None)


@given(
    st.dictionaries(st.sampled_from(tuple(MACMON_08)), documents(*MACMON_08["temp"], *MACMON_08["memory"], "chip_name"))
)
def test_any_document_gives_finite_values_or_reasons(document: dict[str, Any]) -> None:
    json.dumps(asdict(apple_card(document)), allow_nan=False)


def test_another_system_has_no_apple_card_and_starts_nothing() -> None:
    def never(command: Sequence[str], timeout_seconds: float) -> str:
        raise AssertionError(command)

    with nobody_serving("/json") as url, pytest.raises(NoData, match="not macOS"):
        AppleCards(Macmon(url, never), system="Linux").collect()
