"""Promises of the scheduler on simulated devices in virtual time: nearly as fast as an oracle, and nothing lost.

The ratios of all rows, with more seeds: `python -m benchmarks.engine_simulated`.
"""

import pytest

from tests.unit.resources.llm.simulated_cases import CASES, Case, Outcome, simulate
from tests.unit.resources.llm.simulated_device import FAULTS, DeviceModel
from tip_resources.llm.limiter import FixedLimiter

FAST = 1 / 20  # seconds of the engine for one of the device: what peers were measured with


@pytest.mark.parametrize("scale", [1.0, FAST])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_makespan_is_near_that_of_an_oracle_and_nothing_is_lost_or_given_twice(case: Case, scale: float) -> None:
    outcome = simulate(case, 1, time_scale=scale)
    assert (outcome.kept, outcome.lost, outcome.twice) == (200, 0, 0)
    assert outcome.ratio <= case.target


def test_a_run_is_the_same_each_time() -> None:
    case = next(case for case in CASES if case.name == "faults")
    assert simulate(case, 3) == simulate(case, 3)


def hanging(share: float, seed: int = 2) -> Outcome:
    model = DeviceModel(faults={"hang_connect": share, "hang_first": share, "hang_middle": share})
    case = Case(name="hangs", target=1.3, models=(model,), requests=100)
    return simulate(case, seed, time_scale=FAST)


def test_calls_that_hang_cost_no_more_than_their_silence() -> None:
    outcome = hanging(0.03)
    assert (outcome.kept, outcome.twice) == (100, 0)
    assert outcome.twins >= 5
    assert outcome.ratio < 1.25


@pytest.mark.parametrize("seed", range(8))
def test_the_last_calls_may_all_hang_and_are_asked_again(seed: int) -> None:
    outcome = hanging(0.02, seed)
    assert (outcome.kept, outcome.twice) == (100, 0)
    assert outcome.ratio < 1.5


def test_a_healthy_endpoint_gets_no_call_twice() -> None:
    outcome = simulate(CASES[0], 4, time_scale=FAST)
    assert (outcome.asked, outcome.twins) == (200, 0)


def test_a_server_that_queues_what_is_too_much_is_not_flooded_with_twins() -> None:
    case = Case(name="four slots", target=1.2, models=(DeviceModel(slots=4),), limit=12, requests=60)
    outcome = simulate(case, 1, time_scale=FAST)
    assert outcome.kept == 60
    assert outcome.asked <= 66


def test_a_slow_endpoint_does_not_hold_the_last_calls() -> None:
    models = (DeviceModel(), DeviceModel(speed=0.02))
    case = Case(name="one is hopeless", target=1.1, models=models, requests=100)
    outcome = simulate(case, 1, time_scale=FAST)
    assert outcome.kept == 100
    assert outcome.ratio < 1.1


def test_faults_on_several_endpoints_lose_nothing() -> None:
    models = (DeviceModel(faults=FAULTS), DeviceModel(speed=0.4, faults=FAULTS))
    outcome = simulate(Case(name="storm", target=1.2, models=models), 5, time_scale=FAST)
    assert (outcome.kept, outcome.lost, outcome.twice) == (200, 0, 0)
    assert outcome.ratio < 1.2


def test_three_hundred_streams_at_once() -> None:
    model = DeviceModel(slots=400, knee_at=lambda _: 300)
    case = Case(name="wide", target=1.5, models=(model,), requests=600, limit=300)
    outcome = simulate(case, 1, limiter_for=lambda _: FixedLimiter(300))
    assert (outcome.kept, outcome.asked) == (600, 600)
