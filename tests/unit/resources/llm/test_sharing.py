import itertools

import pytest

from tip_resources.llm.sharing import fair_shares, takable


@pytest.mark.parametrize(
    ("limit", "wanted", "shares"),
    [
        (6, [6], [6]),
        (6, [6, 6], [3, 3]),
        (7, [9, 9], [4, 3]),
        (6, [1, 6], [1, 5]),
        (10, [2, 9, 9], [2, 4, 4]),
        (10, [9, 0, 9], [5, 1, 4]),
        (3, [9, 9, 9], [1, 1, 1]),
        (8, [2, 2], [2, 2]),
        (0, [1, 1], [0, 0]),
        (4, [], []),
    ],
)
def test_each_gets_a_fair_part_and_what_one_leaves_goes_to_the_others(limit: int, wanted: list[int], shares: list[int]):
    assert fair_shares(limit, wanted) == shares


def test_no_split_ever_hands_out_more_than_the_limit_or_starves_a_holder_that_could_have_one():
    for limit, holders in itertools.product(range(9), range(1, 5)):
        for wanted in itertools.product((0, 1, 3, 9), repeat=holders):
            shares = fair_shares(limit, wanted)
            assert sum(shares) <= limit
            assert limit < holders or min(shares) >= 1
            assert all(share <= max(1, wish) for share, wish in zip(shares, wanted, strict=True))
            assert sum(shares) == limit or limit < holders or sum(max(1, wish) for wish in wanted) == sum(shares)


def test_with_fewer_calls_than_holders_the_oldest_begin_and_each_has_its_turn():
    turns = [fair_shares(1, [5, 5, 5], turn) for turn in range(3)]
    assert turns == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("limit", "wanted", "weights", "shares"),
    [
        (6, [9, 9], [2, 4], [2, 4]),
        (6, [9, 9], [4, 2], [4, 2]),
        (10, [9, 2, 9], [1, 4, 4], [1, 2, 7]),
        (9, [9, 9, 9], [1, 2, 4], [1, 3, 5]),
        (2, [9, 9], [1, 4], [1, 1]),
        (12, [20, 20], [2, 2], [6, 6]),
    ],
)
def test_parts_are_in_proportion_to_the_weights(limit: int, wanted: list[int], weights: list[int], shares: list[int]):
    assert fair_shares(limit, wanted, weights=weights) == shares


def test_with_fewer_calls_than_holders_one_of_more_weight_has_more_turns_and_nobody_none():
    turns = [fair_shares(1, [5, 5], turn, [1, 4]) for turn in range(5)]
    assert [sum(column) for column in zip(*turns, strict=True)] == [1, 4]


def test_a_share_is_taken_only_as_far_as_the_others_have_given_back():
    assert takable(3, 6, granted_to_others=6) == 0
    assert takable(3, 6, granted_to_others=4) == 2
    assert takable(3, 6, granted_to_others=3) == 3
