"""The n-grams of many texts as numbers, counted once for every measure that needs them.

An n-gram lies within one text (a call) and never crosses to the next. The numbers stand for n-grams one to one: no
hashing, so no collisions.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import numpy as np

MOST_WORDS = 4


class NgramCounts(msgspec.Struct, frozen=True):
    """How often each n-gram occurs in each text: three columns of equal length, sorted by n-gram, then by text."""

    ngram: Any
    text: Any
    count: Any
    different: int

    @property
    def total(self) -> int:
        """All n-grams of all texts."""
        return int(self.count.sum())


class NgramTable:
    """`texts` are lists of words. Memory grows with their words, so big sets come as samples."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        import numpy as np

        numbers: dict[str, int] = {}
        self.texts = len(texts)
        self.lengths = np.array([len(text) for text in texts], dtype=np.int64)
        self._words = np.array([numbers.setdefault(word, len(numbers)) for text in texts for word in text], np.int64)
        self._text_of = np.repeat(np.arange(self.texts, dtype=np.int64), self.lengths)
        self._vocabulary = max(len(numbers), 1)

    @cached_property
    def counts(self) -> dict[int, NgramCounts]:
        """Counts of n-grams of one to four words, by their number of words."""
        import numpy as np

        words, text_of = self._words, self._text_of
        found: dict[int, NgramCounts] = {}
        # Where each n-gram begins, and its number.
        starts, ids = np.arange(words.size), words
        for size in range(1, MOST_WORDS + 1):
            if size > 1:
                last = starts + size - 1
                inside = (last < words.size) & (text_of[starts] == text_of[np.minimum(last, words.size - 1)])
                starts, ids = starts[inside], ids[inside]
                # The n-gram one word shorter and the word after it, as one number: far below 2**63.
                _, ids = np.unique(ids * self._vocabulary + words[starts + size - 1], return_inverse=True)
            found[size] = self._counted(ids, text_of[starts])
        return found

    def _counted(self, ids: "np.ndarray", text_of: "np.ndarray") -> NgramCounts:
        import numpy as np

        pairs, count = np.unique(ids * max(self.texts, 1) + text_of, return_counts=True)
        ngram, text = pairs // max(self.texts, 1), pairs % max(self.texts, 1)
        return NgramCounts(ngram=ngram, text=text, count=count, different=int(np.unique(ngram).size))
