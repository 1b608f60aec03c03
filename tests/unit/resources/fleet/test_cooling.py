"""How fast a body warms is learned from what its sensor says."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.resources.fleet.heated_body import Body, Measured, measurements
from tip_resources.fleet.cooling import CoolingCurve

AHEAD_SECONDS = 120.0


def learned(seen: list[Measured]) -> CoolingCurve:
    first, *rest = seen
    curve = CoolingCurve.begun(first.at_seconds, first.celsius, first.watts, "W")
    for one in rest:
        curve = curve.after(one.at_seconds, one.celsius, one.watts, "W")
    return curve


@pytest.mark.parametrize(
    "interval", [lambda _: 30.0, lambda _: 10.0, lambda dice: dice.uniform(10, 90)], ids=["30 s", "10 s", "uneven"]
)
def test_two_minutes_ahead_it_is_much_better_than_the_last_value(interval: Callable[[random.Random], float]) -> None:
    errors, errors_of_last = [], []
    for seed in range(3):
        first, *rest = measurements(seed, 2, interval)
        curve = CoolingCurve.begun(first.at_seconds, first.celsius, first.watts, "W")
        for one in rest:
            curve = curve.after(one.at_seconds, one.celsius, one.watts, "W")
            if one.at_seconds > 3600:
                truth = one.body.after(AHEAD_SECONDS, one.watts).celsius
                errors.append(abs(curve.predicted(AHEAD_SECONDS) - truth))
                errors_of_last.append(abs(one.celsius - truth))
        assert curve.why_no_trust == ""
    assert sum(errors) < 0.6 * sum(errors_of_last)


def test_the_time_to_a_limit_and_back_is_about_right() -> None:
    curve = learned(measurements(4, 3, lambda _: 30.0))
    body, at = Body().after(3600, 15.0), curve.at_seconds + 3600
    curve = curve.after(at, body.celsius, 15.0, "W")
    curve = curve.after(at + 10, body.after(10, 110.0).celsius, 110.0, "W")
    body = body.after(10, 110.0)
    told, true = curve.seconds_to_limit(65.0).value, _seconds_until(body, 110.0, lambda celsius: celsius >= 65)
    assert told == pytest.approx(true, rel=0.5)
    hot = body.after(1200, 110.0)
    curve = curve.after(at + 1210, hot.celsius, 110.0, "W")
    told, true = curve.seconds_to_recover(50.0).value, _seconds_until(hot, 15.0, lambda celsius: celsius <= 50)
    assert told == pytest.approx(true, rel=0.5)


@pytest.mark.parametrize("seed", range(4))
def test_where_it_settles_is_known_though_a_chip_has_a_fast_and_a_slow_part(seed: int) -> None:
    curve = learned(measurements(seed, 3, lambda _: 30.0))
    for watts in (15.0, 60.0, 110.0):
        assert curve.settles_at(watts) == pytest.approx(Body().after(7200, watts).celsius, abs=2.5)


def test_a_load_that_ends_cools_the_fast_part_at_once() -> None:
    curve, body = learned(measurements(4, 3, lambda _: 30.0)), Body().after(7200, 110.0)
    curve = curve.after(curve.at_seconds + 3600, body.celsius, 110.0, "W")
    fallen = body.after(30, 15.0).celsius
    assert body.celsius - fallen > 14
    assert curve.predicted(30, 15.0) == pytest.approx(fallen, abs=4)
    assert curve.seconds_to_recover(body.celsius - 5).value == 0


def _seconds_until(body: Body, watts: float, is_there: Callable[[float], bool]) -> float:
    seconds = 0.0
    while not is_there(body.celsius):
        body, seconds = body.after(1, watts), seconds + 1
    return seconds


def test_until_it_has_earned_trust_the_last_value_is_all_it_says() -> None:
    seen = measurements(1, 1, lambda _: 30.0)
    young = learned(seen[:30])
    assert young.why_no_trust == "learning how it warms: 29 of 30 steps"
    assert young.predicted(AHEAD_SECONDS) == seen[29].celsius
    assert young.seconds_to_limit(200).why_unknown == young.why_no_trust
    assert learned(seen[:31]).why_no_trust == ""


def test_a_limit_that_it_does_not_reach_is_never_reached() -> None:
    curve = learned(measurements(2, 2, lambda _: 30.0))
    assert curve.seconds_to_limit(140.0).value is None
    assert "does not reach 140 C" in curve.seconds_to_limit(140.0).why_unknown
    assert curve.seconds_to_limit(curve.celsius - 1).value == 0
    assert curve.seconds_to_recover(curve.celsius + 1).value == 0


@pytest.mark.parametrize(
    ("temperature", "why"),
    [
        (lambda at, dice: 48.0, "hardly moved"),
        (lambda at, dice: dice.choice((25.0, 95.0)), "follows no curve"),
        (lambda at, dice: 40.0 + 20 * (at % 2), "does not follow its load"),
    ],
)
def test_nonsense_is_never_trusted(temperature: Callable[[int, random.Random], float], why: str) -> None:
    dice = random.Random(5)
    curve = CoolingCurve.begun(0.0, 48.0, 0.5, "load")
    for at in range(1, 400):
        curve = curve.after(30.0 * at, temperature(at, dice), dice.random(), "load")
    assert why in curve.why_no_trust


def test_a_heat_that_falls_with_the_load_is_not_believed() -> None:
    curve = CoolingCurve.begun(0.0, 50.0, 0.5, "load")
    celsius = 50.0
    for at in range(1, 400):
        load = (at // 10) % 2
        celsius += 0.2 * ((70 - 30 * load) - celsius)
        curve = curve.after(30.0 * at, celsius, load, "load")
    assert curve.why_no_trust == "its temperature does not follow its load"


def test_a_night_of_idling_does_not_spoil_what_was_learned() -> None:
    curve = learned(measurements(3, 2, lambda _: 30.0))
    at, tau, warm = curve.at_seconds, curve.tau_seconds, curve.settles_at(100.0)
    idle = Body().after(3600, 15.0).celsius
    for step in range(1, 1500):
        curve = curve.after(at + 30.0 * step, float(round(idle)), 15.0, "W")
    assert curve.tau_seconds == pytest.approx(tau, rel=0.3)
    assert curve.settles_at(100.0) == pytest.approx(warm, abs=8)


def test_another_unit_begins_anew_and_a_long_gap_teaches_nothing() -> None:
    curve = learned(measurements(3, 1, lambda _: 30.0))
    assert curve.after(curve.at_seconds + 30, 50.0, 0.5, "load").steps == 0
    gap = curve.after(curve.at_seconds + 301, 30.0, 15.0, "W")
    assert (gap.steps, gap.celsius, gap.parameters) == (curve.steps, 30.0, curve.parameters)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_never_enters(value: float) -> None:
    curve = CoolingCurve.begun(0.0, 50.0, 10.0, "W")
    for arguments in ((30.0, value, 10.0), (30.0, 50.0, value), (value, 50.0, 10.0)):
        with pytest.raises(ValueError, match="finite"):
            curve.after(*arguments, "W")


jumps = st.lists(st.tuples(st.floats(0, 400), st.floats(-40, 150), st.floats(0, 600)), min_size=1, max_size=120)


@given(jumps, st.floats(30, 110))
def test_whatever_came_the_times_are_never_negative_or_absurd(moves, target: float) -> None:
    curve = CoolingCurve.begun(0.0, 50.0, 10.0, "W")
    for seconds, celsius, watts in moves:
        curve = curve.after(curve.at_seconds + seconds, celsius, watts, "W")
        for reading in (curve.seconds_to_limit(target), curve.seconds_to_recover(target)):
            assert reading.value is None or 0 <= reading.value <= 3 * 3600
        assert math.isfinite(curve.predicted(120))
        assert 10 <= curve.tau_seconds <= 3601
