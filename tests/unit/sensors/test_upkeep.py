"""When the daily clean-up is due, and what is said of it."""

from sensors.upkeep import EVERY_SECONDS, Memory, after, is_due, remembered
from tip_resources.upkeep.chores import Amount
from tip_resources.upkeep.clean_up import CleanedUp

NOW = 1_800_000_000.0


def test_it_is_due_once_a_day_and_soon_after_a_clock_was_set_back() -> None:
    assert is_due(Memory(), NOW)
    assert not is_due(Memory(ended_at=NOW - EVERY_SECONDS + 1), NOW)
    assert is_due(Memory(ended_at=NOW - EVERY_SECONDS), NOW)
    assert is_due(Memory(ended_at=NOW + 60), NOW)


def test_a_pass_that_ran_out_of_time_goes_on_at_the_next_tick_and_adds_up() -> None:
    first, said = after(Memory(), CleanedUp({"old runs": Amount(5, 1_000)}, is_done=False), NOW)
    assert is_due(first, NOW + 60) and said == "cleaning up: 5 things removed, 1.0 kB so far."
    second, said = after(first, CleanedUp({"old runs": Amount(2, 500)}, is_done=True), NOW + 60)
    assert not is_due(second, NOW + 120) and said == "cleaned up: 7 things removed, 1.5 kB. Next in 24 hours."


def test_a_cursor_that_is_none_of_ours_counts_as_none() -> None:
    assert remembered(None) == remembered("not json") == remembered("[1]") == Memory()
