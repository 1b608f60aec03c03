"""The n-grams of many texts as numbers, counted once for every measure that needs them.

An n-gram lies within one text (a call) and never crosses to the next. The numbers stand for n-grams one to one: no
hashing, so no collisions.
"""

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np

MOST_WORDS = 4


class NgramCounts(msgspec.Struct, frozen=True):
    """How often each n-gram occurs in each text: three columns of equal length, sorted by n-gram, then by text.

    The columns are of 32 bits: there are as many rows as different n-grams of texts, at most as words.
    """

    ngram: Any
    text: Any
    count: Any
    different: int

    @property
    def total(self) -> int:
        """All n-grams of all texts."""
        return int(self.count.sum())


class NgramTable:
    """`texts` are lists of words (or their numbers). Memory grows with their words, so big sets come as samples."""

    def __init__(self, texts: Sequence[Sequence[Hashable]]) -> None:
        import numpy as np

        numbers: dict[Hashable, int] = {}
        self.texts = len(texts)
        self.lengths = np.array([len(text) for text in texts], dtype=np.int64)
        words = (numbers.setdefault(word, len(numbers)) for text in texts for word in text)
        self._words = np.fromiter(words, np.int32, count=int(self.lengths.sum()))
        self._text_of = np.repeat(np.arange(self.texts, dtype=np.int32), self.lengths)
        self._vocabulary = max(len(numbers), 1)

    @cached_property
    def counts(self) -> dict[int, NgramCounts]:
        """Counts of n-grams of one to four words, by their number of words."""
        import numpy as np

        words, text_of = self._words, self._text_of
        found: dict[int, NgramCounts] = {}
        # Where each n-gram begins, and its number.
        starts, ids = np.arange(words.size, dtype=np.int32), words
        for size in range(1, MOST_WORDS + 1):
            if size > 1:
                last = starts + np.int32(size - 1)
                inside = (last < words.size) & (text_of[starts] == text_of[np.minimum(last, words.size - 1)])
                starts, last = starts[inside], last[inside]
                # The n-gram one word shorter and the word after it, as one number: far below 2**63.
                ids = _ranks(ids[inside].astype(np.int64) * self._vocabulary + words[last])
            found[size] = self._counted(ids, text_of[starts])
        return found

    def _counted(self, ids: "np.ndarray", text_of: "np.ndarray") -> NgramCounts:
        import numpy as np

        pairs = ids.astype(np.int64)
        pairs *= max(self.texts, 1)
        pairs += text_of
        pairs.sort()
        firsts = np.flatnonzero(np.diff(pairs, prepend=-1)).astype(np.int32)
        count = np.diff(firsts, append=np.int32(pairs.size))
        ngram, text = (part.astype(np.int32) for part in np.divmod(pairs[firsts], max(self.texts, 1)))
        return NgramCounts(
            ngram=ngram, text=text, count=count, different=int(np.count_nonzero(np.diff(ngram, prepend=-1)))
        )


def _ranks(keys: "np.ndarray") -> "np.ndarray":
    """For each key its place among the different ones, from 0: np.unique's inverse in less memory."""
    import numpy as np

    order = np.argsort(keys)
    is_new = np.diff(keys[order], prepend=-1) != 0
    ranks = np.empty(keys.size, np.int32)
    ranks[order] = np.cumsum(is_new, dtype=np.int32) - np.int32(1)
    return ranks
