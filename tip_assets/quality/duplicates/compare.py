"""How alike two calls are, from the words in their sketches; decides whether the later repeats the earlier.

Finding candidates is left to keys (bands.py), whose collisions never count here: only words do.
"""

from typing import NamedTuple

import numpy as np

from tip_assets.quality.duplicates.bodies import Words, unpacked_body, without_masked
from tip_assets.quality.duplicates.matches import Likeness
from tip_assets.quality.duplicates.thresholds import DEFAULT, Thresholds
from tip_assets.quality.duplicates.words import Flags, Numbers
from tip_resources.domain.sketch import CallSketch

# Fewer words than this make no call that can be told from another by its words: "Hi, my bill is wrong."
FEWEST_WORDS = 24
# Of the longer call at least this share must be in the other, however well the shorter one matches.
_SMALLEST_SHARE = 0.5
# The stretch of a call that matches least decides; a splice of two calls has one of half its length.
_WORST_STRETCH = 0.4
# Words in a row that match without a gap: so long a run is a copied passage, and what lies outside is looked at alone,
# unless that is less than a fifth of the call.
_COPIED_RUN = 16
_SMALLEST_REST = 0.2

# Calls less alike than this have other words than names and numbers apart.
_HOPELESS = 0.3

_PAIR_BITS = 18
_FACTOR = np.uint32(0x9E3779B1)
# Scratch for looking up pairs of words; all zero between uses. 256 kB stay in a core's cache.
_seen = np.zeros(1 << _PAIR_BITS, np.bool_)


def compare(new: CallSketch, earlier: CallSketch, thresholds: Thresholds = DEFAULT) -> Likeness:
    """Whether `new` repeats `earlier`, and how alike they are by their words.

    Hashes of the whole text are compared first. Then a word of one call counts as found in the other when it stands
    there next to the same neighbour (next or next but one). `similarity` is the share found in the stretch of 40 % of
    the call that matches least, and outside of copied passages, whichever is less; of the two calls the one with the
    higher share counts, so that a call with turns dropped is as similar as a whole one. Halves of two calls joined
    together match in one half only, so their similarity is that of two different calls.
    """
    if new.exact == earlier.exact:
        return Likeness("exact", 1.0)
    if new.normalized == earlier.normalized:
        return Likeness("normalized", 1.0)
    ours, theirs = unpacked_body(new.body), unpacked_body(earlier.body)
    if ours is None or theirs is None:
        return Likeness(None, 0.0)
    level = max(ours.level, theirs.level)
    new_words, earlier_words = ours.sampled(level), theirs.sampled(level)
    by_words = similarity(new_words, earlier_words)
    if by_words >= thresholds.near:
        return Likeness("near", by_words)
    if by_words >= _HOPELESS:
        by_plain_words = similarity(without_masked(new_words), without_masked(earlier_words))
        if by_plain_words >= thresholds.masked:
            return Likeness("masked", by_plain_words)
    return Likeness(None, by_words)


def similarity(new: Words, earlier: Words) -> float:
    """0-1 as `compare` explains; 0.0 when either has too few words to be told from others."""
    if min(new.size, earlier.size) < FEWEST_WORDS:
        return 0.0
    new_pairs, earlier_pairs = _pairs(new), _pairs(earlier)
    found_in_new = _found(new.size, new_pairs, earlier_pairs)
    if (share := _share(found_in_new)) < _SMALLEST_SHARE:
        return share
    found_in_earlier = _found(earlier.size, earlier_pairs, new_pairs)
    if (share := _share(found_in_earlier)) < _SMALLEST_SHARE:
        return share
    return max(_least(found_in_new), _least(found_in_earlier))


def _share(found: Flags) -> float:
    return int(np.count_nonzero(found)) / found.size


class _Pairs(NamedTuple):
    """Slots of each word with the next one and with the next but one."""

    next: Numbers
    next_but_one: Numbers


def _pairs(words: Words) -> _Pairs:
    turned = words * _FACTOR
    shift = np.uint32(32 - _PAIR_BITS)
    return _Pairs(
        (((turned[:-1] ^ words[1:]) * _FACTOR) >> shift).astype(np.intp),
        (((turned[:-2] ^ words[2:]) * _FACTOR) >> shift).astype(np.intp),
    )


def _found(size: int, pairs: _Pairs, others: _Pairs) -> Flags:
    """For each word of a call whether the other call has it next to the same neighbour."""
    _seen[others.next] = True
    _seen[others.next_but_one] = True
    is_next, is_next_but_one = _seen[pairs.next], _seen[pairs.next_but_one]
    _seen[others.next] = False
    _seen[others.next_but_one] = False
    found = np.zeros(size, np.bool_)
    found[:-1] = is_next
    found[1:] |= is_next
    found[:-2] |= is_next_but_one
    found[2:] |= is_next_but_one
    return found


def _least(found: Flags) -> float:
    """The share found in the stretch that matches least, or outside of copied passages where that is less."""
    stretch = max(int(found.size * _WORST_STRETCH), 1)
    sums = np.zeros(found.size + 1, np.int32)
    np.cumsum(found, out=sums[1:])
    least = int((sums[stretch:] - sums[:-stretch]).min()) / stretch
    gaps = np.flatnonzero(~found)
    if not gaps.size:
        return least
    runs = np.diff(gaps, prepend=-1, append=found.size) - 1
    copied = int(runs[runs >= _COPIED_RUN].sum())
    rest = found.size - copied
    if rest < _SMALLEST_REST * found.size:
        return least
    return min(least, 1 - gaps.size / rest)
