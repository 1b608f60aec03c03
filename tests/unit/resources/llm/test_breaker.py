"""Promises of the circuit breaker."""

from tip_resources.llm.breaker import Breaker

FRESH = Breaker(failures_to_open=3, open_seconds=30)


def opened(at: float = 0.0) -> Breaker:
    return FRESH.failed(at).failed(at).failed(at)


def test_it_opens_after_that_many_failures_in_a_row() -> None:
    assert FRESH.failed(0).failed(0).state(0) == "closed"
    assert opened().state(0) == "open"
    assert not opened().admits(0.2)


def test_a_success_in_between_starts_the_count_anew() -> None:
    assert FRESH.failed(0).failed(0).succeeded().failed(0).failed(0).state(0) == "closed"


def test_after_the_pause_one_call_goes_on_trial() -> None:
    assert opened().state(30) == "half_open"
    trial = opened().call_started(30)
    assert trial.state(30) == "on_trial"
    assert not trial.admits(31)


def test_the_first_token_of_the_trial_closes_it() -> None:
    assert opened().call_started(30).came_alive().state(30) == "closed"


def test_after_a_first_token_one_more_failure_opens_it_again() -> None:
    assert opened().call_started(30).came_alive().failed(31).state(31) == "open"


def test_a_failed_trial_opens_it_for_another_pause() -> None:
    again = opened().call_started(30).failed(31)
    assert again.state(31.4) == "open"
    assert again.opens_again_at == 31.5


def test_an_abandoned_trial_leaves_the_place_to_another() -> None:
    assert opened().call_started(30).call_abandoned().admits(30)


def test_calls_that_were_under_way_do_not_prolong_the_pause() -> None:
    assert opened().failed(0.2).opens_again_at == 0.25


def test_a_token_of_an_older_call_does_not_close_an_open_breaker() -> None:
    assert opened().came_alive().state(0.2) == "open"


def test_pauses_begin_short_double_with_each_failed_trial_and_end_at_the_setting() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(9):
        assert breaker.opens_again_at is not None
        pauses.append(breaker.opens_again_at - now)
        now = breaker.opens_again_at
        breaker = breaker.call_started(now).failed(now)
    assert pauses == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]


def test_where_calls_are_short_the_pauses_stay_short() -> None:
    breaker, now = opened(), 0.0
    for _ in range(9):
        now = breaker.opens_again_at or 0.0
        breaker = breaker.call_started(now).failed(now, 1.0)
    assert breaker.opens_again_at == now + 1.0


def test_a_success_makes_the_next_pause_short_again() -> None:
    breaker = opened().call_started(1).failed(1).call_started(9).succeeded()
    assert breaker.tripped(10).opens_again_at == 10.25
