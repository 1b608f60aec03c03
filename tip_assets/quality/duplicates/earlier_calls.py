"""Calls that were delivered before the ones at hand: of other data sets, or of another file."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from tip_assets.quality.duplicates.compare import compare
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.duplicates.thresholds import Thresholds
from tip_resources.domain.sketch import CallSketch

if TYPE_CHECKING:
    from tip_resources.database.delivered import DeliveredIndex, DeliveredSketch

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
        return [self._repeated(sketch, near.get(sketch.id, ())) for sketch in sketches]

    def _repeated(self, sketch: CallSketch, candidates: "Iterable[DeliveredSketch]") -> RemovedCall | None:
        best: RemovedCall | None = None
        for earlier in candidates:
            likeness = compare(sketch, earlier, self._thresholds)
            if likeness.method is None:
                continue
            found = RemovedCall(
                id=sketch.id,
                duplicate_of=earlier.id,
                dataset_of=earlier.dataset,
                method=likeness.method,
                similarity=likeness.similarity,
            )
            if best is None or _strength(found) > _strength(best):
                best = found
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
        return [self._repeated(sketch) for sketch in sketches]

    def _repeated(self, sketch: CallSketch) -> RemovedCall | None:
        for name, index in self._indexes:
            if match := index.find(sketch):
                return RemovedCall.of(match, dataset_of=name)
        return None


def _strength(found: RemovedCall) -> tuple[int, float]:
    return -_STRONGEST_FIRST.index(found.method), found.similarity
