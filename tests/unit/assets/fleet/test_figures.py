"""A machine's state as figures to plot."""

from dataclasses import replace

from node_agent.report import Reading
from tip_assets.fleet.figures import node_figures
from tip_resources.fleet.heat import CPU, PartHeat
from tip_resources.fleet.node_state import Memory, NodeState
from tip_resources.fleet.under_way import UnderWay

STATE = NodeState("pi", "throttled", "CPU at 72 C", slots=1, concurrency_factor=0.7)
COLD = Reading.unknown("not reported")


def part(name: str, celsius: Reading) -> PartHeat:
    return PartHeat(name, "cool", "", celsius)


def test_what_is_unknown_is_left_out_not_drawn_as_zero() -> None:
    figures = node_figures(STATE, UnderWay())
    assert not {"cpu_celsius", "gpu_celsius", "memory_available_gib", "event", "notes"} & set(figures)
    assert (figures["slots"], figures["concurrency_factor"], figures["calls_in_flight"]) == (1.0, 0.7, 0.0)


def test_temperatures_are_numbers_and_that_of_the_cards_is_the_hottest_ones() -> None:
    parts = (part(CPU, Reading(72.0)), part("GPU 0", Reading(60.0)), part("GPU 1", Reading(66.0)), part("GPU 2", COLD))
    state = replace(STATE, cpu_celsius=Reading(72.0), memory=Memory(parts), memory_available_bytes=3 * 2**30)
    figures = node_figures(state, UnderWay(("grade (1f0c6a52)",), 4), "back")
    assert (figures["cpu_celsius"], figures["gpu_celsius"], figures["memory_available_gib"]) == (72.0, 66.0, 3.0)
    assert (figures["steps_under_way"], figures["calls_in_flight"], figures["event"]) == (1.0, 4.0, "back")
