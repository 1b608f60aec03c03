"""Calls nearest in meaning, among all calls of a set: candidates that share too few words for the word index.

Every call costs a pass through the model, so this is for machines with a GPU; elsewhere the word index's near misses
are the only candidates unless everything is asked for. Candidates are decided on by meaning.py.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tip_assets.quality.duplicates.meaning import Said, said_by
from tip_assets.quality.duplicates.semantic import SentenceModel
from tip_resources.domain.conversation import Conversation

if TYPE_CHECKING:
    from torch import Tensor  # pyright: ignore[reportMissingImports] - the extra semantic

# Calls are searched for in blocks of this many rows; the products of two blocks are 64 MB.
_BLOCK_ROWS = 4_096
# One vector a call: paraphrases lie above, and so do many others, which is why they are only candidates.
_FLOOR = 0.85
_MOST = 5


class CallNeighbours:
    """Vectors of the calls of a set, on the model's device: two bytes a number, 768 bytes a call.

    Args:
        model: Makes the vectors.
        floor: Smallest cosine (0-1) of a candidate.
        most: Candidates a call, best first.
    """

    def __init__(self, model: SentenceModel, floor: float = _FLOOR, most: int = _MOST) -> None:
        self._model = model
        self._floor = floor
        self._most = most
        self._blocks: list[Tensor] = []
        self._told: list[NDArray[np.bool_]] = []

    def add(self, calls: Sequence[Conversation]) -> None:
        """Reads the next calls; one too short or too long to be compared by meaning has no neighbours."""
        import torch  # pyright: ignore[reportMissingImports] - the extra semantic

        said = said_by(calls, self._model)
        self._told.append(np.array([one is not None for one in said], dtype=bool))
        if rows := [whole_vector(one) for one in said if one]:
            self._blocks.append(torch.from_numpy(np.stack(rows)).to(self._model.device).half())

    def pairs(self, counted: NDArray[np.bool_]) -> Iterator[tuple[int, int, float]]:
        """Pairs of calls that are near each other, with their cosine: two places, the later one first.

        A pair comes twice where each is among the nearest of the other.

        Args:
            counted: For every call added, whether it takes part. Each has its nearest `most` among these.
        """
        if not self._blocks:
            return
        import torch  # pyright: ignore[reportMissingImports] - the extra semantic

        told = np.concatenate(self._told)
        places = np.flatnonzero(told & counted)
        rows = torch.cat(self._blocks)[torch.from_numpy(counted[told]).to(self._model.device)]
        for start in range(0, len(rows), _BLOCK_ROWS):
            best, found = self._nearest(rows, start)
            near = (best >= self._floor).cpu().numpy()
            for row, column in zip(*np.nonzero(near), strict=True):
                one, other = int(places[start + row]), int(places[int(found[row, column])])
                yield max(one, other), min(one, other), float(best[row, column])

    def _nearest(self, rows: "Tensor", start: int) -> "tuple[Tensor, Tensor]":
        """For the block of rows at `start` the best cosines with other rows, and which rows these are."""
        import torch  # pyright: ignore[reportMissingImports] - the extra semantic

        own = rows[start : start + _BLOCK_ROWS]
        numbers = torch.arange(start, start + len(own), device=rows.device)
        best = torch.zeros((len(own), 0), device=rows.device)
        found = torch.zeros((len(own), 0), dtype=torch.long, device=rows.device)
        for begin in range(0, len(rows), _BLOCK_ROWS):
            those = torch.arange(begin, min(begin + _BLOCK_ROWS, len(rows)), device=rows.device)
            cosines = (own @ rows[those].T).float().masked_fill(those[None, :] == numbers[:, None], -1.0)
            best = torch.cat([best, cosines], dim=1)
            found = torch.cat([found, those.expand(len(own), -1)], dim=1)
            best, kept = best.topk(min(self._most, best.shape[1]), dim=1)
            found = found.gather(1, kept)
        return best.cpu(), found.cpu()


def whole_vector(said: Said) -> NDArray[np.float32]:
    """One vector of length 1 for the call: the mean of its pieces by weight."""
    mean = said.weights @ said.vectors
    return (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
