"""Simulated machines: how heat follows power, when owners come, which machines die. Knows no scheduler.

Heat has two time constants, as a chip under its cooler has: 8 s and 180 s at 0.12 and 0.35 C/W for a processor of
about 100 W, scaled for the others. A machine that gets much too hot slows itself down, as real ones do. Rough machines
are what no simple curve fits: a quarter of the slow part is the case and the room around it, which take 25 minutes, the
room's temperature goes up and down, and their sensors are worse.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

STEP_SECONDS = 1.0
_FAST_SECONDS, _SLOW_SECONDS, _CASE_SECONDS = 8.0, 180.0, 1500.0
_FAST_SHARE = 1 - math.exp(-STEP_SECONDS / _FAST_SECONDS)
_SLOW_SHARE = 1 - math.exp(-STEP_SECONDS / _SLOW_SECONDS)
_CASE_SHARE = 1 - math.exp(-STEP_SECONDS / _CASE_SECONDS)
# How far and how fast a rough machine's room swings, as with an oven or a window.
_SWING_CELSIUS, _SWING_SECONDS = 3.0, 7200.0
# What a machine's own protection does above its emergency temperature.
_EMERGENCY_SPEED, _EMERGENCY_POWER = 0.5, 0.6
_OWNER_STAYS_SECONDS, _OWNER_AWAY_SECONDS = 20 * 60.0, 60 * 60.0


@dataclass(frozen=True)
class Kind:
    """A sort of machine. Watts are for one busy slot and an owner's game, 0 without owner; C/W for each part.

    Noise is the standard deviation of what the sensors say, of watts as a share.
    """

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
    case_celsius_per_watt: float = 0.0
    swing_celsius: float = 0.0
    noise_celsius: float = 0.3
    noise_of_watts: float = 0.0

    @property
    def roughened(self) -> "Kind":
        """As hot in the end, by another way."""
        return replace(
            self,
            slow_celsius_per_watt=self.slow_celsius_per_watt * 0.75,
            case_celsius_per_watt=self.slow_celsius_per_watt * 0.25,
            swing_celsius=_SWING_CELSIUS,
            noise_celsius=1.0,
            noise_of_watts=0.05,
        )


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
    swing_phase: float = 0.0

    def room_celsius(self, seconds: float) -> float:
        swing = math.sin(2 * math.pi * (seconds / _SWING_SECONDS + self.swing_phase))
        return self.ambient_celsius + self.kind.swing_celsius * swing

    def has_owner_at(self, seconds: float, release_seconds: float = 0.0) -> bool:
        """Whether the owner is there, or left less than `release_seconds` ago."""
        return any(start <= seconds < end + release_seconds for start, end in self.owner_present)

    def is_alive_at(self, seconds: float) -> bool:
        return self.dies_at is None or seconds < self.dies_at


@dataclass
class Body:
    """The heat of one machine, from `seconds` on."""

    life: Life
    seconds: float = 0.0
    fast: float = field(init=False)
    slow: float = field(init=False)
    case: float = field(init=False)

    def __post_init__(self) -> None:
        kind = self.life.kind
        self.fast = kind.idle_watts * kind.fast_celsius_per_watt
        self.slow = kind.idle_watts * kind.slow_celsius_per_watt
        self.case = kind.idle_watts * kind.case_celsius_per_watt

    @property
    def celsius(self) -> float:
        return self.life.room_celsius(self.seconds) + self.fast + self.slow + self.case

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
        self.case += (watts * kind.case_celsius_per_watt - self.case) * _CASE_SHARE
        self.seconds += STEP_SECONDS

    def watts_to(self, celsius: float) -> float:
        """The constant power that makes it so hot in one step."""
        kind = self.life.kind
        without = self.fast * (1 - _FAST_SHARE) + self.slow * (1 - _SLOW_SHARE) + self.case * (1 - _CASE_SHARE)
        without += self.life.room_celsius(self.seconds + STEP_SECONDS)
        by_watt = kind.fast_celsius_per_watt * _FAST_SHARE + kind.slow_celsius_per_watt * _SLOW_SHARE
        by_watt += kind.case_celsius_per_watt * _CASE_SHARE
        return (celsius - without) / by_watt


def make_fleet(
    count: int, seed: int, about_seconds: float, dying: float = 0.1, *, is_rough: bool = False
) -> tuple[Life, ...]:
    """So many machines: a quarter desktops, a third laptops, else Pis; `dying` of them die within the time."""
    chance = random.Random(seed)
    kinds = [DESKTOP] * (count // 4) + [LAPTOP] * (count // 3)
    kinds += [PI] * (count - len(kinds))
    swings = random.Random(
        seed + 1_000_000
    )  # its own dice: rough or not, the same owners come and the same machines die
    dead = set(chance.sample(range(count), round(count * dying)))
    return tuple(
        Life(
            name=f"{kind.name}-{index}",
            kind=kind.roughened if is_rough else kind,
            ambient_celsius=chance.uniform(20, 30),
            poll_phase_seconds=chance.randrange(30),
            owner_present=tuple(_visits(chance, 4 * about_seconds)) if kind.owner_watts else (),
            dies_at=chance.uniform(0.05, 0.9) * about_seconds if index in dead else None,
            dies_silently=chance.random() < 0.5,
            swing_phase=swings.random(),
        )
        for index, kind in enumerate(kinds)
    )


def _visits(chance: random.Random, until: float) -> Iterator[tuple[float, float]]:
    at = chance.expovariate(1 / _OWNER_AWAY_SECONDS)
    while at < until:
        end = at + chance.expovariate(1 / _OWNER_STAYS_SECONDS)
        yield at, end
        at = end + chance.expovariate(1 / _OWNER_AWAY_SECONDS)
