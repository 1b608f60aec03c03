"""The limiter alone, on a simulated device. Ratios are time used over the time of the best constant limit."""

import pytest

from tests.unit.resources.llm.fluid_device import FluidDevice, knee_at
from tip_resources.llm.guardrails import Guardrails
from tip_resources.llm.hill_climb import Bounds, HillClimb
from tip_resources.llm.limiter import CallSample, Learned

REQUESTS, TOKENS = 200, 600.0
GUARDRAILS = Guardrails(p95_first_token_seconds=2.5, p95_token_seconds=1.0, error_rate=0.03)


def limiter(learned: Learned | None = None, *, floor: int = 2, ceiling: int = 256) -> HillClimb:
    return HillClimb(Bounds(start=4, floor=floor, ceiling=ceiling), GUARDRAILS, learned)


def finished(**changes) -> CallSample:
    fields = {
        "failure": None,
        "started_at_seconds": 0.0,
        "duration_seconds": 1.0,
        "time_to_first_token_seconds": 0.1,
        "characters_out": 400,
        "tokens_out": 100,
        "in_flight": 4,
        "ended_at_seconds": 1.0,
    }
    return CallSample(**{**fields, **changes})


@pytest.mark.parametrize(
    ("knee", "gain", "slots", "ratio"), [(6, 4.0, 32, 1.08), (24, 12.0, 64, 1.25), (4, 4.0, 4, 1.12), (2, 1.6, 8, 1.1)]
)
@pytest.mark.parametrize("jitter", [0.0, 0.5])
def test_the_knee_of_a_silent_queue_is_found(knee: int, gain: float, slots: int, ratio: float, jitter: float) -> None:
    total = knee_at(knee, gain=gain)
    device = FluidDevice(lambda _, streams: total(streams), slots=slots, jitter=jitter)

    seconds = device.run(limiter(), REQUESTS, TOKENS, step=0.02)

    assert seconds / (REQUESTS * TOKENS / total(knee)) < ratio


def test_what_was_learned_is_used_at_once() -> None:
    total = knee_at(24, gain=12)
    device = FluidDevice(lambda _, streams: total(streams))
    learned = Learned(limit=24, tokens_per_second=1200)

    seconds = device.run(limiter(learned), REQUESTS, TOKENS, step=0.02)

    assert seconds / (REQUESTS * TOKENS / 1200) < 1.12
    assert device.limits[0][1] == 24


def test_a_knee_that_moves_is_followed_there_and_back() -> None:
    usual, disturbed = knee_at(6), knee_at(2, gain=1.6)
    device = FluidDevice(lambda now, streams: disturbed(streams) if 100 < now < 200 else usual(streams), slots=32)

    seconds = device.run(limiter(), REQUESTS, TOKENS, step=0.02)

    best = 200 + (REQUESTS * TOKENS - 100 * 400 - 100 * 160) / 400
    assert seconds / best < 1.2
    assert 2 in {limit for at, limit in device.limits if 100 < at < 200}
    assert device.limits[-1][1] in (5, 6, 7)


def test_a_server_that_refuses_is_filled_to_its_slots() -> None:
    total = knee_at(12, gain=8)
    device = FluidDevice(lambda _, streams: total(streams), slots=6, refuses=True)

    seconds = device.run(limiter(), REQUESTS, TOKENS, step=0.02)

    assert seconds / (REQUESTS * TOKENS / total(6)) < 1.1
    assert device.refused < REQUESTS / 10


def test_the_limit_does_not_swing_on_a_steady_endpoint() -> None:
    total = knee_at(6)
    device = FluidDevice(lambda _, streams: total(streams), slots=32)

    device.run(limiter(), REQUESTS, TOKENS, step=0.02)

    assert {limit for at, limit in device.limits if at > 60} <= {5, 6, 7}


def test_ceiling_and_floor_are_kept() -> None:
    total = knee_at(24, gain=12)
    device = FluidDevice(lambda _, streams: total(streams))

    device.run(limiter(ceiling=8), 60, TOKENS, step=0.02)

    assert max(limit for _, limit in device.limits) == 8
    assert min(limit for _, limit in device.limits) >= 2


def test_too_few_calls_to_fill_the_limit_teach_nothing() -> None:
    learner = limiter()
    for moment in range(1000):
        learner.tokens_came(moment * 0.01, 5, 1)

    assert learner.limit == 4
    assert learner.learned is None


def test_first_tokens_that_come_ever_later_lower_the_limit() -> None:
    learner = limiter()
    for _ in range(5):
        learner.call_finished(finished(time_to_first_token_seconds=0.2))
    for _ in range(20):
        learner.call_finished(finished(time_to_first_token_seconds=9.0))

    assert learner.limit < 4
    assert "first tokens took 9.0 s" in learner.reason


def test_a_machine_that_is_slow_by_nature_is_not_held_back() -> None:
    learner = limiter()
    for _ in range(50):
        learner.call_finished(finished(time_to_first_token_seconds=30.0))

    assert learner.limit == 4


def test_errors_that_were_always_there_do_not_lower_the_limit_but_a_burst_does() -> None:
    learner = limiter()
    for number in range(100):
        learner.call_finished(finished(failure="server_error" if number % 12 == 0 else None))
    assert learner.limit == 4

    for number in range(40):
        learner.call_finished(finished(failure="server_error" if number % 2 == 0 else None))
    assert learner.limit < 4
    assert "of calls failed" in learner.reason


def test_an_endpoint_that_was_away_comes_back_with_its_limit() -> None:
    learner = limiter(Learned(limit=8, tokens_per_second=400))
    for number in range(100):
        learner.call_finished(finished(ended_at_seconds=number))
    for number in range(100, 200):
        learner.call_finished(finished(ended_at_seconds=number, failure="connect", is_outage=True))
    assert learner.limit == 8


def test_refusals_of_one_cascade_count_once() -> None:
    learner = limiter(Learned(limit=10, tokens_per_second=100))
    for in_flight in (10, 9, 8):
        learner.call_finished(finished(failure="overloaded", in_flight=in_flight))

    assert learner.limit == 7
    assert learner.reason == "the server refused call 8"
