"""A card whose curve is known is throttled ahead of its limit and no sooner, and says when it will be cool."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.report import Gpu, Reading
from tests.unit.resources.fleet.heated_body import Body, measurements
from tests.unit.resources.fleet.reports import gpu
from tests.unit.resources.fleet.watch import Watch
from tip_resources.fleet.cooling import CoolingCurve, DriveUnit
from tip_resources.fleet.heat import Limits, PartHeat, PartReading, next_heat
from tip_resources.fleet.node_state import NodeState
from tip_resources.settings.models import Settings, ThermalSettings


class Card:
    """A card under a load, which reports every 30 s."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.watch = Watch(settings)
        self.body = Body()

    def reports(self, celsius: float, watts: float) -> NodeState:
        return self.watch.reports(gpus=(gpu(celsius, power_watts=Reading(watts)),))

    def under(self, watts: float) -> NodeState:
        """After another 30 s under this load."""
        self.body = self.body.after(30, watts)
        return self.reports(float(round(self.body.celsius)), watts)


@pytest.fixture
def card() -> Card:
    """It has learned for three hours and idled since."""
    return experienced(Card())


def experienced(card: Card) -> Card:
    for one in measurements(1, 3, lambda _: 30.0):
        card.reports(one.celsius, one.watts)
        card.body = one.body
    for _ in range(60):
        card.under(15.0)
    return card


def heated(card: Card, status: str) -> NodeState:
    """Under 180 W until it is in that state; it would settle at 110 C."""
    for _ in range(40):
        state = card.under(180.0)
        if state.status == status:
            return state
    raise AssertionError(f"never {status}")


def test_it_is_throttled_ahead_of_the_limit_and_below_the_temperature_that_throttles_the_unknown(card: Card) -> None:
    ahead = heated(card, "throttled")
    assert card.body.celsius < ThermalSettings().recovery_celsius
    assert re.fullmatch(r"GPU 0 at \d\d C, about \d+ s to 85 C at this rate", ahead.reason)
    assert card.under(15.0).status == "throttled", "held: at full speed it would be back in the next report"
    assert [card.under(15.0).status for _ in range(4)][-1] == "ready"


def test_a_hot_one_says_when_it_will_have_recovered() -> None:
    card = experienced(Card(Settings(thermal=ThermalSettings(recovery_celsius=50))))
    hot = heated(card, "hot")
    told = re.fullmatch(r"GPU 0 at 8\d C, limit 85 C, about (\d+) (s|min) to 50 C at this rate", hot.reason)
    assert told, hot.reason
    seconds = 0
    while (cooling := card.under(15.0)).status == "hot":
        seconds += 30
        assert re.fullmatch(r"GPU 0 at \d\d C, about \d+ (s|min) to 50 C at this rate", cooling.reason)
    assert int(told[1]) * (60 if told[2] == "min" else 1) == pytest.approx(seconds, rel=0.6)


def test_it_can_be_switched_off() -> None:
    card = experienced(Card(Settings(thermal=ThermalSettings(forecast_seconds=0))))
    heated(card, "throttled")
    assert card.body.celsius >= ThermalSettings().recovery_celsius - 0.5


def test_a_card_that_nothing_is_known_of_is_not_throttled_ahead() -> None:
    card = Card()
    heated(card, "throttled")
    assert card.body.celsius >= ThermalSettings().recovery_celsius - 0.5


def test_one_that_settles_below_its_limit_keeps_its_speed_however_warm(card: Card) -> None:
    states = [card.under(115.0) for _ in range(60)]
    assert card.body.celsius == pytest.approx(79, abs=1)
    assert {state.status for state in states} == {"ready"}


def test_one_that_settles_closer_to_its_limit_than_the_forecast_is_exact_is_throttled(card: Card) -> None:
    states = [card.under(126.0) for _ in range(60)]
    assert 84 < card.body.celsius < 85
    assert [state.status for state in states][-1] == "throttled"
    assert states[-1].reason.endswith("close to its limit of 85 C") or "to 85 C at this rate" in states[-1].reason


