"""Simulated machines: how heat follows power, when owners come, which machines die. Knows no scheduler.

Heat has two time constants, as a chip under its cooler has: 8 s and 180 s at 0.12 and 0.35 C/W for a processor of
about 100 W, scaled for the others. A machine that gets much too hot slows itself down, as real ones do.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

STEP_SECONDS = 1.0
_FAST_SECONDS, _SLOW_SECONDS = 8.0, 180.0
_FAST_SHARE = 1 - math.exp(-STEP_SECONDS / _FAST_SECONDS)
_SLOW_SHARE = 1 - math.exp(-STEP_SECONDS / _SLOW_SECONDS)
# What a machine's own protection does above its emergency temperature.
_EMERGENCY_SPEED, _EMERGENCY_POWER = 0.5, 0.6
_OWNER_STAYS_SECONDS, _OWNER_AWAY_SECONDS = 20 * 60.0, 60 * 60.0


@dataclass(frozen=True)
class Kind:
    """A sort of machine. Watts are for one busy slot and an owner's game, 0 without owner; C/W for both parts."""

    name: str
    slots: int
    tokens_per_second: float
    idle_watts: float
    slot_watts: float
    owner_watts: float
    fast_celsius_per_watt: float
    slow_celsius_per_watt: float
    limit_celsius: float
    emergency_celsius: float
    tells_power: bool
    board: str | None


# Limits are those of the default settings: 85 C for a card; a Raspberry Pi's firmware slows it down from 80 C on.
LAPTOP = Kind("laptop", 3, 20, 15, 30, 70, 0.12, 0.45, 85, 92, tells_power=True, board=None)
DESKTOP = Kind("desktop", 4, 25, 40, 45, 120, 0.06, 0.19, 85, 92, tells_power=True, board=None)
PI = Kind("pi", 1, 6, 3, 5, 0, 1.5, 4.2, 75, 80, tells_power=False, board="Raspberry Pi 4 Model B Rev 1.5")


@dataclass(frozen=True)
class Life:
    """What will happen to one machine, decided beforehand: every scheduler meets the same."""

    name: str
    kind: Kind
    ambient_celsius: float
    poll_phase_seconds: int
    owner_present: tuple[tuple[float, float], ...]
    dies_at: float | None
    dies_silently: bool

    def has_owner_at(self, seconds: float, release_seconds: float = 0.0) -> bool:
        """Whether the owner is there, or left less than `release_seconds` ago."""
        return any(start <= seconds < end + release_seconds for start, end in self.owner_present)

    def is_alive_at(self, seconds: float) -> bool:
        return self.dies_at is None or seconds < self.dies_at


@dataclass
class Body:
    """The heat of one machine."""

    life: Life
    fast: float = field(init=False)
    slow: float = field(init=False)

    def __post_init__(self) -> None:
        kind = self.life.kind
        self.fast = kind.idle_watts * kind.fast_celsius_per_watt
        self.slow = kind.idle_watts * kind.slow_celsius_per_watt

    @property
    def celsius(self) -> float:
        return self.life.ambient_celsius + self.fast + self.slow

    @property
    def speed(self) -> float:
        """Of one slot; 1 unless the machine protects itself."""
        return _EMERGENCY_SPEED if self.celsius >= self.life.kind.emergency_celsius else 1.0

    def watts(self, busy_slots: float, owner: bool) -> float:
        kind = self.life.kind
        watts = kind.idle_watts + kind.slot_watts * busy_slots + (kind.owner_watts if owner else 0.0)
        return watts * _EMERGENCY_POWER if self.celsius >= kind.emergency_celsius else watts

    def live(self, watts: float) -> None:
        """One step under constant power."""
        kind = self.life.kind
        self.fast += (watts * kind.fast_celsius_per_watt - self.fast) * _FAST_SHARE
        self.slow += (watts * kind.slow_celsius_per_watt - self.slow) * _SLOW_SHARE

    def watts_to(self, celsius: float) -> float:
        """The constant power that makes it so hot in one step."""
        kind = self.life.kind
        without = self.life.ambient_celsius + self.fast * (1 - _FAST_SHARE) + self.slow * (1 - _SLOW_SHARE)
        by_watt = kind.fast_celsius_per_watt * _FAST_SHARE + kind.slow_celsius_per_watt * _SLOW_SHARE
        return (celsius - without) / by_watt


def make_fleet(count: int, seed: int, about_seconds: float, dying: float = 0.1) -> tuple[Life, ...]:
    """So many machines: a quarter desktops, a third laptops, else Pis; `dying` of them die within the time."""
    chance = random.Random(seed)
    kinds = [DESKTOP] * (count // 4) + [LAPTOP] * (count // 3)
    kinds += [PI] * (count - len(kinds))
    dead = set(chance.sample(range(count), round(count * dying)))
    return tuple(
        Life(
            name=f"{kind.name}-{index}",
            kind=kind,
            ambient_celsius=chance.uniform(20, 30),
            poll_phase_seconds=chance.randrange(30),
            owner_present=tuple(_visits(chance, 4 * about_seconds)) if kind.owner_watts else (),
            dies_at=chance.uniform(0.05, 0.9) * about_seconds if index in dead else None,
            dies_silently=chance.random() < 0.5,
        )
        for index, kind in enumerate(kinds)
    )


def _visits(chance: random.Random, until: float) -> Iterator[tuple[float, float]]:
    at = chance.expovariate(1 / _OWNER_AWAY_SECONDS)
    while at < until:
        end = at + chance.expovariate(1 / _OWNER_STAYS_SECONDS)
        yield at, end
        at = end + chance.expovariate(1 / _OWNER_AWAY_SECONDS)
