"""The semantic tier as a run uses it: opened when the first pair needs it, and saying plainly whether it ran."""

from collections.abc import Sequence
from importlib.util import find_spec

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.semantic import CallPair, SemanticComparer, semantic_comparer
from tip_resources.domain.failures import PermanentFailure
from tip_resources.settings.models import QualitySettings


class SemanticTier:
    """A comparer that opens its model for the first pair: most small sets have none.

    Where it cannot be opened, no pair is a duplicate by meaning, and `said` tells why.

    Args:
        certainty: 0-1, the setting quality.duplicate_threshold.
    """

    def __init__(self, certainty: float) -> None:
        self._certainty = certainty
        self._comparer: SemanticComparer | None = None
        self._trouble = ""
        self._pairs = self._found = 0

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        """See `SemanticComparer`."""
        self._open()
        if self._comparer is None:
            return [None] * len(pairs)
        answers = self._comparer.duplicates(pairs)
        self._pairs += len(pairs)
        self._found += sum(1 for answer in answers if answer is not None)
        return answers

    @property
    def said(self) -> str:
        """Whether it ran, on how many pairs, or why it did not."""
        if self._trouble:
            return f"did not run: {self._trouble}"
        if not self._pairs:
            return "no pair of calls was alike enough to ask for its meaning"
        return f"{self._pairs} pairs of calls compared, {self._found} say the same"

    def _open(self) -> None:
        if self._comparer is not None or self._trouble:
            return
        try:
            self._comparer = semantic_comparer(self._certainty)
        except PermanentFailure as failure:
            self._trouble = str(failure)


def semantic_tier(quality: QualitySettings) -> tuple[SemanticTier | None, str]:
    """The tier as the settings want it, or None and why it does not run."""
    if quality.semantic == "off":
        return None, "did not run: quality.semantic is off"
    if find_spec("sentence_transformers") is None:
        return None, "did not run: the extra `semantic` is not installed"
    return SemanticTier(quality.duplicate_threshold), ""
