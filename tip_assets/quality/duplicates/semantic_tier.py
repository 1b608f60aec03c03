"""The semantic tier as a run uses it: which vectors, opened when the first pair needs them, and what was done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.semantic import CallPair, CandidateFinder, SentenceModel
from tip_assets.quality.duplicates.sentence_model import open_sentence_model, sees_gpu
from tip_resources.domain.failures import PermanentFailure
from tip_resources.settings.models import QualitySettings

if TYPE_CHECKING:
    from tip_assets.quality.duplicates.meaning import MeaningComparer

Vectors = Literal["words", "sentences"]


class SemanticTier:
    """Compares by word vectors, or by a sentence model that is opened for the first pair: most small sets have none.

    Where the model cannot be opened words decide, and `said` tells so.

    Args:
        certainty: 0-1, the setting quality.duplicate_threshold.
        vectors: Which decide.
        is_everything: Candidates are found by sentence vectors too, not only by words.
        most_read: Pairs compared by sentence vectors at most; what is beyond is decided by words. On a GPU, where
            they cost little, there is no such limit.
    """

    def __init__(self, certainty: float, vectors: Vectors, *, is_everything: bool = False, most_read: int = 0) -> None:
        self._certainty = certainty
        self._vectors: Vectors = vectors
        self._is_everything = is_everything
        self._most_read = most_read
        self._comparer: MeaningComparer | None = None
        self._model: SentenceModel | None = None
        self._trouble = ""
        self._pairs = self._found = 0

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        """See `SemanticComparer`."""
        answers = self._opened().duplicates(pairs)
        self._pairs += len(pairs)
        self._found += sum(1 for answer in answers if answer is not None)
        return answers

    def finders(self) -> Sequence[CandidateFinder]:
        """What finds candidates among all calls of a set, beside the word index."""
        from tip_assets.quality.duplicates.rare_words import RareWordNeighbours

        by_words = RareWordNeighbours()
        if not self._is_everything:
            return (by_words,)
        self._opened()
        if self._model is None:
            return (by_words,)
        from tip_assets.quality.duplicates.neighbours import CallNeighbours

        return by_words, CallNeighbours(self._model)

    @property
    def said(self) -> str:
        """By which vectors it ran, on how many pairs, and what was left out."""
        trouble = f"; by words, because sentences could not be read: {self._trouble}" if self._trouble else ""
        if not self._pairs:
            return f"no pair of calls was alike enough to ask for its meaning{trouble}"
        said = f"{self._pairs} pairs of calls compared, {self._found} say the same"
        if self._comparer is None or self._model is None:
            return said + (trouble or "; by words")
        left = self._comparer.not_read
        beyond = f" and {left} more by words, because quality.semantic_pairs was reached" if left else ""
        where = "of all calls" if self._is_everything else "that words left open"
        return f"{said}; of pairs {where}, {self._comparer.read} were compared by sentences{beyond}"

    def _opened(self) -> "MeaningComparer":
        if self._comparer is None:
            from tip_assets.quality.duplicates.meaning import MeaningComparer
            from tip_assets.quality.duplicates.text_vectors import RememberedVectors

            if self._vectors == "sentences":
                try:
                    self._model = RememberedVectors(open_sentence_model())
                except PermanentFailure as failure:
                    self._trouble = str(failure)
            is_cheap = self._model is not None and self._model.device != "cpu"
            self._comparer = MeaningComparer(self._certainty, self._model, None if is_cheap else self._most_read)
        return self._comparer


def semantic_tier(quality: QualitySettings) -> tuple[SemanticTier | None, str]:
    """The tier as the settings want it, or None and why it does not run.

    "auto" means everything, by sentences, where sentence-transformers sees a GPU, and candidates by words elsewhere.
    """
    if quality.semantic == "off":
        return None, "did not run: quality.semantic is off"
    is_open = "auto" in (quality.semantic, quality.semantic_vectors) and quality.semantic_vectors != "words"
    has_gpu = is_open and sees_gpu()
    is_everything = quality.semantic == "everything" or (quality.semantic == "auto" and has_gpu)
    by_sentences = is_everything or has_gpu or quality.semantic_vectors == "sentences"
    return (
        SemanticTier(
            quality.duplicate_threshold,
            "sentences" if by_sentences else "words",
            is_everything=is_everything,
            most_read=quality.semantic_pairs,
        ),
        "",
    )
