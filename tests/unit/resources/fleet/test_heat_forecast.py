"""A card whose curve is known is throttled ahead of its limit, and says when it will be cool."""

import re

import pytest

from node_agent.report import Reading
from tests.unit.resources.fleet.heated_body import Body, measurements
from tests.unit.resources.fleet.reports import gpu
from tests.unit.resources.fleet.watch import Watch
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


def test_it_is_throttled_ahead_of_the_limit_and_below_the_temperature_that_throttles_anyway(card: Card) -> None:
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
