"""The keys a call is looked up by: calls that share some are compared."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from tip_assets.quality.duplicates.words import CallWords, Flags, Hashes

# Keys of each kind a call has at most. A copy with every fifth word edited keeps 4 runs of ten, so that of 24 keys
# about 10 are left; a paraphrase with every third word changed keeps about 4. Unrelated calls share 0 or 1.
_KEYS_OF_ALL, _KEYS_OF_CONTENT = 24, 44
# Words to a run. Runs of all words survive synonyms of what a call is about; where a set is written from few
# templates they are in too many calls, and runs of content words find the copies (measured: docs/duplicates.md).
_RUNS_OF_ALL = (4, 5)
_RUNS_OF_CONTENT = (3,)

_FACTORS = np.array([0xC2B2AE3D27D4EB4F, 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 0x9FB21C651E98DF25], dtype=np.uint64)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_KEY_BITS = np.uint64(52)
_KEY_MASK = np.uint64((1 << 52) - 1)
# Calls whose keys are worked out together at most: what is left of 64 bits.
MOST_CALLS = 1 << 12


def band_keys(words: CallWords) -> Iterator[bytes]:
    """Each call's smallest hashes of four and five words in a row, and of three content words.

    Names and numbers are left out first, so that calls that differ only in them have the same keys; content words are
    those not in common_words.txt. The smallest hashes are a sample that any two calls take alike (bottom-k sampling):
    calls that share a third of their runs share about a third of their keys. A call of fewer than four words has none.

    Args:
        words: Of MOST_CALLS calls at most.
    """
    is_content = ~(words.is_common | words.is_masked)
    of_all = _smallest(words, ~words.is_masked, _RUNS_OF_ALL, _KEYS_OF_ALL)
    of_content = _smallest(words, is_content, _RUNS_OF_CONTENT, _KEYS_OF_CONTENT)
    return (one + other for one, other in zip(of_all, of_content, strict=True))


def _smallest(words: CallWords, is_used: Flags, lengths: Sequence[int], most: int) -> Iterator[bytes]:
    used, owners = words.hashes[is_used], words.owners[is_used].astype(np.uint64)
    # One number for the call (above) and the key (below), so that one plain sort does for both.
    keys = np.sort(np.concatenate([_runs(used, owners, length) for length in lengths]))
    is_new = np.ones(keys.size, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    keys = keys[is_new]
    starts = np.searchsorted(keys >> _KEY_BITS, np.arange(words.starts.size, dtype=np.uint64)).tolist()
    keys = (keys & _KEY_MASK).astype("<u8", copy=False)
    for start, end in pairwise(starts):
        yield keys[start : min(end, start + most)].tobytes()


def _runs(used: Hashes, owners: Hashes, length: int) -> Hashes:
    """Call and hash of every run of `length` words that does not reach into the next call."""
    count = max(used.size - length + 1, 0)
    hashes = used[:count].copy()
    for offset in range(1, length):
        hashes += used[offset : offset + count] * _FACTORS[offset - 1]
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIX
    hashes >>= np.uint64(64) - _KEY_BITS
    hashes |= owners[:count] << _KEY_BITS
    return hashes[owners[:count] == owners[length - 1 : length - 1 + count]]
