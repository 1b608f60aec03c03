"""Promises of the NVIDIA collector, with a double of NVML: there is no card here."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.collectors.asking import Unanswered
from node_agent.collectors.base import NoData
from node_agent.collectors.gpus_nvidia import NvidiaCards
from node_agent.report import Gpu, Reading
from tests.unit.node_agent.collectors.nvml_double import (
    BUSY_CARD,
    DRIVER_NOT_LOADED,
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    LIBRARY_NOT_FOUND,
    NOT_FOUND,
    NOT_SUPPORTED,
    VERSION_MISMATCH,
    Code,
    NvmlDouble,
    sample,
)

OURS, GAME, HIDDEN = 100, 200, 300


def collector(nvml: NvmlDouble) -> NvidiaCards:
    owners = {OURS: True, GAME: False, HIDDEN: None}
    return NvidiaCards(lambda: nvml, is_ours=lambda pid: owners[pid], unix_seconds=lambda: 1_700_000_000.0)


def card(**changes: Any) -> Gpu:
    answers = {f"nvmlDeviceGet{name}": answer for name, answer in changes.items()}
    (found,) = collector(NvmlDouble({**BUSY_CARD, **answers})).collect()
    return found


def test_a_card_is_reported_in_the_units_of_the_report() -> None:
    found = card()
    assert (found.name, found.vendor, found.index) == ("NVIDIA GeForce RTX 4050 Laptop GPU", "nvidia", 0)
    assert (found.celsius, found.margin_celsius) == (Reading(71.0), Reading(16.0))
    assert (found.power_watts, found.busy_ratio) == (Reading(48.25), Reading(0.93))
    assert (found.memory_total_bytes, found.memory_used_bytes) == (6_441_402_368, 6_441_401_368)


@pytest.mark.parametrize(
    ("function", "field"),
    [
        ("TemperatureV", "celsius"),
        ("PowerUsage", "power_watts"),
        ("UtilizationRates", "busy_ratio"),
        ("ProcessUtilization", "others_ratio"),
    ],
)
def test_one_call_that_is_not_supported_leaves_one_value_unknown_in_the_words_of_nvml(function, field) -> None:
    found = card(**{function: Code(NOT_SUPPORTED)})
    assert getattr(found, field) == Reading.unknown("Not Supported")
    known = {"celsius", "margin_celsius", "power_watts", "busy_ratio", "others_ratio"} - {field}
    assert all(getattr(found, name).value is not None for name in known)


def test_memory_that_is_not_told_is_none() -> None:
    found = card(MemoryInfo=Code(NOT_SUPPORTED))
    assert (found.memory_total_bytes, found.memory_used_bytes) == (None, None)


def test_an_older_driver_is_asked_by_the_older_names() -> None:
    found = card(
        TemperatureV=Code(FUNCTION_NOT_FOUND),
        CurrentClocksEventReasons=Code(FUNCTION_NOT_FOUND),
        Temperature=64,
        CurrentClocksThrottleReasons=0x20,
    )
    assert (found.celsius, found.throttled) == (Reading(64.0), ("thermal",))


def test_an_older_nvidia_ml_py_lacks_the_newer_names() -> None:
    newer = ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetMarginTemperature", "nvmlDeviceGetCurrentClocksEventReasons")
    answers = {name: answer for name, answer in BUSY_CARD.items() if name not in newer}
    (found,) = collector(NvmlDouble(answers)).collect()
    assert (found.celsius, found.margin_celsius) == (Reading(71.0), Reading(16.0))
    assert found.throttled == ("power",)
    (without,) = collector(NvmlDouble({**answers, "nvmlDeviceGetTemperatureThreshold": Code(NOT_SUPPORTED)})).collect()
    assert without.margin_celsius == Reading.unknown("nvidia-ml-py has no nvmlDeviceGetMarginTemperature")


def test_a_card_without_a_margin_is_measured_against_its_slowdown_threshold() -> None:
    assert card(MarginTemperature=Code(NOT_SUPPORTED)).margin_celsius == Reading(87.0 - 71.0)
    neither = card(MarginTemperature=Code(NOT_SUPPORTED), TemperatureThreshold=Code(FUNCTION_NOT_FOUND))
    assert neither.margin_celsius == Reading.unknown("Not Supported")


@pytest.mark.parametrize("celsius", [0, 255])
def test_a_temperature_nobody_can_believe_is_unknown(celsius: int) -> None:
    assert card(TemperatureV=celsius).celsius.value is None


@given(st.integers(min_value=0, max_value=2**64 - 1))
def test_only_bits_of_heat_and_power_are_reasons(bits: int) -> None:
    expected = {"thermal"} if bits & 0x60 else set()
    expected |= {"power"} if bits & 0x84 else set()
    assert set(card(CurrentClocksEventReasons=bits).throttled) == expected


def test_use_by_others_leaves_out_model_servers() -> None:
    assert card(ProcessUtilization=[sample(OURS, 70), sample(GAME, 25)]).others_ratio == Reading(0.25)
    assert card(ProcessUtilization=[sample(OURS, 99)]).others_ratio == Reading(0.0)


def test_only_the_newest_sample_of_a_program_counts_and_leftovers_do_not() -> None:
    samples = [sample(GAME, 40, time_stamp=2), sample(GAME, 90, time_stamp=1), sample(HIDDEN, 4_000_000)]
    assert card(ProcessUtilization=samples).others_ratio == Reading(0.4)


def test_use_by_a_program_that_cannot_be_seen_is_unknown() -> None:
    assert card(ProcessUtilization=[sample(OURS, 50), sample(HIDDEN, 30)]).others_ratio.value is None


def test_not_found_is_an_idle_card_only_where_the_card_is_idle() -> None:
    idle = {**BUSY_CARD["nvmlDeviceGetUtilizationRates"].__dict__, "gpu": 0}
    rates = type(BUSY_CARD["nvmlDeviceGetUtilizationRates"])(**idle)
    nobody = Code(NOT_FOUND)
    assert card(ProcessUtilization=nobody, UtilizationRates=rates).others_ratio == Reading(0.0)
    assert "in use" in card(ProcessUtilization=nobody).others_ratio.why_unknown


def test_programs_are_asked_for_since_a_moment_ago_in_microseconds() -> None:
    nvml = NvmlDouble(BUSY_CARD)
    collector(nvml).collect()
    assert nvml.asked_since == [(1_700_000_000 - 2) * 1_000_000]


def test_no_nvml_is_no_card_and_no_error() -> None:
    def not_installed() -> Any:
        raise ModuleNotFoundError("No module named 'pynvml'")

    with pytest.raises(NoData, match="not installed"):
        NvidiaCards(not_installed).collect()
    for code, words in ((LIBRARY_NOT_FOUND, "Shared Library Not Found"), (DRIVER_NOT_LOADED, "Driver Not Loaded")):
        with pytest.raises(NoData, match=words):
            collector(NvmlDouble(fails_to_start=code)).collect()
    with pytest.raises(NoData, match="no card"):
        collector(NvmlDouble()).collect()


def test_an_nvml_that_is_there_and_fails_is_an_error() -> None:
    with pytest.raises(Unanswered, match="version mismatch"):
        collector(NvmlDouble(BUSY_CARD, fails_to_start=VERSION_MISMATCH)).collect()


def test_a_lost_card_leaves_the_other_one_in_the_report() -> None:
    lost, found = collector(NvmlDouble({"nvmlDeviceGetHandleByIndex": Code(GPU_IS_LOST)}, BUSY_CARD)).collect()
    assert lost.celsius == lost.others_ratio == Reading.unknown("GPU is lost")
    assert (found.index, found.celsius) == (1, Reading(71.0))


def test_nvml_is_started_once_and_anew_after_it_failed_as_a_whole() -> None:
    nvml = NvmlDouble(BUSY_CARD)
    cards = collector(nvml)
    cards.collect()
    cards.collect()
    assert nvml.starts == 1
    nvml.fails_to_count = GPU_IS_LOST
    with pytest.raises(Unanswered, match="GPU is lost"):
        cards.collect()
    assert nvml.starts == 0
    nvml.fails_to_count = None
    assert cards.collect()[0].celsius == Reading(71.0)
