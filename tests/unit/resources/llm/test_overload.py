"""Promises about refusals: taken slots hold nobody up for longer than they are taken, a limit on the rate is kept."""

from tip_resources.llm.overload import Slots


def test_a_refusal_beside_other_calls_means_that_the_slots_are_taken() -> None:
    slots = Slots()
    assert not slots.was_refused(10, 9.9, others_in_flight=4, usual_seconds=5)
    assert slots.most == 4
    assert not slots.has_room(10.1, 4)
    assert slots.has_room(10.1, 3)


def test_calls_refused_together_tell_the_lowest_count_and_no_more() -> None:
    slots = Slots()
    results = [slots.was_refused(10 + n / 100, 9.9, others_in_flight=7 - n, usual_seconds=5) for n in range(4)]
    assert results == [False] * 4
    assert slots.most == 4


def test_a_refusal_with_nothing_else_in_flight_is_a_limit_on_the_rate() -> None:
    assert Slots().was_refused(10, 9.9, others_in_flight=0, usual_seconds=5)


def test_refusals_in_a_row_with_no_call_taken_in_between_are_a_limit_on_the_rate() -> None:
    slots = Slots()
    assert [slots.was_refused(now, now - 0.1, 4, 5) for now in (10, 11, 12)] == [False, False, True]


def test_a_call_that_is_taken_in_between_says_that_it_was_only_the_slots() -> None:
    slots = Slots()
    for now in (10, 11, 12, 13):
        assert not slots.was_refused(now, now - 0.1, 4, 5)
        slots.was_taken(now + 0.1)


def test_one_more_is_tried_after_a_usual_call_and_later_each_time_it_is_in_vain() -> None:
    slots, waits = Slots(), []
    slots.was_refused(0, -0.1, 4, usual_seconds=5)
    for _ in range(6):
        at = slots.tries_again_at(0, 4)
        assert at is not None
        assert slots.has_room(at, 4)
        slots.call_started(at, 5)
        slots.was_refused(at, at, 4, 5)
        slots.was_taken(at)
        again = slots.tries_again_at(at, 4)
        assert again is not None
        waits.append(again - at)
    assert waits == [10, 20, 40, 60, 60, 60]


def test_a_try_that_is_taken_raises_what_the_server_was_seen_to_take() -> None:
    slots = Slots()
    slots.was_refused(0, -0.1, 4, usual_seconds=1)
    slots.call_started(2, 5)
    slots.was_taken(2)
    assert slots.most == 5
    assert slots.has_room(3, 5)
