"""Promises of the suspicion: a call that hangs is told from one that waits its turn and from a slow server."""

from typing import Any, cast

from tip_resources.llm.flight import Flight
from tip_resources.llm.need import Need
from tip_resources.llm.patience import LEAST_SECONDS, Patience
from tip_resources.llm.suspicion import look

NOBODY = cast(Any, None)


def flight(started: float, heard: float | None = None, *, tokens: int = 50, gap: float = 0.02) -> Flight:
    """A call sent at `started` that spoke until `heard`; None is one that never spoke."""
    made = Flight(NOBODY, Need(1000, NOBODY, NOBODY, NOBODY, NOBODY), started)
    if heard is not None:
        made.heard(started + 0.1, 1)
        made.heard(heard, tokens)
        made.longest_gap = gap
    return made


def experienced(first: float = 0.1, gap: float = 0.02) -> Patience:
    patience = Patience()
    for _ in range(10):
        patience.first_token_came(first)
        patience.call_ended(gap, 500)
    return patience


def test_a_stream_that_stops_while_others_talk_is_suspect() -> None:
    talking, stopped = flight(0, 9.99), flight(0, 9.0)
    found = look([talking, stopped], experienced(), 2, now=10)
    assert (found.suspects, found.is_stalled) == ((stopped,), False)


def test_an_endpoint_with_long_pauses_is_given_its_time() -> None:
    talking, stopped = flight(0, 9.99), flight(0, 9.0)
    assert look([talking, stopped], experienced(gap=0.5), 2, now=10).suspects == ()
    assert look([talking, stopped], experienced(gap=0.5), 2, now=12.1).suspects == (stopped,)


def test_before_anything_is_known_the_other_streams_are_the_measure() -> None:
    talking, stopped = flight(0, 9.99, gap=0.02), flight(0, 9.0)
    assert look([talking, stopped], Patience(), 2, now=10).suspects == (stopped,)
    assert look([flight(0, 9.99, gap=0.3), stopped], Patience(), 2, now=10).suspects == ()


def test_nothing_known_means_no_suspicion() -> None:
    assert look([flight(0), flight(0)], Patience(), 0, now=100).suspects == ()


def test_a_call_that_waits_its_turn_in_the_queue_of_a_server_is_no_suspect() -> None:
    streams = [flight(0, 9.99), flight(0, 9.99)]
    assert look([*streams, flight(5)], experienced(), 2, now=10).suspects == ()


def test_a_call_that_was_passed_over_by_a_later_one_is_suspect() -> None:
    silent = flight(5)
    assert look([flight(0, 9.99), silent, flight(6, 9.99)], experienced(), 2, now=10).suspects == (silent,)


def test_a_silent_call_is_suspect_when_the_server_has_carried_more() -> None:
    silent = flight(5)
    assert look([flight(0, 9.99), silent], experienced(), 2, now=10).suspects == (silent,)


def test_when_all_are_silent_the_endpoint_is_stalled_after_a_little_more_patience() -> None:
    streams = [flight(0, 10), flight(0, 10)]
    short, long = 10 + LEAST_SECONDS * 1.2, 10 + LEAST_SECONDS * 1.6
    assert not look(streams, experienced(), 2, now=short).is_stalled
    found = look(streams, experienced(), 2, now=long)
    assert found.is_stalled
    assert set(found.suspects) == set(streams)


def test_a_call_whose_items_nobody_takes_is_not_silent() -> None:
    talking, held = flight(0, 9.99), flight(0, 9.0)
    held.hold()
    assert look([talking, held], experienced(), 2, now=10).suspects == ()
    held.release(10)
    assert look([flight(0, 10.1), held], experienced(), 2, now=10.2).suspects == ()


def test_time_in_which_our_own_process_stood_still_is_no_silence() -> None:
    streams = [flight(0, 9.0), flight(0, 9.0)]
    for one in streams:
        one.excuse(0.95)
    assert look(streams, experienced(), 2, now=10).suspects == ()
