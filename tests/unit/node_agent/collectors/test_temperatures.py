"""Promises of what is believed of temperatures."""

from collections import namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.collectors.temperatures import Measured, ProcessorLoad, StuckSensors, judged
from node_agent.report import Reading

CORE = Measured("coretemp", "Core 0", 40.0, is_processor=True)
DISK = Measured("nvme", "Composite", 40.0)
LinuxTimes = namedtuple("LinuxTimes", "user system idle iowait guest")


def last_readings(sensor: Measured, *, reports: int, seconds_between: float, loads: list[float | None]) -> Reading:
    """The last reading of a sensor that says the same in every report, under loads that repeat."""
    stuck, reading = StuckSensors(), Reading(0.0)
    for number in range(reports):
        (reading,) = stuck.judge([sensor], loads[number % len(loads)], number * seconds_between)
    return reading


def test_a_sensor_that_ignores_the_load_is_unknown() -> None:
    reading = last_readings(CORE, reports=25, seconds_between=30.0, loads=[0.05, 0.9])
    assert reading == Reading.unknown("40 C for 12 min while the load changed: stuck")


@pytest.mark.parametrize(
    ("reports", "seconds_between", "loads"),
    [
        (19, 60.0, [0.05, 0.9]),  # too few reports
        (40, 10.0, [0.05, 0.9]),  # too short a time
        (99, 60.0, [0.05, 0.2]),  # a machine at rest may well stay at one temperature
        (99, 60.0, [None]),  # a load nobody knows proves nothing
    ],
)
def test_a_constant_that_may_be_true_is_believed(reports: int, seconds_between: float, loads: list) -> None:
    assert last_readings(CORE, reports=reports, seconds_between=seconds_between, loads=loads) == Reading(40.0)


def test_other_parts_do_not_follow_the_processors_load() -> None:
    assert last_readings(DISK, reports=99, seconds_between=60.0, loads=[0.05, 0.9]) == Reading(40.0)


def test_a_sensor_that_moves_again_is_believed_again() -> None:
    stuck = StuckSensors()
    for number in range(30):
        stuck.judge([CORE], number % 2, number * 30.0)
    moved = Measured("coretemp", "Core 0", 40.5, is_processor=True)
    assert stuck.judge([CORE, moved], 0.5, 900.0)[0].value is None
    assert stuck.judge([moved], 0.5, 930.0) == [Reading(40.5)]


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_a_sensor_says_is_a_believable_value_or_a_reason(celsius: float) -> None:
    reading = judged(celsius)
    assert bool(reading.why_unknown) == (not 5 <= celsius <= 150)


def test_load_is_the_share_of_time_not_idle_and_counts_guests_once() -> None:
    now = [LinuxTimes(100.0, 0.0, 100.0, 0.0, 50.0)]
    load = ProcessorLoad(lambda: now[0])
    assert load.since_last() is None
    now[0] = LinuxTimes(130.0, 0.0, 150.0, 20.0, 80.0)
    assert load.since_last() == pytest.approx(0.3)
    assert load.since_last() is None  # no time has passed
