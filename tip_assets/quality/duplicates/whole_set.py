"""Which calls of a whole set survive: two passes over the calls, a few bytes of memory for each.

The first pass puts their sketches aside in a file. Then every call is compared, the worthiest first, with those that
survived so far: so each removed call repeats one that is still there. The second pass, over the calls again, keeps
what survived. Pairs of calls that only meaning can decide are handled in meanings.py.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np

from tip_assets.quality.duplicates.comparison import Comparison, Keep, sketched
from tip_assets.quality.duplicates.earlier_calls import EarlierCalls
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.matches import DuplicateMatch, DuplicateMethod
from tip_assets.quality.duplicates.meanings import Meanings
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.duplicates.semantic import CandidateFinder, MeaningProgress, SemanticComparer
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.sketch import CallSketch
from tip_resources.storage.spool import Spool

# Calls compared at once, several times as fast as one by one.
_BATCH_CALLS = 256
_METHODS: tuple[DuplicateMethod, ...] = get_args(DuplicateMethod)
# What a call repeats: nothing, the call at a place (from 0), or the first, second, ... that was delivered before.
_NOTHING, _FIRST_BEFORE = -1, -2


class Survivors:
    """What became of every call of a set, by its place in it. Close it: sketches lie in a file until then."""

    def __init__(self, folder: Path) -> None:
        self.sketches: Spool[CallSketch] = Spool(folder / "sketches", CallSketch)
        self._before: Spool[RemovedCall] = Spool(folder / "delivered-before", RemovedCall)
        self._repeats = array("q")
        self._methods = bytearray()
        self._similarities = array("d")

    def __len__(self) -> int:
        return len(self._repeats)

    def add(self, sketch: CallSketch, before: RemovedCall | None) -> None:
        """The next call of the set, and what was delivered before that it repeats."""
        self.sketches.append(sketch)
        self._repeats.append(_NOTHING if before is None else _FIRST_BEFORE - self._before.append(before))
        self._methods.append(0)
        self._similarities.append(0.0)

    def judge(self, place: int, match: DuplicateMatch | None) -> None:
        """The call at `place` repeats the one at the place that the match names, or it survives."""
        self._repeats[place] = _NOTHING if match is None else int(match.duplicate_of)
        self._methods[place] = 0 if match is None else _METHODS.index(match.method)
        self._similarities[place] = 0.0 if match is None else match.similarity

    def is_delivered_before(self, place: int) -> bool:
        """Whether the call at `place` repeats one that was delivered before."""
        return self._repeats[place] <= _FIRST_BEFORE

    def survived(self) -> bytearray:
        """For every place, 1 where the call survived."""
        return bytearray(repeated == _NOTHING for repeated in self._repeats)

    def kept(self, calls: Iterable[Conversation]) -> Iterator[Conversation]:
        """Of the calls of the set, in order, those that survived."""
        for place, conversation in enumerate(calls):
            if self._repeats[place] == _NOTHING:
                yield conversation

    def judged(self, calls: Iterable[Conversation]) -> Iterator[tuple[Conversation, RemovedCall | None]]:
        """The calls of the set, in order, each with what became of it: None for those that survived."""
        for place, conversation in enumerate(calls):
            yield conversation, self._removed(place)

    def removed(self) -> Iterator[RemovedCall]:
        """What was left out, in order."""
        for place in range(len(self._repeats)):
            removed = self._removed(place)
            if removed is not None:
                yield removed

    def close(self) -> None:
        """Deletes the files."""
        self.sketches.close()
        self._before.close()

    def _removed(self, place: int) -> RemovedCall | None:
        repeated = self._repeats[place]
        if repeated == _NOTHING:
            return None
        if repeated <= _FIRST_BEFORE:
            return self._before[_FIRST_BEFORE - repeated]
        return RemovedCall(
            id=self.sketches[place].id,
            duplicate_of=self.sketches[repeated].id,
            method=_METHODS[self._methods[place]],
            similarity=self._similarities[place],
        )


def find_survivors(
    calls: Callable[[], Iterable[Conversation]],
    folder: Path,
    comparison: Comparison,
    *,
    earlier: EarlierCalls | None = None,
    semantic: SemanticComparer | None = None,
    finders: Sequence[CandidateFinder] = (),
    progress: MeaningProgress | None = None,
) -> Survivors:
    """Decides which calls of a set survive.

    Args:
        calls: Gives the calls anew each time it is called, always the same ones in the same order.
        folder: An empty folder for what is put aside.
        comparison: How they are compared.
        earlier: What was delivered before: a call that repeats it never survives.
        semantic: Decides on pairs of the set whose words leave it open; None: that tier does not run. What was
            delivered before is compared by words alone: its text is not at hand.
        finders: Find such pairs among all calls, beside those that the word index names.
        progress: Is told how far the comparison by meaning is.
    """
    survivors = Survivors(folder)
    scores = _put_aside(calls(), survivors, comparison, earlier)
    order = _worthiest_first(scores, comparison.keep)
    meanings = None
    if semantic is not None:
        meanings = Meanings(calls, folder, semantic, finders, progress)
        meanings.read_all(len(scores))
    _compare(order, survivors, comparison, folder, meanings)
    # A call that fell by its meaning may have been the one that others repeat: all are compared once more, until
    # there is no pair left whose meaning nobody looked at.
    while meanings is not None and meanings.decide(survivors.survived()):
        _compare(order, survivors, comparison, folder, meanings)
    return survivors


def first_survive(
    calls: Iterable[Conversation],
    comparison: Comparison,
    *,
    folder: Path | None = None,
    earlier: EarlierCalls | None = None,
) -> Iterator[tuple[Conversation, RemovedCall | None]]:
    """Every call with the earlier one it repeats, in one pass: what was delivered before survives, then the first.

    Args:
        calls: In order.
        comparison: How they are compared; `keep` is "first" here.
        folder: Where the index keeps what does not fit in memory; None for in memory.
        earlier: What was delivered before.
    """
    index = DuplicateIndex(folder=folder, thresholds=comparison.thresholds)
    for batch in sketched(calls, comparison.methods):
        before = earlier.repeated_by([sketch for _, sketch in batch]) if earlier else [None] * len(batch)
        new = [sketch for (_, sketch), known in zip(batch, before, strict=True) if known is None]
        matches = iter(index.find_or_add_all(new))
        for (conversation, _), known in zip(batch, before, strict=True):
            match = next(matches) if known is None else None
            yield conversation, known or (None if match is None else RemovedCall.of(match))


def _put_aside(
    calls: Iterable[Conversation], survivors: Survivors, comparison: Comparison, earlier: EarlierCalls | None
) -> array:
    """Sketches of all calls into the survivors' file. Returns their quick scores; -1 where there is none."""
    scores = array("d")
    for batch in sketched(calls, comparison.methods):
        before = earlier.repeated_by([sketch for _, sketch in batch]) if earlier else [None] * len(batch)
        for (conversation, sketch), known in zip(batch, before, strict=True):
            survivors.add(sketch, known)
            grade = conversation.annotations.grade
            scores.append(-1.0 if grade is None else grade.overall)
    return scores


