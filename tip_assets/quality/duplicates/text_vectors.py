"""Vectors of texts that were read before: a sentence that occurs again costs a model nothing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tip_assets.quality.duplicates.semantic import SentenceModel

# 30 MB of vectors of 384 numbers; a call has some 20 to 60 different texts.
_MOST_TEXTS = 20_000


class RememberedVectors:
    """A model that remembers the texts it was asked for last.

    Args:
        model: Makes the vectors.
        most: Texts remembered.
    """

    def __init__(self, model: SentenceModel, most: int = _MOST_TEXTS) -> None:
        self._model = model
        self._most = most
        self._rows: dict[str, NDArray[np.float32]] = {}

    @property
    def device(self) -> str:
        """Where the model computes."""
        return self._model.device

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        made = dict(zip(new, self._model.vectors(new), strict=True)) if new else {}
        rows = [made[text] if text in made else self._rows[text] for text in texts]
        # What was asked for last comes last, so that what is dropped was asked for longest ago.
        for text, row in zip(texts, rows, strict=True):
            self._rows.pop(text, None)
            self._rows[text] = row
        for text in list(self._rows)[: max(len(self._rows) - self._most, 0)]:
            del self._rows[text]
        return np.stack(rows) if rows else np.zeros((0, 0), dtype=np.float32)
