"""The keys a call is looked up by: calls that share some are compared."""

from collections.abc import Iterator

import numpy as np

from tip_assets.quality.duplicates.words import CallWords, Hashes

# Keys a call has at most. A copy with every fifth word edited keeps 4 runs of ten, so that of 40 keys about 15 are
# left; a paraphrase with every third word changed keeps about 6. Unrelated calls share 0 or 1.
KEYS = 40
# Words to a run. Shorter ones are in too many calls, longer ones do not survive edits (measured: docs/duplicates.md).
_RUNS = (4, 5)

_FACTORS = np.array(
    [0xC2B2AE3D27D4EB4F, 0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 0x9FB21C651E98DF25], dtype=np.uint64
)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_KEY_BITS = np.uint64(52)
_KEY_MASK = np.uint64((1 << 52) - 1)
# Calls whose keys are worked out together at most: what is left of 64 bits.
MOST_CALLS = 1 << 12


def band_keys(words: CallWords) -> Iterator[bytes]:
    """Each call's smallest hashes of four and of five words in a row.

    Names and numbers are left out first, so that calls that differ only in them have the same keys. The smallest
    hashes are a sample that any two calls take alike (bottom-k sampling): calls that share a third of their runs
    share about a third of their keys. A call of fewer than four words has none.

    Args:
        words: Of MOST_CALLS calls at most.
    """
    plain, owners = words.hashes[~words.is_masked], words.owners[~words.is_masked].astype(np.uint64)
    # One number for the call (above) and the key (below), so that one plain sort does for both.
    keys = np.sort(np.concatenate([_runs(plain, owners, length) for length in _RUNS]))
    is_new = np.ones(keys.size, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=is_new[1:])
    keys = keys[is_new]
    starts = np.searchsorted(keys >> _KEY_BITS, np.arange(words.starts.size, dtype=np.uint64)).tolist()
    keys = (keys & _KEY_MASK).astype("<u8", copy=False)
    for start, end in zip(starts, starts[1:], strict=False):
        yield keys[start : min(end, start + KEYS)].tobytes()


def _runs(plain: Hashes, owners: Hashes, length: int) -> Hashes:
    """Call and hash of every run of `length` words that does not reach into the next call."""
    count = max(plain.size - length + 1, 0)
    hashes = plain[:count].copy()
    for offset in range(1, length):
        hashes += plain[offset : offset + count] * _FACTORS[offset - 1]
    hashes ^= hashes >> np.uint64(29)
    hashes *= _MIX
    hashes >>= np.uint64(64) - _KEY_BITS
    hashes |= owners[:count] << _KEY_BITS
    return hashes[owners[:count] == owners[length - 1 : length - 1 + count]]