def _worthiest_first(scores: array, keep: Keep) -> Iterable[int]:
    """Places in the order in which calls are compared."""
    if keep == "first":
        return range(len(scores))
    return np.argsort(-np.frombuffer(scores, dtype=np.float64), kind="stable").tolist() if scores else ()


def _compare(
    order: Iterable[int], survivors: Survivors, comparison: Comparison, folder: Path, meanings: Meanings | None
) -> None:
    """Compares every call with those that survived before it; places stand for ids, which need not be unique."""
    on_disk = folder / "index"
    on_disk.mkdir(exist_ok=True)
    index = DuplicateIndex(folder=on_disk, thresholds=comparison.thresholds)
    survived = bytearray(len(survivors))

    def decide_by_meaning(sketch: CallSketch, near_misses: Sequence[tuple[str, float]]) -> DuplicateMatch | None:
        assert meanings is not None
        place = int(sketch.id)
        match = meanings.match(place, near_misses, survived)
        survived[place] = match is None
        return match

    places = (place for place in order if not survivors.is_delivered_before(place))
    while batch := list(islice(places, _BATCH_CALLS)):
        named = [msgspec.structs.replace(survivors.sketches[place], id=str(place)) for place in batch]
        matches = index.find_or_add_all(named, None if meanings is None else decide_by_meaning)
        for place, match in zip(batch, matches, strict=True):
            survivors.judge(place, match)
