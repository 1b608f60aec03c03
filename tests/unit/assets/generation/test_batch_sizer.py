"""Batches follow what comes back: down at once, up slowly, small at the end."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tip_assets.generation.batch_sizer import BatchOutcome, BatchSizer
from tip_assets.generation.batching import BatchPlan
from tip_resources.settings.models import IntRange


def sizer(size: int = 24) -> BatchSizer:
    return BatchSizer(BatchPlan(size, IntRange(low=20, high=40), 1_000 * size, "simple calls"))


def whole(asked: int) -> BatchOutcome:
    return BatchOutcome(asked=asked, kept=frozenset(range(asked)), finished=asked)


def cut_off(asked: int, finished: int = 0, failure: str = "truncated") -> BatchOutcome:
    return BatchOutcome(asked=asked, kept=frozenset(range(finished)), finished=finished, failure=failure)


def test_a_cut_off_answer_lowers_the_size_at_once_to_what_fitted() -> None:
    batch = sizer(24)
    batch.observed(cut_off(24, finished=9))
    assert batch.next_size(1_000, 1) == 9
    assert batch.reason == "an answer of 24 calls was cut off"


def test_an_answer_with_nothing_in_it_halves_the_size() -> None:
    batch = sizer(24)
    batch.observed(cut_off(24, failure="context_overflow"))
    assert batch.next_size(1_000, 1) == 12
    assert "context window" in batch.reason


def test_answers_that_were_under_way_together_lower_the_size_once() -> None:
    batch = sizer(24)
    for _ in range(6):
        batch.observed(cut_off(24))
    assert batch.size == 12


def test_whole_answers_raise_it_slowly_and_never_above_where_it_began() -> None:
    batch = sizer(8)
    batch.observed(cut_off(8))
    sizes = []
    for _ in range(200):
        batch.observed(whole(batch.size))
        sizes.append(batch.size)
    assert sizes[0] == 4
    assert sizes[-1] == max(sizes) == 8
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(sizes))
    assert sizes.index(5) >= 7


def test_calls_lost_late_in_the_answers_lower_it_and_calls_lost_everywhere_do_not() -> None:
    late, everywhere = sizer(10), sizer(10)
    for number in range(12):
        late.observed(BatchOutcome(asked=10, kept=frozenset(range(6)), finished=10))
        everywhere.observed(BatchOutcome(asked=10, kept=frozenset(range(number % 2, 10, 2)), finished=10))
    assert late.size < 10
    assert "late in the answers" in late.reason
    assert everywhere.size == 10


def test_a_server_that_is_away_says_nothing_about_the_size() -> None:
    batch = sizer(24)
    for _ in range(20):
        batch.observed(cut_off(24, failure="connect"))
    assert (batch.size, batch.reason) == (24, "simple calls")


def test_an_answer_whose_machine_was_needed_says_nothing_about_the_size() -> None:
    batch = sizer(24)
    for _ in range(100):
        batch.observed(cut_off(24, finished=3, failure="moved"))
    assert (batch.size, batch.reason) == (24, "simple calls")


def test_near_the_end_the_work_is_divided_over_the_slots() -> None:
    batch = sizer(24)
    assert batch.next_size(10_000, 4) == 24
    sizes, missing = [], 100
    while missing:
        sizes.append(batch.next_size(missing, 4))
        missing -= sizes[-1]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 13
    assert sizes[-8:] == [1] * 8


@given(st.integers(1, 40), st.integers(0, 500), st.integers(0, 300), st.lists(st.integers(0, 40), max_size=30))
def test_a_size_is_always_at_least_one_and_at_most_the_plan(
    most: int, missing: int, slots: int, finished: list[int]
) -> None:
    batch = sizer(most)
    for number in finished:
        asked = batch.next_size(missing, slots)
        done = min(asked, number)
        batch.observed(whole(asked) if done == asked else cut_off(asked, finished=done))
    assert 1 <= batch.next_size(missing, slots) <= most
    assert 1 <= batch.size <= most
