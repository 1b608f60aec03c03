"""Which calls were seen before, and which of a stream repeat an earlier one.

What other sets delivered is asked of `KnownCalls` (tip_resources/database/delivered.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from tip_assets.quality.duplicates.compare import compare, compare_all
from tip_assets.quality.duplicates.kept_calls import KeptCalls
from tip_assets.quality.duplicates.key_table import KeyTable
from tip_assets.quality.duplicates.matches import DuplicateMatch, Likeness
from tip_assets.quality.duplicates.thresholds import DEFAULT, SEMANTIC_FLOOR, Thresholds
from tip_resources.domain.sketch import CallSketch

# Candidates compared with a call: those that share most keys with it, and at least this share of its keys.
_MOST_COMPARED = 3
# A copy keeps fewer pairs of keys than keys.
_SHARED_KEYS, _SHARED_PAIRS = 0.05, 0.025
_FEWEST_SHARED = 2
_NEAR_MISSES = 5


class KnownCalls(Protocol):
    """Calls delivered elsewhere."""

    def near(self, sketches: Sequence[CallSketch]) -> Mapping[str, Sequence[CallSketch]]:
        """For each sketch's id, sketches of those that share its fingerprint or some of its keys."""
        ...


# Given a call that is new by its words, and its near misses: the call that it duplicates all the same.
Undecided = Callable[[CallSketch, list[tuple[str, float]]], DuplicateMatch | None]
_LikeCall = tuple[CallSketch, Likeness]


class _Compared(NamedTuple):
    """What a call was compared with, and how alike they are.

    Args:
        delivered: Calls delivered elsewhere.
        candidates: Calls seen before, also of the same batch, by number; those sharing most keys first.
    """

    delivered: list[_LikeCall]
    candidates: list[tuple[int, _LikeCall]]


