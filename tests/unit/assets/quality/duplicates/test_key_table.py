"""Keys find the calls that have them, and those that too many calls have find them in pairs."""

from pathlib import Path

import numpy as np
import pytest

from tip_assets.quality.duplicates.key_table import CALLS_PER_TABLE, KeyTable

COMMON = np.arange(1, 201, dtype=np.uint64) << np.uint64(3)


def owners(table: KeyTable, keys: np.ndarray) -> dict[int, int]:
    """How many keys or pairs each call shares with one that has these keys."""
    calls, shared = np.unique(table.owners(keys, np.zeros(keys.size, np.int64)).calls, return_counts=True)
    return dict(zip(calls.tolist(), shared.tolist(), strict=True))


@pytest.fixture(params=["in memory", "in files"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> KeyTable:
    return KeyTable(tmp_path if request.param == "in files" else None)


def test_a_call_is_found_by_each_key_it_has_in_any_table(table: KeyTable):
    last = CALLS_PER_TABLE + 3
    table.add(np.array([5, 6, 7, 6, 9], np.uint64), np.array([0, 0, 0, last, last]))
    assert owners(table, np.array([6, 7, 8], np.uint64)) == {0: 2, last: 1}


def test_among_calls_of_the_same_few_keys_the_one_that_has_them_together_is_found(table: KeyTable):
    rng = np.random.default_rng(1)
    calls = [np.sort(rng.choice(COMMON, 20, replace=False)) for _ in range(1000)]
    for number, keys in enumerate(calls):
        table.add(keys, np.full(keys.size, number))
    # Each key is in some 100 calls by now, three times what a row holds.
    # A copy lacks three of its original's keys and has three others.
    for number in (500, 700, 900):
        kept = np.delete(calls[number], [4, 9, 15])
        others = np.setdiff1d(COMMON, calls[number])[:3]
        shared = owners(table, np.sort(np.concatenate([kept, others])))
        assert max(shared, key=lambda call: shared[call]) == number


def test_keys_of_different_calls_make_no_pair(table: KeyTable):
    for number in range(100):
        table.add(COMMON[:2], np.array([2 * number, 2 * number + 1]))
    assert owners(table, COMMON[:2]) == {}
