"""The semantic tier's promise: what judges, by meaning, pairs of calls that the word methods left undecided.

Who finds the pairs and fetches the calls is whole_set.py; how meaning is compared, turn_meaning.py.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_resources.domain.conversation import Conversation


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
