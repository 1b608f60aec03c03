"""The semantic tier's promise: what judges, by meaning, pairs of calls that the word methods left undecided.

Who finds the pairs and fetches the calls is whole_set.py; meaning is compared in meaning.py, with the model that
sentence_model.py opens or, without it, with word_vectors.py.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_resources.domain.conversation import Conversation

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CallPair(msgspec.Struct, frozen=True, kw_only=True):
    """Two calls whose words are alike, but not enough; `word_similarity` is 0-1, as `compare` told it."""

    new: Conversation
    earlier: Conversation
    word_similarity: float


class SemanticComparer(Protocol):
    """Tells which pairs say the same in other words."""

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        """One answer a pair, in the order given: the match (method "semantic"), or None for different calls.

        Hand over as many pairs as fit in memory (some hundreds): what they share is worked out once.
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


def semantic_comparer(certainty: float) -> SemanticComparer:
    """The comparer of this machine: by sentence vectors where the extra `semantic` is installed, else by words.

    Args:
        certainty: 0-1, the setting `quality.duplicate_threshold`. How sure it must be; not a cosine.

    Raises:
        PermanentFailure: The extra is installed and its model cannot be opened; the message says how to get it.
    """
    from tip_assets.quality.duplicates.meaning import MeaningComparer
    from tip_assets.quality.duplicates.sentence_model import is_installed, open_sentence_model
    from tip_assets.quality.duplicates.word_vectors import WordVectors

    return MeaningComparer(open_sentence_model() if is_installed() else WordVectors(), certainty)
