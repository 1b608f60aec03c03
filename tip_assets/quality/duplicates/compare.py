"""How alike two calls are, from the words in their sketches; decides whether the later repeats the earlier.

Finding candidates is left to keys (bands.py), whose collisions never count here: only words do.
"""

import threading
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tip_assets.quality.duplicates.bodies import (
    Body,
    Words,
    bare,
    is_by_agent,
    is_masked,
    unpacked_body,
    without_masked,
)
from tip_assets.quality.duplicates.matches import Likeness
from tip_assets.quality.duplicates.thresholds import DEFAULT, Thresholds
from tip_assets.quality.duplicates.words import Flags
from tip_resources.domain.sketch import CallSketch

# Fewer words than this make no call that can be told from another by its words: "Hi, my bill is wrong."
FEWEST_WORDS = 24
# Of the longer call at least this share must be in the other, however well the shorter one matches.
_SMALLEST_SHARE = 0.6
# The stretch of a call that matches least decides; a splice of two calls has one of half its length.
_WORST_STRETCH = 0.4
# Words in a row that match without a gap: so long a run is a copied passage, and what lies outside is looked at alone,
# unless that is less than a fifth of the call.
_COPIED_RUN = 16
_SMALLEST_REST = 0.2

# What the names, numbers and dates of two calls weigh beside their words: the ratio of the coefficients of a logistic
# regression on pairs of three corpora (docs/duplicates.md). Facts in common fill up to this share of what is missing,
# which at a similarity of 0.65 is the same. As if each speaker named six more, of which 0.8 are found, so that few
# decide little and none change nothing.
_FACTS_WEIGHT = 0.59
_FACTS_FILL = 0.35
_FACTS_ASSUMED, _SHARE_ASSUMED = 6, 0.8

# With less than this found of a call's other words, leaving its names and numbers out does not make it a duplicate.
_PLAIN_FOUND = 0.75

_PAIR_BITS = 18
_FACTOR = np.uint32(0x9E3779B1)
_SHIFT = np.uint32(32 - _PAIR_BITS)


class _Scratch(threading.local):
    """For looking up words and pairs of words; all zero between uses. 256 kB stay in a core's cache."""

    def __init__(self) -> None:
        self.seen = np.zeros(1 << _PAIR_BITS, np.bool_)


_scratch = _Scratch()

Slots = npt.NDArray[np.intp]


def compare(new: CallSketch, earlier: CallSketch, thresholds: Thresholds = DEFAULT) -> Likeness:
    """Whether `new` repeats `earlier`, and how alike they are by their words.

    Hashes of the whole text are compared first. Then a word of one call counts as found in the other when it stands
    there next to the same neighbour (next or next but one). What counts is the share found in the stretch of 40 % of
    the call that matches least, and outside of copied passages, whichever is less; of the two calls the one with the
    higher share, so that a call with turns dropped is as similar as a whole one. Halves of two calls joined together
    match in one half only. `similarity` is this share, more where the calls name the same names, numbers and dates and
    less where they do not: two calls of one scenario say much the same about other things. Where nearly all other
    words are the same, the names and numbers do not count (method "masked").
    """
    if new.exact == earlier.exact:
        return Likeness("exact", 1.0)
    if new.normalized == earlier.normalized:
        return Likeness("normalized", 1.0)
    ours, theirs = unpacked_body(new.body), unpacked_body(earlier.body)
    return _by_words(ours, theirs, thresholds) if ours and theirs else Likeness(None, 0.0)


def _by_words(ours: Body, theirs: Body, thresholds: Thresholds) -> Likeness:
    level = max(ours.level, theirs.level)
    new_words, earlier_words = ours.sampled(level), theirs.sampled(level)
    by_words, flags = _found_words(new_words, earlier_words)
    if not flags:
        return Likeness(None, by_words)
    if by_words + (1 - by_words) * _FACTS_FILL >= thresholds.near:
        by_words = _with_facts(by_words, _facts_shared(new_words, earlier_words))
    if by_words >= thresholds.near:
        return Likeness("near", by_words)
    plain = [_share(found[~is_masked(words)]) for found, words in zip(flags, (new_words, earlier_words), strict=True)]
    if max(plain) >= _PLAIN_FOUND:
        by_plain_words = _found_words(without_masked(new_words), without_masked(earlier_words)).least
        if by_plain_words >= thresholds.masked:
            return Likeness("masked", by_plain_words)
    return Likeness(None, by_words)


