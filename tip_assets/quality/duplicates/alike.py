"""How much of two calls is found in each other, worked out for many pairs of calls at once.

What follows from that, and whether it makes a duplicate, is decided in compare.py.
"""

import threading

import numpy as np
import numpy.typing as npt

from tip_assets.quality.duplicates.bodies import JoinedWords, bare, is_by_agent, is_masked
from tip_assets.quality.duplicates.words import Flags, Numbers

# The stretch of a call that matches least decides; a splice of two calls has one of half its length.
_WORST_STRETCH = 0.4
# Words in a row that match without a gap: so long a run is a copied passage, and what lies outside is looked at alone,
# unless that is less than a fifth of the call.
_COPIED_RUN = 16
_SMALLEST_REST = 0.2
# As if each speaker named so many more facts, of which this share is found: few decide little, none change nothing.
_FACTS_ASSUMED, SHARE_ASSUMED = 6, 0.8

_SLOT_BITS = 18
_FACTOR = np.uint32(0x9E3779B1)
_SHIFT = np.uint32(32 - _SLOT_BITS)
_SLOT_MASK = (1 << _SLOT_BITS) - 1
# The slot of what is no pair of words: never seen.
_NO_SLOT = 1 << _SLOT_BITS

Slots = npt.NDArray[np.intp]
Shares = npt.NDArray[np.float64]


class _Scratch(threading.local):
    """For looking up words and pairs of words; all zero between uses. 256 kB stay in a core's cache."""

    def __init__(self) -> None:
        self.seen = np.zeros(_NO_SLOT + 1, np.bool_)


_scratch = _Scratch()


def found(side: JoinedWords, other: JoinedWords) -> Flags:
    """For each word whether the other call of its pair has it next to the same neighbour: next, or next but one."""
    is_next, is_next_but_one = _seen(_neighbour_slots(side), side.sizes, _neighbour_slots(other), other.sizes).T
    flags = is_next | is_next_but_one
    flags[1:] |= is_next[:-1]
    flags[2:] |= is_next_but_one[:-2]
    return flags


def _neighbour_slots(side: JoinedWords) -> Slots:
    """Slots of each word with the next one of its call, and with the next but one."""
    words = bare(side.words)
    turned = words * _FACTOR
    last = np.cumsum(side.sizes) - 1
    slots = np.empty((words.size, 2), np.intp)
    for column, distance in enumerate((1, 2)):
        slots[:-distance, column] = ((turned[:-distance] ^ words[distance:]) * _FACTOR) >> _SHIFT
    slots[last] = _NO_SLOT
    slots[last - 1, 1] = _NO_SLOT
    return slots


def _seen(slots: Slots, sizes: Numbers, others: Slots, other_sizes: Numbers) -> Flags:
    """Which slots the other call of the pair has too."""
    table = _scratch.seen
    flags = np.empty(slots.shape, np.bool_)
    begin = other_begin = 0
    for end, other_end in zip(np.cumsum(sizes).tolist(), np.cumsum(other_sizes).tolist(), strict=True):
        theirs = others[other_begin:other_end]
        table[theirs] = True
        table[_NO_SLOT] = False
        flags[begin:end] = table[slots[begin:end]]
        table[theirs] = False
        begin, other_begin = end, other_end
    return flags


def least_found(flags: Flags, side: JoinedWords) -> Shares:
    """Of each call the share found in the stretch that matches least, or outside of copied passages if that is less."""
    sizes = side.sizes
    firsts = sizes.cumsum() - sizes
    sums = np.zeros(flags.size + 1, np.int32)
    flags.cumsum(out=sums[1:])
    stretches = (sizes * _WORST_STRETCH).astype(np.int64)
    windows = sizes - stretches + 1
    # Windows of one call follow those of another; each begins where its call does, and one further each.
    first_windows = windows.cumsum() - windows
    begins = np.arange(windows.sum()) + np.repeat(firsts - first_windows, windows)
    least = np.minimum.reduceat(sums[begins + np.repeat(stretches, windows)] - sums[begins], first_windows) / stretches
    rest = sizes - _copied(flags, side)
    gaps = sizes - side.counts(flags)
    is_rest = rest >= _SMALLEST_REST * sizes
    return np.where(is_rest, np.minimum(least, 1 - gaps / np.maximum(rest, 1)), least)


def _copied(flags: Flags, side: JoinedWords) -> Numbers:
    """Words of each call in runs of _COPIED_RUN and more that are found."""
    ends = side.sizes.cumsum()
    firsts = ends - side.sizes
    is_begin, is_last = flags.copy(), flags.copy()
    is_begin[1:] &= ~flags[:-1]
    is_last[:-1] &= ~flags[1:]
    # Runs do not reach into the next call.
    is_begin[firsts], is_last[ends - 1] = flags[firsts], flags[ends - 1]
    begins = np.flatnonzero(is_begin)
    lengths = np.flatnonzero(is_last) + 1 - begins
    is_copied = lengths >= _COPIED_RUN
    owners = np.searchsorted(ends, begins[is_copied], "right")
    return np.bincount(owners, lengths[is_copied], ends.size)


def facts_shared(new: JoinedWords, earlier: JoinedWords) -> Shares:
    """Of a speaker's names, numbers and dates the share that are words of the other call; of speakers the least.

    The agent of one call with the caller of another says what one of them cannot have heard.
    """
    return (_facts_found(new, earlier) + _facts_found(earlier, new)).min(axis=1) / 2


def _facts_found(side: JoinedWords, other: JoinedWords) -> Shares:
    """Of the other speaker's facts and of the agent's the share that are words of the other call, a row a pair."""
    count = side.sizes.size
    speakers = np.repeat(np.arange(count) * 2, side.sizes) + is_by_agent(side.words)
    # Speaker (above) and slot (below); a fact counts once however often it is named.
    facts = np.unique(((speakers << _SLOT_BITS) + (side.words >> _SHIFT))[is_masked(side.words)])
    speakers = facts >> _SLOT_BITS
    named = np.bincount(speakers, minlength=2 * count).reshape(count, 2)
    is_heard = _seen(facts & _SLOT_MASK, named.sum(axis=1), (other.words >> _SHIFT).astype(np.intp), other.sizes)
    heard = np.bincount(speakers[is_heard], minlength=2 * count).reshape(count, 2)
    return (heard + _FACTS_ASSUMED * SHARE_ASSUMED) / (named + _FACTS_ASSUMED)
