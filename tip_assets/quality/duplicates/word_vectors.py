"""Vectors of texts from their words alone: what meaning is compared by where no GPU reads sentences.

Knows no synonyms; a paraphrase is found by the words it kept, in order, and by the facts it names.
"""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tip_assets.quality.words import words_of

# Two words of a turn meet in one number with a chance below 1 in 1,000.
_NUMBERS = 1024


class WordVectors:
    """A text is the count of its words, hashed to 1,024 numbers and brought to length 1."""

    device = "cpu"

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text."""
        words = [words_of(text) for text in texts]
        vocabulary = {word for said in words for word in said}
        numbers = {word: zlib.crc32(word.encode("utf-8", "surrogatepass")) % _NUMBERS for word in vocabulary}
        places = np.fromiter(
            (row * _NUMBERS + numbers[word] for row, said in enumerate(words) for word in said), dtype=np.int64
        )
        counts = np.bincount(places, minlength=len(texts) * _NUMBERS).astype(np.float32).reshape(len(texts), _NUMBERS)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)