class _Found(NamedTuple):
    """How much of two calls is found in each other.

    Args:
        least: 0-1: of the two calls the higher share found in what matches least; 0.0 for too few words.
        flags: For each word of both whether the other has it next to the same neighbour; empty where less than
            _SMALLEST_SHARE is found.
    """

    least: float
    flags: tuple[Flags, ...]


def _found_words(new: Words, earlier: Words) -> _Found:
    if min(new.size, earlier.size) < FEWEST_WORDS:
        return _Found(0.0, ())
    new_pairs, earlier_pairs = _pairs(new), _pairs(earlier)
    in_new = _found(new.size, new_pairs, earlier_pairs)
    if (share := _share(in_new)) < _SMALLEST_SHARE:
        return _Found(share, ())
    in_earlier = _found(earlier.size, earlier_pairs, new_pairs)
    if (share := _share(in_earlier)) < _SMALLEST_SHARE:
        return _Found(share, ())
    return _Found(max(_least(in_new), _least(in_earlier)), (in_new, in_earlier))


def _share(found: Flags) -> float:
    return int(np.count_nonzero(found)) / max(found.size, 1)


class _Pairs(NamedTuple):
    """Slots of each word with the next one and with the next but one."""

    next: Slots
    next_but_one: Slots


def _pairs(words: Words) -> _Pairs:
    words = bare(words)
    turned = words * _FACTOR
    return _Pairs(
        (((turned[:-1] ^ words[1:]) * _FACTOR) >> _SHIFT).astype(np.intp),
        (((turned[:-2] ^ words[2:]) * _FACTOR) >> _SHIFT).astype(np.intp),
    )


def _found(size: int, pairs: _Pairs, others: _Pairs) -> Flags:
    """For each word of a call whether the other call has it next to the same neighbour."""
    seen = _scratch.seen
    seen[others.next] = True
    seen[others.next_but_one] = True
    is_next, is_next_but_one = seen[pairs.next], seen[pairs.next_but_one]
    seen[others.next] = False
    seen[others.next_but_one] = False
    found = np.zeros(size, np.bool_)
    found[:-1] = is_next
    found[1:] |= is_next
    found[:-2] |= is_next_but_one
    found[2:] |= is_next_but_one
    return found


def _with_facts(by_words: float, shared: float) -> float:
    over = shared - _SHARE_ASSUMED
    if over > 0:
        return by_words + (1 - by_words) * _FACTS_FILL * over / (1 - _SHARE_ASSUMED)
    return max(by_words + _FACTS_WEIGHT * over, 0.0)


def _facts_shared(new: Words, earlier: Words) -> float:
    """0-1: of a speaker's names, numbers and dates the share that are words of the other call; of speakers the least.

    The agent of one call with the caller of another says what one of them cannot have heard.
    """
    new_agent, new_other = _facts_found(new, earlier)
    earlier_agent, earlier_other = _facts_found(earlier, new)
    return min(new_agent + earlier_agent, new_other + earlier_other) / 2


def _facts_found(words: Words, others: Words) -> tuple[float, float]:
    """Of the agent's facts and of the other speaker's the share that are words of the other call."""
    slots = (others >> _SHIFT).astype(np.intp)
    facts = words[is_masked(words)]
    by_agent = is_by_agent(facts)
    places = (facts >> _SHIFT).astype(np.intp)
    seen = _scratch.seen
    seen[slots] = True
    found = seen[places]
    seen[slots] = False
    return _share_of_facts(places[by_agent], found[by_agent]), _share_of_facts(places[~by_agent], found[~by_agent])


def _share_of_facts(facts: Slots, found: Flags) -> float:
    """A fact counts once however often it is named."""
    named, heard = len(set(facts.tolist())), len(set(facts[found].tolist()))
    return (heard + _FACTS_ASSUMED * _SHARE_ASSUMED) / (named + _FACTS_ASSUMED)


def _least(found: Flags) -> float:
    """The share found in the stretch that matches least, or outside of copied passages where that is less."""
    stretch = max(int(found.size * _WORST_STRETCH), 1)
    sums = np.zeros(found.size + 1, np.int32)
    found.cumsum(out=sums[1:])
    least = int((sums[stretch:] - sums[:-stretch]).min()) / stretch
    gaps = (~found).nonzero()[0]
    if not gaps.size:
        return least
    runs = gaps[1:] - gaps[:-1]
    runs = runs[runs > _COPIED_RUN]
    at_ends = [run for run in (int(gaps[0]), found.size - 1 - int(gaps[-1])) if run >= _COPIED_RUN]
    copied = int(runs.sum()) - runs.size + sum(at_ends)
    rest = found.size - copied
    if rest < _SMALLEST_REST * found.size:
        return least
    return min(least, 1 - gaps.size / rest)
