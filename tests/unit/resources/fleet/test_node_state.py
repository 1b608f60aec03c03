from dataclasses import replace

import pytest

from node_agent.report import NodeReport, Reading, Thermal
from tip_resources.fleet.node_state import NodeState, derive_state
from tip_resources.fleet.this_machine import ThisMachine
from tip_resources.settings.models import NodeSettings, Settings, ThermalSettings

REPORT = NodeReport(
    node="pi",
    boot_id="b",
    sequence=1,
    reported_at_unix_seconds=1000.0,
    agent_version="0.1.0",
)


def state(celsius: float | None, *, age_seconds: float = 0, before: NodeState | None = None) -> NodeState:
    reading = Reading.unknown("no sensor") if celsius is None else Reading(celsius)
    return derive_state(
        replace(REPORT, thermal=Thermal(reading)),
        ThermalSettings(),
        slots=4,
        report_every_seconds=30,
        now_unix_seconds=1000 + age_seconds,
        before=before,
    )


@pytest.mark.parametrize(("celsius", "status"), [(50, "ready"), (75, "throttled"), (79.9, "throttled"), (80, "hot")])
def test_temperature_decides(celsius: float, status: str) -> None:
    assert state(celsius).status == status


def test_a_throttled_machine_keeps_seven_tenths_of_its_slots() -> None:
    assert (state(50).slots, state(76).slots) == (4, 2)


def test_a_hot_machine_stays_hot_until_it_has_recovered() -> None:
    hot = state(85)
    cooling = state(77, before=hot)
    assert (cooling.status, cooling.reason) == ("hot", "CPU at 77 C, cooling to 75 C")
    assert state(74, before=cooling).status == "ready"


def test_an_unknown_temperature_is_no_obstacle_and_is_said() -> None:
    unknown = state(None)
    assert unknown.accepts_work
    assert unknown.reason == "temperature unknown: no sensor"


@pytest.mark.parametrize(("age_seconds", "status"), [(90, "ready"), (91, "stale"), (301, "lost")])
def test_a_silent_machine_is_stale_and_then_lost(age_seconds: float, status: str) -> None:
    assert state(50, age_seconds=age_seconds).status == status


def test_this_machine_has_the_slots_of_the_settings_unless_told_otherwise() -> None:
    settings = Settings(node=NodeSettings(step_slots=3))
    machine = ThisMachine(lambda: settings).state(slots_used=1)
    assert machine.slots_used == 1
    if machine.status == "ready":
        assert machine.slots_free == 2
    assert ThisMachine(lambda: settings, slots=1).state().slots == 1
