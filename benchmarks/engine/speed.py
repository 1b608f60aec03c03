"""How fast a simulated device is, and when that changes: values and formulas, shared by the device and the oracle.

All times are simulated seconds, all speeds tokens a second.
"""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

# 1 stream alone gives 1x, 6 streams 4x, the device model on which other clients were measured. Between and beyond,
# speed grows with a power of the streams: of the curves through both points it is the one that explains what the
# openai client reached there with 4 streams at knee 6 (1.39 times the oracle) and 16 at knee 24 (1.37); the power
# gives 1.37 and 1.37 before any overhead, a straight line 1.43 and 1.48.
GAIN_EXPONENT = math.log(4) / math.log(6)

Away = Literal["refuse", "hang"]


@dataclass(frozen=True)
class Change:
    """From `at` on (seconds after the first request) the device has another knee, is away, or is back."""

    at: float
    knee: int | None = None
    away: Away | None = None


@dataclass(frozen=True, kw_only=True)
class Speed:
    """`alone` is the speed of one stream; beyond `knee` each stream costs the share `loss` of the total."""

    alone: float = 100.0
    knee: int = 6
    loss: float = 0.03
    exponent: float = GAIN_EXPONENT

    def total(self, streams: int) -> float:
        """The speed of all streams together."""
        if streams <= 0:
            return 0.0
        return self.alone * min(streams, self.knee) ** self.exponent * (1 - self.loss) ** max(0, streams - self.knee)

    @property
    def best(self) -> float:
        """The most there is: at the knee."""
        return self.total(self.knee)

    def with_knee(self, knee: int) -> "Speed":
        """The same device, knee elsewhere."""
        return replace(self, knee=knee)


def read_schedule(path: Path) -> tuple[Change, ...]:
    """Changes from a JSON list such as [{"at": 60, "knee": 2}, {"at": 90, "away": "refuse"}, {"at": 120}]."""
    return tuple(sorted((Change(**entry) for entry in json.loads(path.read_text("utf-8"))), key=lambda one: one.at))