def test_at_full_speed_again_only_below_the_recovery_temperature(card: Card) -> None:
    heated(card, "throttled")
    for _ in range(4):
        card.under(180.0 if card.body.celsius < 80 else 90.0)
    while (state := card.under(70.0)).status == "throttled":
        pass
    assert state.status == "ready"
    assert card.body.celsius < ThermalSettings().recovery_celsius + 1


def test_a_load_is_not_trusted_as_watts_are() -> None:
    card = Card()
    for one in measurements(1, 3, lambda _: 30.0):
        card.watch.reports(gpus=(_gpu_by_load(one.celsius, one.watts),))
        card.body = one.body
    card.body = card.body.after(1800, 115.0)
    card.watch.waits(1800)
    state = card.watch.reports(gpus=(_gpu_by_load(float(round(card.body.celsius)), 115.0),))
    curve = card.watch.node.curve("GPU 0")
    assert curve is not None
    assert curve.why_no_trust == ""
    assert (state.status, state.reason) == ("throttled", "GPU 0 at 79 C, from 75 C on at reduced speed")


def _gpu_by_load(celsius: float, watts: float) -> Gpu:
    return gpu(celsius, power_watts=Reading.unknown("not told"), busy_ratio=Reading(watts / 200))


def test_when_its_watts_are_no_longer_told_the_forecast_soon_counts_no_more(card: Card) -> None:
    assert [card.under(115.0) for _ in range(60)][-1].status == "ready"
    silent = gpu(79.0, power_watts=Reading.unknown("lost"), busy_ratio=Reading.unknown("lost"))
    states = [card.watch.reports(gpus=(silent,)).status for _ in range(6)]
    assert states == ["ready"] * 4 + ["throttled"] * 2


def learned(unit: DriveUnit) -> CoolingCurve:
    first, *rest = measurements(2, 3, lambda _: 30.0)
    per_watt = 1.0 if unit == "W" else 1 / 200
    curve = CoolingCurve.begun(first.at_seconds, first.celsius, first.watts * per_watt, unit)
    for one in rest:
        curve = curve.after(one.at_seconds, one.celsius, one.watts * per_watt, unit)
    return curve


CURVES = (None, learned("W"), learned("load"))
LIMITS = Limits(85.0, 75.0)
moves = st.lists(st.tuples(st.floats(60, 90), st.floats(0, 1), st.sampled_from([10.0, 30.0, 90.0])), max_size=40)


@given(st.sampled_from(CURVES), moves)
def test_a_slowed_part_never_swings(curve: CoolingCurve | None, moves: list[tuple[float, float, float]]) -> None:
    """Full speed again only below the recovery temperature, and not for two minutes after it was near its limit."""
    now = 1e6
    if curve is not None:
        curve = curve.after(now, 60.0, 0.0, curve.unit)
    heat = PartHeat("GPU 0", "cool", "", Reading(60.0))
    for celsius, drive, seconds in moves:
        now += seconds
        if curve is not None:
            curve = curve.after(now, celsius, drive * (200.0 if curve.unit == "W" else 1.0), curve.unit)
        before = heat
        reading = PartReading("GPU 0", Reading(celsius), LIMITS)
        heat = next_heat(reading, before, curve, forecast_seconds=120.0, keep_seconds=120.0, now=now)
        if heat.level == "cool":
            assert celsius < 84, "within a degree of the limit nothing goes on as if it were cool"
            if before.level != "cool":
                assert celsius < 75
                assert before.level == "throttled", "a hot part begins slowly"
                assert now >= before.hold_until
        assert (heat.level == "hot") >= (celsius >= 85)
        if curve is None or curve.unit == "load":
            assert heat.level != "cool" or celsius < 75, "unforeseen, it is slowed from the recovery temperature on"
