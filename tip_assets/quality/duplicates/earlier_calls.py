"""Calls that were delivered before the ones at hand: of other data sets, or of another file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from tip_assets.quality.duplicates.compare import compare_all
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.duplicates.thresholds import Thresholds
from tip_resources.domain.sketch import CallSketch

if TYPE_CHECKING:
    from tip_resources.database.delivered import DeliveredIndex

_STRONGEST_FIRST = ("exact", "normalized", "near", "masked")


class EarlierCalls(Protocol):
    """What was delivered before, and so always survives."""

    def repeated_by(self, sketches: Sequence[CallSketch]) -> list[RemovedCall | None]:
        """For each sketch the earlier call it duplicates, or None when it is new. Costs one look-up a batch."""
        ...


class DeliveredCalls:
    """The calls that other data sets delivered.

    Args:
        index: Finds delivered calls that share a fingerprint or a band.
        thresholds: From how much likeness on a call repeats another.
    """

    def __init__(self, index: "DeliveredIndex", thresholds: Thresholds) -> None:
        self._index = index
        self._thresholds = thresholds

    def repeated_by(self, sketches: Sequence[CallSketch]) -> list[RemovedCall | None]:
        """See `EarlierCalls`. The method that asks most is named, then the most alike call."""
        near = self._index.near(sketches)
        # Ids need not be unique, places are.
        pairs = [(place, earlier) for place, sketch in enumerate(sketches) for earlier in near.get(sketch.id, ())]
        likenesses = compare_all([(sketches[place], earlier) for place, earlier in pairs], self._thresholds)
        best: list[RemovedCall | None] = [None] * len(sketches)
        for (place, earlier), likeness in zip(pairs, likenesses, strict=True):
            if likeness.method is None:
                continue
            found = RemovedCall(
                id=sketches[place].id,
                duplicate_of=earlier.id,
                dataset_of=earlier.dataset,
                method=likeness.method,
                similarity=likeness.similarity,
            )
            before = best[place]
            if before is None or _strength(found) > _strength(before):
                best[place] = found
        return best


class CallsOfFiles:
    """The calls of other files.

    Args:
        indexes: Name of each file, as it is named where a call of it is, and the index that holds its calls.
    """

    def __init__(self, indexes: Sequence[tuple[str, DuplicateIndex]]) -> None:
        self._indexes = indexes

    def repeated_by(self, sketches: Sequence[CallSketch]) -> list[RemovedCall | None]:
        """See `EarlierCalls`. Of several files the first that has such a call is named."""
        repeated: list[RemovedCall | None] = [None] * len(sketches)
        for name, index in self._indexes:
            for place, match in enumerate(index.find_all(sketches)):
                if match is not None and repeated[place] is None:
                    repeated[place] = RemovedCall.of(match, dataset_of=name)
        return repeated


def _strength(found: RemovedCall) -> tuple[int, float]:
    return -_STRONGEST_FIRST.index(found.method), found.similarity
