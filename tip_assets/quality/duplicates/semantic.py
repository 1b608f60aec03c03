"""The semantic tier's promises: what judges pairs of calls by meaning, and what tells how far it is.

Who finds the pairs is whole_set.py; meaning is compared in meaning.py, with the vectors that semantic_tier.py chooses.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.spoken_pieces import Named
from tip_resources.domain.conversation import Conversation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CallPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two calls whose words are alike, but not enough; `word_similarity` is 0-1, as `compare` told it.

    `named` is what the new and the earlier one name, where that was worked out before.
    """

    new: Conversation
    earlier: Conversation
    word_similarity: float
    named: tuple[Named, Named] | None = None


class SemanticComparer(Protocol):
    """Tells which pairs say the same in other words."""

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        """One answer a pair, in the order given: the match (method "semantic"), or None for different calls.

        Hand over as many pairs as fit in memory (some hundreds), those that matter most first: what they share is
        worked out once. Among them an id names one call.
        """
        ...


class CandidateFinder(Protocol):
    """Finds pairs of calls of a set that may say the same, among all of them."""

    def add(self, calls: Sequence[Conversation]) -> None:
        """Reads the next calls of the set."""
        ...

    def pairs(self, counted: "NDArray[np.bool_]") -> Iterator[tuple[int, int, float]]:
        """Pairs of places, the later first, with how alike the calls are (0-1); a pair may come more than once.

        Args:
            counted: For every call added, whether it takes part.
        """
        ...


class SentenceModel(Protocol):
    """Turns texts into vectors of length 1 whose product tells how near their meanings are."""

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda", "mps"."""
        ...

    def vectors(self, texts: Sequence[str]) -> "NDArray":
        """One row of 32-bit floats a text."""
        ...


class MeaningProgress(Protocol):
    """Is told how far the comparison by meaning is, some hundreds of calls or pairs at a time."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """`what` is counted: "calls read", "pairs compared". A total may grow when more is found to compare."""
        ...
