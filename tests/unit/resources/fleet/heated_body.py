"""A body with a fast and a slow part, as a processor under its heat sink is: what the tests heat and measure."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

AMBIENT_CELSIUS = 25.0
# The two parts of shared simulations of coolers: time constant in seconds, degrees per watt.
FAST, SLOW = (8.0, 0.12), (180.0, 0.35)


@dataclass(frozen=True)
class Body:
    """Its two parts' warmth above the air."""

    fast: float = 0.0
    slow: float = 0.0

    @property
    def celsius(self) -> float:
        return AMBIENT_CELSIUS + self.fast + self.slow

    def after(self, seconds: float, watts: float) -> "Body":
        """In steps of at most a second."""
        body = self
        while seconds > 0:
            step = min(1.0, seconds)
            fast = body.fast + step * (FAST[1] * watts - body.fast) / FAST[0]
            slow = body.slow + step * (SLOW[1] * watts - body.slow) / SLOW[0]
            body, seconds = replace(body, fast=fast, slow=slow), seconds - step
        return body


@dataclass(frozen=True)
class Measured:
    """What a sensor of whole degrees says of a body, and the truth."""

    at_seconds: float
    celsius: float
    watts: float
    body: Body


def measurements(seed: int, hours: float, interval: Callable[[random.Random], float]) -> list[Measured]:
    """A body under 15 to 110 W for one to ten minutes each, measured with noise at the given intervals.

    The load changes when it likes, not when somebody measures.
    """
    dice = random.Random(seed)
    body, at, until, watts = Body(), 0.0, dice.uniform(60, 600), 15.0
    seen: list[Measured] = []
    while at < hours * 3600:
        seen.append(Measured(at, float(round(body.celsius + dice.gauss(0, 0.3))), watts, body))
        end = at + interval(dice)
        while until < end:
            body, at = body.after(until - at, watts), until
            watts, until = dice.choice((15.0, 20.0, 90.0, 110.0)), at + dice.uniform(60, 600)
        body, at = body.after(end - at, watts), end
    return seen
