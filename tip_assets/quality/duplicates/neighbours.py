"""Earlier calls nearest in meaning, among all calls: candidates that share too few words for the word index.

Every call costs a pass through the model, so this is for machines with a GPU (`is_worth_it`); elsewhere the word
index's near misses are the only candidates. Candidates are decided on by meaning.py.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tip_assets.quality.duplicates.meaning import Said, said_by
from tip_assets.quality.duplicates.semantic import SentenceModel
from tip_resources.domain.conversation import Conversation

if TYPE_CHECKING:
    from torch import Tensor

# Calls are kept and searched in blocks of this many rows; one block of products with a batch of 500 is 16 MB.
_BLOCK_ROWS = 8_192
# One vector a call: paraphrases lie above, and so do many others, which is why they are only candidates.
_FLOOR = 0.85
_MOST = 5


def is_worth_it(model: SentenceModel) -> bool:
    """Whether the model computes on a GPU: on a CPU core it reads some 15 to 20 calls a second."""
    return model.device != "cpu"


class CallNeighbours:
    """Vectors of the calls seen so far, on the model's device: two bytes a number, 768 bytes a call.

    Args:
        model: Makes the vectors.
        floor: Smallest cosine (0-1) of a candidate.
        most: Candidates a call, best first.
    """

    def __init__(self, model: SentenceModel, floor: float = _FLOOR, most: int = _MOST) -> None:
        import torch

        self._torch = torch
        self._model = model
        self._floor = floor
        self._most = most
        self._ids: list[str] = []
        self._blocks: list[Tensor] = []

    def near(self, calls: Sequence[Conversation]) -> list[list[tuple[str, float]]]:
        """For each call the earlier ones nearest to it, with their cosine, and then remembers it.

        Earlier calls are those handed over before, and those before it in `calls`. A call too short or too long
        to be compared by meaning has no neighbours and is nobody's.
        """
        told = [(call.id, said) for call, said in zip(calls, said_by(calls, self._model), strict=True) if said]
        if not told:
            return [[] for _ in calls]
        rows = self._torch.from_numpy(np.stack([whole_vector(said) for _, said in told])).to(self._model.device).half()
        first_new = len(self._ids)
        self._ids += [id_ for id_, _ in told]
        self._blocks += rows.split(_BLOCK_ROWS)
        found = self._nearest(rows, first_new)
        return [found.get(call.id, []) for call in calls]

    def _nearest(self, rows: "Tensor", first_new: int) -> dict[str, list[tuple[str, float]]]:
        """By id; row n of `rows` is call `first_new + n`, and only calls before it count."""
        torch = self._torch
        own = torch.arange(first_new, first_new + len(rows), device=rows.device)
        best = torch.zeros((len(rows), 0), device=rows.device)
        places = torch.zeros((len(rows), 0), dtype=torch.long, device=rows.device)
        start = 0
        for block in self._blocks:
            those = torch.arange(start, start + len(block), device=rows.device)
            start += len(block)
            cosines = (rows @ block.T).float().masked_fill(those[None, :] >= own[:, None], -1.0)
            best = torch.cat([best, cosines], dim=1)
            places = torch.cat([places, those.expand(len(rows), -1)], dim=1)
            best, kept = best.topk(min(self._most, best.shape[1]), dim=1)
            places = places.gather(1, kept)
        return {
            self._ids[first_new + row]: [
                (self._ids[place], cosine)
                for place, cosine in zip(places[row].tolist(), best[row].tolist(), strict=True)
                if cosine >= self._floor
            ]
            for row in range(len(rows))
        }


def whole_vector(said: Said) -> NDArray[np.float32]:
    """One vector of length 1 for the call: the mean of its pieces by weight."""
    mean = said.weights @ said.vectors
    return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
