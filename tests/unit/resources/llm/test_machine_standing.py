"""What a machine's standing leaves of an endpoint, and the whole of it in virtual time with every fault there is."""

import asyncio
from random import Random

import pytest

from tests.unit.resources.llm.fluid_device import FluidDevice, knee_at
from tests.unit.resources.llm.simulated_cases import Case, simulate
from tests.unit.resources.llm.simulated_device import FAULTS, DeviceModel, Fault
from tests.unit.resources.llm.test_hill_climb import TOKENS, finished, limiter
from tip_resources.llm.hill_climb import HillClimb
from tip_resources.llm.limiter import CallSample
from tip_resources.llm.machine_standing import WELL, MachineStanding, StandingOf, held_limit
from tip_resources.llm.types import Endpoint

HELD_FROM, HELD_UNTIL = 100.0, 200.0


@pytest.mark.parametrize(
    ("limit", "weight", "left"),
    [(10, 1.0, 10), (10, 0.7, 7), (30, 0.7, 21), (4, 0.7, 2), (2, 0.7, 1), (1, 0.7, 1), (6, 0.0, 0), (0, 0.7, 0)],
)
def test_a_machine_keeps_at_most_its_share_and_one_call_at_least(limit: int, weight: float, left: int) -> None:
    assert held_limit(limit, weight) == left


@pytest.mark.parametrize(("weight", "moves"), [(-0.1, False), (1.1, False), (float("nan"), False), (0.5, True)])
def test_a_standing_that_makes_no_sense_is_refused(weight: float, moves: bool) -> None:
    with pytest.raises(ValueError, match="machine"):
        MachineStanding(weight, "x", moves)


class Throttled:
    """A limiter whose machine keeps 0.7 of it for a while; `tells` is whether the limiter hears of that."""

    def __init__(self, own: HillClimb, *, tells: bool) -> None:
        self.own, self.weight, self.reason, self._tells = own, 1.0, "", tells

    @property
    def limit(self) -> int:
        return held_limit(self.own.limit, self.weight)

    def at(self, now: float) -> float:
        weight = 0.7 if HELD_FROM <= now < HELD_UNTIL else 1.0
        if weight != self.weight:
            self.held_down(now, weight)
        return weight

    def held_down(self, now: float, weight: float) -> None:
        self.weight = weight
        if self._tells:
            self.own.held_down(now, weight)

    def call_started(self, now: float, in_flight: int) -> None:
        self.own.call_started(now, in_flight)

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None:
        self.own.tokens_came(now, tokens, in_flight)

    def call_finished(self, sample: CallSample) -> None:
        self.own.call_finished(sample)


def throttled_run(*, knee: int, tells: bool) -> tuple[HillClimb, list[tuple[float, int]]]:
    """A device that is half as fast while its machine is throttled; what the search had, and the limits over time."""
    own = limiter(floor=1)
    machine, total = Throttled(own, tells=tells), knee_at(knee)
    limits: list[tuple[float, int]] = []

    def capacity(now: float, streams: int) -> float:
        weight = machine.at(now)
        limits.append((now, own.limit))
        return total(streams) * (0.5 if weight < 1 else 1)

    FluidDevice(capacity).run(machine, 220, TOKENS, step=0.02)
    return own, limits


@pytest.mark.parametrize("knee", [1, 2, 6])
def test_what_the_search_has_learned_survives_a_throttled_machine(knee: int) -> None:
    _, limits = throttled_run(knee=knee, tells=True)
    before = [limit for now, limit in limits if now < HELD_FROM][-1]
    held = {limit for now, limit in limits if HELD_FROM <= now < HELD_UNTIL}
    assert len(held) == 1, "nothing is tried while the machine is held down"
    assert held.pop() <= before
    assert next(limit for now, limit in limits if now >= HELD_UNTIL + 1) == before


def test_a_search_that_is_not_told_takes_the_machine_for_the_server() -> None:
    _, limits = throttled_run(knee=1, tells=False)
    assert len({limit for now, limit in limits if HELD_FROM <= now < HELD_UNTIL}) > 1


def test_calls_begun_on_a_throttled_machine_set_no_ceiling_when_they_end_later() -> None:
    own = limiter()
    for _ in range(5):
        own.call_finished(finished(time_to_first_token_seconds=0.2))
    before = own.limit
    own.held_down(100.0, 0.7)
    for _ in range(20):
        own.call_finished(finished(started_at_seconds=101.0, time_to_first_token_seconds=9.0))
        own.call_finished(finished(started_at_seconds=101.0, failure="overloaded", in_flight=2))
    own.held_down(200.0, 1.0)
    for _ in range(20):
        own.call_finished(finished(started_at_seconds=199.0, time_to_first_token_seconds=9.0))
    assert own.limit == before
    for _ in range(20):
        own.call_finished(finished(started_at_seconds=201.0, time_to_first_token_seconds=9.0))
    assert own.limit < before


def come_and_go(seed: int, every_seconds: float) -> StandingOf:
    """Each machine turns to another standing again and again, by the time of the loop."""
    choices = (WELL, WELL, MachineStanding(0.7), MachineStanding(0.0, "paused"), MachineStanding(0.0, "game", True))

    def standing(endpoint: Endpoint) -> MachineStanding:
        turn = int(asyncio.get_running_loop().time() / every_seconds)
        return Random(f"{seed} {endpoint.name} {turn}").choice(choices)

    return standing


# Each is a whole simulation of its own.
SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("every_seconds", [0.13, 1.7])
def test_with_faults_twins_and_machines_that_come_and_go_everything_comes_once(seed: int, every_seconds: float) -> None:
    faults: dict[Fault, float] = {kind: share for kind, share in FAULTS.items() if kind != "truncated"}
    faults["hang_middle"] = 0.02
    models = (DeviceModel(faults=faults), DeviceModel(speed=0.4, faults=faults), DeviceModel(speed=0.5))
    case = Case(name="all at once", target=0.0, models=models, requests=200)
    outcome = simulate(case, seed, time_scale=1 / 20, standing_of=come_and_go(seed, every_seconds))
    assert (outcome.kept, outcome.lost, outcome.twice) == (200, 0, 0)
    assert outcome.asked > 200
