"""The keys a call is looked up by: calls that share one are compared."""

from collections.abc import Iterator

import numpy as np

from tip_assets.quality.duplicates.words import CallWords, Hashes

# Keys a call has. With 40 % of its content words replaced a run of three survives 1 time in 5, so 32 keys leave
# 1 copy in 1,000 that shares none.
KEYS = 32

_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


def band_keys(words: CallWords) -> Iterator[bytes]:
    """Each call's smallest hashes of three neighbouring content words, names and numbers left out.

    The smallest hashes are a sample that any two calls take alike (bottom-k sampling), so calls that share a third of
    their runs share about a third of their keys. A call with too few runs of three is also found by runs of two.
    """
    is_content = ~(words.is_common | words.is_masked)
    content, owners = words.hashes[is_content], words.owners[is_content]
    calls = np.arange(words.starts.size)
    starts = np.searchsorted(owners, calls).tolist()
    triples = _mixed(content[:-2] + content[1:-1] * _FIRST + content[2:] * _SECOND)
    # Runs that reach into the next call are none.
    is_run = owners[:-2] == owners[2:]
    triples, triple_owners = triples[is_run], owners[:-2][is_run]
    triples = triples[np.lexsort((triples, triple_owners))]
    triple_starts = np.searchsorted(triple_owners, calls).tolist()
    for call in range(calls.size - 1):
        keys = triples[triple_starts[call] : min(triple_starts[call] + KEYS, triple_starts[call + 1])]
        if keys.size < KEYS:
            pairs = _pairs(content[starts[call] : starts[call + 1]])
            keys = np.concatenate([keys, pairs[: KEYS - keys.size]])
        yield keys.astype("<u8", copy=False).tobytes()


def _pairs(content: Hashes) -> Hashes:
    return np.unique(_mixed(content[:-1] + content[1:] * _SECOND))


def _mixed(keys: Hashes) -> Hashes:
    keys ^= keys >> np.uint64(29)
    keys *= _FIRST
    return keys
