"""Calls that say the same rare words: candidates whose phrases are too different, or too common, for the word index.

A paraphrase keeps the names and numbers and what it is about. Counting is sparse and needs no model; whether two
calls say the same is decided by meaning.py.
"""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tip_assets.quality.word_lists import word_list
from tip_assets.quality.words import words_of
from tip_resources.domain.conversation import Conversation

_EMPTY_WORDS = word_list("features", "stopwords")
# Words are told apart by 22 bits; where two meet, they count as one that is said more often.
_SLOTS = 1 << 22
# A word of more calls than this is not rare; it finds nobody, but counts in what two calls share.
_MOST_CALLS = 64
# Of what the words of a call tell (the sum of -log of the share of calls that say each), what both must share. Above
# it lie nearly all paraphrases that words then find on two corpora, and 3 to 25 % of the other pairs.
_FLOOR = 0.33
_MOST = 3
_BLOCK_ROWS = 512


class RareWordNeighbours:
    """The words of the calls of a set: 4 bytes for each that a call says, some 200 bytes for a call of 1 kB."""

    def __init__(self) -> None:
        self._words: list[NDArray[np.int32]] = []

    def add(self, calls: Sequence[Conversation]) -> None:
        """Reads the next calls."""
        for call in calls:
            said = {word for turn in call.turns for word in words_of(turn.text)} - _EMPTY_WORDS
            slots = {zlib.crc32(word.encode("utf-8", "surrogatepass")) % _SLOTS for word in said}
            self._words.append(np.array(sorted(slots), dtype=np.int32))

    def pairs(self, counted: NDArray[np.bool_]) -> Iterator[tuple[int, int, float]]:
        """Pairs of calls with rare words in common, the later place first, and the share (0-1) of what both tell.

        A pair comes twice where each is among the nearest of the other.

        Args:
            counted: For every call added, whether it takes part. Each has its nearest three among these.
        """
        from scipy import sparse

        places = np.flatnonzero(counted)
        if not places.size:
            return
        said = [self._words[place] for place in places]
        words = np.concatenate(said)
        ends = np.cumsum([0, *(len(one) for one in said)])
        calls_with = np.bincount(words, minlength=_SLOTS)
        tells = np.log((len(said) + 1) / np.maximum(calls_with, 1))
        # Products of two rows add up what each word tells that both say.
        every = sparse.csr_matrix((np.sqrt(tells)[words].astype(np.float32), words, ends), shape=(len(said), _SLOTS))
        is_rare = (calls_with > 1) & (calls_with <= _MOST_CALLS)
        rare = every[:, np.flatnonzero(is_rare)]
        told = np.asarray(every.multiply(every).sum(axis=1)).ravel()
        for start in range(0, len(said), _BLOCK_ROWS):
            shared = (rare[start : start + _BLOCK_ROWS] @ rare.T).tocoo()
            ones, others = _best(shared.row + start, shared.col, shared.data)
            both = np.asarray(every[ones].multiply(every[others]).sum(axis=1)).ravel()
            shares = both / np.maximum(np.maximum(told[ones], told[others]), 1e-9)
            for at in np.flatnonzero(shares >= _FLOOR):
                one, other = int(places[ones[at]]), int(places[others[at]])
                yield max(one, other), min(one, other), float(shares[at])


def _best(
    rows: NDArray[np.int32], columns: NDArray[np.int32], values: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Of each row the columns with the highest values, at most _MOST and never the row itself."""
    is_other = rows != columns
    rows, columns, values = rows[is_other], columns[is_other], values[is_other]
    order = np.lexsort((columns, -values, rows))
    rows, columns = rows[order], columns[order]
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    return rows[rank < _MOST], columns[rank < _MOST]