class DuplicateIndex:
    """The calls seen so far. In memory about 1.5 kB for a call of 1 kB; with a folder about 100 bytes and its files.

    Args:
        known: Calls delivered earlier. They are there before anything is added, so what was delivered before
            always survives.
        folder: Where words and keys are written. The files serve this index alone and are nothing to keep.
        thresholds: From how much likeness on a call is a duplicate.
    """

    def __init__(
        self, known: KnownCalls | None = None, folder: Path | None = None, thresholds: Thresholds = DEFAULT
    ) -> None:
        self._known = known
        self._thresholds = thresholds
        self._calls = KeptCalls(folder)
        self._keys = KeyTable(folder)
        # First 8 bytes of the normalised fingerprint -> number of the call kept with it.
        self._texts: dict[int, int] = {}

    def find(self, sketch: CallSketch) -> DuplicateMatch | None:
        """The earlier call this one duplicates and how, or None when it is new. Adds nothing."""
        return self.find_all([sketch])[0]

    def find_all(self, batch: Sequence[CallSketch]) -> list[DuplicateMatch | None]:
        """`find` for each call, several times as fast."""
        return [self._match(sketch, compared) for sketch, compared in zip(batch, self._compared(batch), strict=True)]

    def add(self, sketch: CallSketch) -> None:
        """Remembers a call that was kept."""
        self._add_keys([sketch])
        self._keep(sketch)

    def find_or_add(self, sketch: CallSketch) -> DuplicateMatch | None:
        """`find`, and `add` when it is new."""
        return self.find_or_add_all([sketch])[0]

    def find_or_add_all(
        self, batch: Sequence[CallSketch], undecided: Undecided | None = None
    ) -> list[DuplicateMatch | None]:
        """`find_or_add` for one call after the other, several times as fast.

        Args:
            batch: The calls.
            undecided: Has the last word on a call that is new by its words; asked before the next call is looked at.
        """
        # The keys of all are added first and looked up together; a call is compared with earlier ones only.
        self._add_keys(batch)
        matches: list[DuplicateMatch | None] = []
        for sketch, compared in zip(batch, self._compared(batch), strict=True):
            match = self._match(sketch, compared)
            if match is None and undecided is not None:
                match = undecided(sketch, self._near_misses(compared))
            if match is None:
                self._keep(sketch)
            else:
                self._calls.skip()
            matches.append(match)
        return matches

    def near_misses(self, sketch: CallSketch) -> list[tuple[str, float]]:
        """Ids of earlier calls that are alike but no duplicates by their words, the most alike first, with how much."""
        return self._near_misses(self._compared([sketch])[0])

    def _near_misses(self, compared: _Compared) -> list[tuple[str, float]]:
        likenesses = [(call.id, likeness) for call, likeness in chain(compared.delivered, self._kept(compared))]
        misses = [(id_, like.similarity) for id_, like in likenesses if not like.method]
        return sorted((m for m in misses if m[1] >= SEMANTIC_FLOOR), key=lambda miss: -miss[1])[:_NEAR_MISSES]

    def _match(self, sketch: CallSketch, compared: _Compared) -> DuplicateMatch | None:
        """Calls delivered come first, then one of the same letters, then those sharing most keys."""
        for earlier, likeness in chain(compared.delivered, self._of_same_text(sketch), self._kept(compared)):
            if likeness.method:
                return DuplicateMatch(
                    id=sketch.id, duplicate_of=earlier.id, method=likeness.method, similarity=likeness.similarity
                )
        return None

    def _of_same_text(self, sketch: CallSketch) -> Iterator[_LikeCall]:
        number = self._texts.get(_text_key(sketch))
        earlier = None if number is None else self._calls.get(number)
        if earlier is not None:
            yield earlier, compare(sketch, earlier, self._thresholds)

    def _kept(self, compared: _Compared) -> Iterator[_LikeCall]:
        """The candidates but for those of the same batch that turned out as duplicates."""
        return (like_call for number, like_call in compared.candidates if self._calls.is_kept(number))

    def _compared(self, batch: Sequence[CallSketch]) -> list[_Compared]:
        """Every call with those delivered and those seen that may be alike, all pairs of the batch at once."""
        first = len(self._calls)
        known = self._known.near(batch) if self._known else {}
        delivered = [_same_text_first(sketch, known.get(sketch.id, ())) for sketch in batch]
        numbers = self._candidates(batch)
        seen: dict[int, CallSketch | None] = {first + place: sketch for place, sketch in enumerate(batch)}
        seen |= {n: self._calls.get(n) for n in set(chain.from_iterable(numbers)) if n < first}
        candidates = [[(n, call) for n in mine if (call := seen[n])] for mine in numbers]
        likenesses = iter(
            compare_all(
                [
                    (sketch, earlier)
                    for sketch, others, ours in zip(batch, delivered, candidates, strict=True)
                    for earlier in (*others, *(call for _, call in ours))
                ],
                self._thresholds,
            )
        )
        return [
            _Compared(
                [(call, next(likenesses)) for call in others],
                [(number, (call, next(likenesses))) for number, call in ours],
            )
            for others, ours in zip(delivered, candidates, strict=True)
        ]

    def _keep(self, sketch: CallSketch) -> None:
        self._texts.setdefault(_text_key(sketch), len(self._calls))
        self._calls.add(sketch)

    def _add_keys(self, batch: Sequence[CallSketch]) -> None:
        keys, owners = _keys(batch)
        self._keys.add(keys, owners + len(self._calls))

    def _candidates(self, batch: Sequence[CallSketch]) -> list[list[int]]:
        """For each call the numbers of earlier ones that share enough keys, most first, at most _MOST_COMPARED."""
        keys, owners = _keys(batch)
        found = self._keys.owners(keys, owners)
        asking = owners[found.asked]
        is_earlier = found.calls < asking + len(self._calls)
        pairs, shared = np.unique((asking[is_earlier] << 32) | found.calls[is_earlier], return_counts=True)
        keys_asked, pairs_asked = (np.bincount(who, minlength=len(batch)) for who in (owners, owners[found.pairs]))
        enough = np.maximum(_FEWEST_SHARED, keys_asked * _SHARED_KEYS + pairs_asked * _SHARED_PAIRS)
        asking = pairs >> 32
        is_enough = shared >= enough[asking]
        pairs, shared, asking = pairs[is_enough], shared[is_enough], asking[is_enough]
        order = np.lexsort((pairs, -shared, asking))
        numbers = (pairs[order] & 0xFFFFFFFF).tolist()
        starts = np.searchsorted(asking, np.arange(len(batch) + 1)).tolist()
        return [numbers[start : min(end, start + _MOST_COMPARED)] for start, end in pairwise(starts)]


def _same_text_first(sketch: CallSketch, delivered: Sequence[CallSketch]) -> list[CallSketch]:
    return sorted(delivered, key=lambda call: (call.exact != sketch.exact, call.normalized != sketch.normalized))


def _keys(batch: Sequence[CallSketch]) -> tuple[np.ndarray, np.ndarray]:
    """The keys of a batch one after the other, and the place in it of each one's call."""
    keys = np.frombuffer(b"".join([sketch.bands for sketch in batch]), "<u8").astype(np.uint64, copy=False)
    return keys, np.repeat(np.arange(len(batch)), [len(sketch.bands) // 8 for sketch in batch])


def _text_key(sketch: CallSketch) -> int:
    return int(sketch.normalized[:16], 16)
