"""Vectors of texts from their words alone: what the semantic tier uses where sentence-transformers is not installed.

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
        counts = np.zeros((len(texts), _NUMBERS), dtype=np.float32)
        for row, text in zip(counts, texts, strict=True):
            for word in words_of(text):
                row[zlib.crc32(word.encode("utf-8", "surrogatepass")) % _NUMBERS] += 1.0
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)
