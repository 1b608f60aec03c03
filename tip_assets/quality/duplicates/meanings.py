"""Pairs of calls of one set whose words leave it open whether they say the same, and what their meaning decided."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import numpy as np

from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.semantic import CallPair, CandidateFinder, MeaningProgress, SemanticComparer
from tip_assets.quality.duplicates.spoken_pieces import Named, named_in
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.spool import Spool

# Pairs that the semantic tier gets at once, and calls that are read at once: some 20 s of a CPU.
_BATCH_PAIRS = 256
_BATCH_CALLS = 64
# The near misses of a call that are looked at, the most alike.
_MOST_NEAR_MISSES = 3


class _PutAside(msgspec.Struct, frozen=True):
    """A call of an open pair. It is asked about with each of those it is like, so what it names is worked out once."""

    call: Conversation
    named: Named


class Meanings:
    """Collects open pairs, has them decided, and remembers the answers. Calls are named by their place in the set.

    Takes some 150 bytes for every pair that was ever open.

    Args:
        calls: Gives the calls of the set anew each time it is called.
        folder: Where the calls of open pairs are put aside.
        comparer: Decides.
        finders: Find candidates among all calls, beside the near misses of the word index.
        progress: Is told how far it is.
    """

    def __init__(
        self,
        calls: Callable[[], Iterable[Conversation]],
        folder: Path,
        comparer: SemanticComparer,
        finders: Sequence[CandidateFinder] = (),
        progress: MeaningProgress | None = None,
    ) -> None:
        self._calls = calls
        self._folder = folder
        self._comparer = comparer
        self._finders = finders
        self._progress = progress or _tell_nobody
        # Pairs by their places, the later one first.
        self._open: dict[tuple[int, int], float] = {}
        self._different: set[tuple[int, int]] = set()
        # For each call those that say the same, with their similarity.
        self._same: dict[int, dict[int, float]] = {}

    def read_all(self, total: int) -> None:
        """Reads the whole set for what finds candidates in it."""
        if not self._finders:
            return
        remaining, done = iter(self._calls()), 0
        while batch := list(islice(remaining, _BATCH_CALLS)):
            for finder in self._finders:
                finder.add(batch)
            done += len(batch)
            self._progress("calls read", done, total)

    def match(self, place: int, near_misses: Sequence[tuple[str, float]], survived: bytearray) -> DuplicateMatch | None:
        """Of the calls that survived so far the one that says the same; near misses not known yet are to be decided.

        Args:
            place: The call.
            near_misses: Places of calls that survived, as text, with their likeness by words, the most alike first.
            survived: For every place, whether that call survived so far.
        """
        for earlier, likeness in near_misses[:_MOST_NEAR_MISSES]:
            self._ask(place, int(earlier), likeness)
        same = {other: found for other, found in self._same.get(place, {}).items() if survived[other]}
        if not same:
            return None
        best = max(same, key=lambda other: (same[other], -other))
        return DuplicateMatch(id=str(place), duplicate_of=str(best), method="semantic", similarity=same[best])

    def decide(self, survived: bytearray) -> bool:
        """Has the open pairs decided, and those found among what survived; whether any of them says the same."""
        for finder in self._finders:
            for one, other, likeness in finder.pairs(np.frombuffer(survived, dtype=np.bool_)):
                self._ask(one, other, likeness)
        pairs, self._open = sorted(self._open.items(), key=lambda pair: (-pair[1], pair[0])), {}
        is_any = False
        with Spool(self._folder / "open-pairs", _PutAside) as aside:
            numbers = self._put_aside({place for pair, _ in pairs for place in pair}, aside)
            for begin in range(0, len(pairs), _BATCH_PAIRS):
                batch = pairs[begin : begin + _BATCH_PAIRS]
                asked = [
                    _pair(aside[numbers[new]], aside[numbers[earlier]], similarity)
                    for (new, earlier), similarity in batch
                ]
                for ((new, earlier), _), found in zip(batch, self._comparer.duplicates(asked), strict=True):
                    if found is None:
                        self._different.add((new, earlier))
                        continue
                    is_any = True
                    self._same.setdefault(new, {})[earlier] = found.similarity
                    self._same.setdefault(earlier, {})[new] = found.similarity
                self._progress("pairs compared", begin + len(batch), len(pairs))
        return is_any

    def _ask(self, one: int, other: int, likeness: float) -> None:
        """To be decided, if it is not known."""
        pair = max(one, other), min(one, other)
        if pair not in self._different and other not in self._same.get(one, {}):
            self._open[pair] = max(likeness, self._open.get(pair, 0.0))

    def _put_aside(self, wanted: set[int], aside: Spool[_PutAside]) -> dict[int, int]:
        """Reads the set once more for the calls of the pairs; the number of each in the file, by its place."""
        if not wanted:
            return {}
        return {
            # Ids need not be unique, places are.
            place: aside.append(_PutAside(msgspec.structs.replace(call, id=str(place)), named_in(call.turns)))
            for place, call in enumerate(self._calls())
            if place in wanted
        }


def _pair(new: _PutAside, earlier: _PutAside, likeness: float) -> CallPair:
    return CallPair(new=new.call, earlier=earlier.call, word_similarity=likeness, named=(new.named, earlier.named))


def _tell_nobody(what: str, done: int, total: int) -> None:
    """Progress that nobody follows."""
