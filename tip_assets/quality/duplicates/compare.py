"""How alike two calls are, from the words in their sketches; decides whether the later repeats the earlier.

Finding candidates is left to keys (bands.py), whose collisions never count here: only words do. How much of two calls
is found in each other is worked out in alike.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, Self

import numpy as np

from tip_assets.quality.duplicates.alike import (
    SHARE_ASSUMED,
    Shares,
    facts_shared,
    found,
    least_found,
)
from tip_assets.quality.duplicates.bodies import JoinedWords, is_masked, joined_words
from tip_assets.quality.duplicates.matches import Likeness
from tip_assets.quality.duplicates.thresholds import DEFAULT, Thresholds
from tip_assets.quality.duplicates.words import Flags, Numbers
from tip_resources.domain.sketch import CallSketch

# Fewer words than this make no call that can be told from another by its words: "Hi, my bill is wrong."
FEWEST_WORDS = 24
# Of the longer call at least this share must be in the other, however well the shorter one matches.
_SMALLEST_SHARE = 0.6
# What the names, numbers and dates of two calls weigh beside their words: the ratio of the coefficients of a logistic
# regression on pairs of three corpora (docs/duplicates.md). Facts in common fill up to this share of what is missing,
# which at a similarity of 0.65 is the same.
_FACTS_WEIGHT = 0.59
_FACTS_FILL = 0.35
# With less than this found of a call's other words, leaving its names and numbers out does not make it a duplicate.
_PLAIN_FOUND = 0.75

# Words of so many bytes are compared at once, some hundred pairs: the cost of a numpy call is shared by them, and long
# calls do not take much memory.
_BYTES_AT_ONCE = 1 << 20

CallPair = tuple[CallSketch, CallSketch]


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
    return compare_all([(new, earlier)], thresholds)[0]


def compare_all(pairs: Sequence[CallPair], thresholds: Thresholds = DEFAULT) -> list[Likeness]:
    """`compare` for pairs of a new and an earlier call, several times as fast where there are many."""
    likenesses = [_by_hashes(new, earlier) for new, earlier in pairs]
    open_pairs = (pair for pair, likeness in zip(pairs, likenesses, strict=True) if likeness is None)
    by_words = chain.from_iterable(_by_words(some, thresholds) for some in _at_once(open_pairs))
    return [next(by_words) if likeness is None else likeness for likeness in likenesses]


def _by_hashes(new: CallSketch, earlier: CallSketch) -> Likeness | None:
    """None where words decide."""
    if new.exact == earlier.exact:
        return Likeness("exact", 1.0)
    if new.normalized == earlier.normalized:
        return Likeness("normalized", 1.0)
    return None


def _at_once(pairs: Iterable[CallPair]) -> Iterator[list[CallPair]]:
    some: list[CallPair] = []
    size = 0
    for pair in pairs:
        some.append(pair)
        size += len(pair[0].body) + len(pair[1].body)
        if size >= _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def _by_words(pairs: Sequence[CallPair], thresholds: Thresholds) -> list[Likeness]:
    similarities, alike = _alike(*joined_words([new.body for new, _ in pairs], [earlier.body for _, earlier in pairs]))
    methods = np.full(len(pairs), None)
    if alike.pairs.size:
        by_words = _with_facts(similarities[alike.pairs], alike, thresholds.near)
        similarities[alike.pairs] = by_words
        is_near = by_words >= thresholds.near
        methods[alike.pairs[is_near]] = "near"
        masked, by_plain_words = _masked(alike.of(~is_near), thresholds.masked)
        similarities[masked] = by_plain_words
        methods[masked] = "masked"
    return list(map(Likeness, methods.tolist(), similarities.tolist()))


class _Alike(NamedTuple):
    """Pairs of calls much of which is found in each other.

    Args:
        pairs: Their places among all pairs.
        new: The words of the new calls.
        earlier: Those of the earlier ones.
        in_new: For each of the new words whether the earlier call has it next to the same neighbour.
        in_earlier: The other way round.
    """

    pairs: Numbers
    new: JoinedWords
    earlier: JoinedWords
    in_new: Flags
    in_earlier: Flags

    def of(self, pairs: Flags) -> Self:
        """These pairs alone."""
        new, earlier = self.new, self.earlier
        in_new, in_earlier = self.in_new[new.each(pairs)], self.in_earlier[earlier.each(pairs)]
        return type(self)(self.pairs[pairs], new.of(pairs), earlier.of(pairs), in_new, in_earlier)


def _alike(new: JoinedWords, earlier: JoinedWords) -> tuple[Shares, _Alike]:
    """The shares found of all pairs, and those pairs of whose calls at least _SMALLEST_SHARE is found.

    A share is, of the two calls the higher one, what is found in the stretch that matches least; of the other pairs
    what is found of one call; 0.0 for too few words.
    """
    least = np.zeros(new.sizes.size)
    is_open = np.minimum(new.sizes, earlier.sizes) >= FEWEST_WORDS
    pairs, new, earlier = np.flatnonzero(is_open), new.of(is_open), earlier.of(is_open)
    in_new = found(new, earlier)
    least[pairs] = shares = new.counts(in_new) / new.sizes
    # Most pairs end here.
    is_open = shares >= _SMALLEST_SHARE
    pairs, in_new, new, earlier = pairs[is_open], in_new[new.each(is_open)], new.of(is_open), earlier.of(is_open)
    in_earlier = found(earlier, new)
    least[pairs] = shares = earlier.counts(in_earlier) / earlier.sizes
    alike = _Alike(pairs, new, earlier, in_new, in_earlier).of(shares >= _SMALLEST_SHARE)
    if alike.pairs.size:
        least[alike.pairs] = np.maximum(
            least_found(alike.in_new, alike.new), least_found(alike.in_earlier, alike.earlier)
        )
    return least, alike


def _with_facts(shares: Shares, alike: _Alike, threshold: float) -> Shares:
    """The shares found, moved by the facts where these could make duplicates."""
    is_open = shares + (1 - shares) * _FACTS_FILL >= threshold
    if not is_open.any():
        return shares
    by_words = shares[is_open]
    over = facts_shared(alike.new.of(is_open), alike.earlier.of(is_open)) - SHARE_ASSUMED
    more = by_words + (1 - by_words) * _FACTS_FILL * over / (1 - SHARE_ASSUMED)
    shares[is_open] = np.where(over > 0, more, np.maximum(by_words + _FACTS_WEIGHT * over, 0.0))
    return shares


def _masked(alike: _Alike, threshold: float) -> tuple[Numbers, Shares]:
    """The pairs that are duplicates without their names and numbers, and the shares found of their other words."""
    is_open = np.maximum(_plain_found(alike.in_new, alike.new), _plain_found(alike.in_earlier, alike.earlier))
    alike = alike.of(is_open >= _PLAIN_FOUND)
    if not alike.pairs.size:
        return alike.pairs, np.zeros(0)
    shares, _ = _alike(alike.new.without_masked(), alike.earlier.without_masked())
    is_masked = shares >= threshold
    return alike.pairs[is_masked], shares[is_masked]


def _plain_found(flags: Flags, side: JoinedWords) -> Shares:
    """Of the words of each call that are no names and no numbers the share that is found."""
    is_plain = ~is_masked(side.words)
    return side.counts(flags & is_plain) / np.maximum(side.counts(is_plain), 1)
