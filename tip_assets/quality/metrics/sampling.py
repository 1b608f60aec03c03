"""A fixed-seed sample of a set that may be too big to measure whole: the same calls every time."""

import random
from collections.abc import Iterable
from typing import TypeVar

import msgspec
import polars as pl

from tip_resources.storage.sets import count_rows, read_set

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

SAMPLE_SEED = 5
# Enough that the mean of a per-call figure is known to 1/32 of its deviation; few enough to measure in seconds.
SAMPLE_CALLS = 1_000


class Sampled(msgspec.Struct, frozen=True):
    """`items` in the order of the set; `total` is how many the set holds."""

    items: tuple
    total: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out."""
        return len(self.items) == self.total

    def in_words(self) -> str:
        """`all 50 calls`, or `2,000 of 100,000 calls, drawn with seed 5`."""
        if self.is_whole:
            return f"all {self.total:,} calls" if self.total != 1 else "the one call"
        return f"{len(self.items):,} of {self.total:,} calls, drawn with seed {SAMPLE_SEED}"


def sample_of(items: Iterable[T], size: int = SAMPLE_CALLS) -> Sampled:
    """A uniform sample of a stream, held in memory at no more than `size` items (Vitter 1985, algorithm R)."""
    draw = random.Random(SAMPLE_SEED)
    kept: list[tuple[int, T]] = []
    total = 0
    for item in items:
        if total < size:
            kept.append((total, item))
        elif (place := draw.randrange(total + 1)) < size:
            kept[place] = (total, item)
        total += 1
    return Sampled(tuple(item for _, item in sorted(kept, key=lambda pair: pair[0])), total)


def sample_of_set(frame: pl.LazyFrame, kind: type[S], size: int = SAMPLE_CALLS) -> Sampled:
    """A uniform sample of a stored set: only the rows drawn become values."""
    total = count_rows(frame)
    if total <= size:
        return Sampled(tuple(read_set(frame, kind)), total)
    chosen = pl.Series("row", sorted(random.Random(SAMPLE_SEED).sample(range(total), size)), dtype=pl.UInt32)
    rows = frame.with_row_index("row").filter(pl.col("row").is_in(chosen.implode())).drop("row")
    return Sampled(tuple(read_set(rows, kind)), total)
