"""Pairs of calls of one set whose words leave it open whether they say the same, and what their meaning decided."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.semantic import CallPair, SemanticComparer
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.spool import Spool

# Pairs that the semantic tier gets at once: it wants some hundreds.
_BATCH_PAIRS = 256


class Meanings:
    """Collects open pairs, has them decided, and remembers the answers. Calls are named by their place in the set.

    Args:
        calls: Gives the calls of the set anew each time it is called.
        folder: Where the calls of open pairs are put aside.
        comparer: Decides.
    """

    def __init__(self, calls: Callable[[], Iterable[Conversation]], folder: Path, comparer: SemanticComparer) -> None:
        self._calls = calls
        self._folder = folder
        self._comparer = comparer
        self._open: dict[tuple[int, int], float] = {}
        self._similarities: dict[tuple[int, int], float | None] = {}

    def match(self, place: str, near_misses: Sequence[tuple[str, float]]) -> DuplicateMatch | None:
        """What is known already of the call's near misses: the one most alike in meaning. The rest is to be decided."""
        best: DuplicateMatch | None = None
        for earlier, word_similarity in near_misses:
            pair = int(place), int(earlier)
            if pair not in self._similarities:
                self._open[pair] = word_similarity
                continue
            found = self._similarities[pair]
            if found is not None and (best is None or found > best.similarity):
                best = DuplicateMatch(id=place, duplicate_of=earlier, method="semantic", similarity=found)
        return best

    def decide(self) -> bool:
        """Has the open pairs decided; whether any of them says the same."""
        pairs, self._open = sorted(self._open.items()), {}
        if not pairs:
            return False
        is_any = False
        with Spool(self._folder / "open-pairs", Conversation) as aside:
            numbers = self._put_aside({place for pair, _ in pairs for place in pair}, aside)
            for begin in range(0, len(pairs), _BATCH_PAIRS):
                batch = pairs[begin : begin + _BATCH_PAIRS]
                asked = [
                    CallPair(new=aside[numbers[new]], earlier=aside[numbers[earlier]], word_similarity=similarity)
                    for (new, earlier), similarity in batch
                ]
                for (pair, _), found in zip(batch, self._comparer.duplicates(asked), strict=True):
                    self._similarities[pair] = None if found is None else found.similarity
                    is_any = is_any or found is not None
        return is_any

    def _put_aside(self, wanted: set[int], aside: Spool[Conversation]) -> dict[int, int]:
        """Reads the set once more for the calls of the pairs; the number of each in the file, by its place."""
        return {
            # Ids need not be unique, places are.
            place: aside.append(msgspec.structs.replace(call, id=str(place)))
            for place, call in enumerate(self._calls())
            if place in wanted
        }
