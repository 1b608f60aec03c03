"""A fixed-seed sample of a set that may be too big to measure whole: the same calls every time."""

import random
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
import polars as pl

from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.storage.sets import count_rows, read_set

T = TypeVar("T")

SAMPLE_SEED = 5
# Enough that the mean of a per-call figure is known to 1/32 of its deviation; few enough to measure in seconds.
SAMPLE_CALLS = 1_000
# Of all calls of a sample together; measuring them takes some 15 times as much memory. A thousand calls of 80 to 150
# exchanges have 12 to 20 million.
SAMPLE_CHARACTERS = 24_000_000
# The words of a longer call would fill the memory.
MOST_CHARACTERS = 1_000_000


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


def sample_of(
    items: Iterable[T],
    size: int = SAMPLE_CALLS,
    *,
    room: int = SAMPLE_CHARACTERS,
    room_of: Callable[[T], int] = lambda _: 0,
) -> Sampled:
    """A uniform sample of a stream, held in memory (Vitter 1985, algorithm R).

    Args:
        items: Each once.
        size: Items that are kept at most.
        room: What those kept may take together. Beyond it items drawn by lot go, and as many fewer are kept from
            then on; one item always stays.
        room_of: What an item takes of it.
    """
    draw = random.Random(SAMPLE_SEED)
    kept: list[tuple[int, T]] = []
    total = taken = 0
    for item in items:
        if total < size:
            kept.append((total, item))
            taken += room_of(item)
        elif (place := draw.randrange(total + 1)) < size:
            taken += room_of(item) - room_of(kept[place][1])
            kept[place] = (total, item)
        total += 1
        while taken > room and len(kept) > 1:
            _, gone = kept.pop(draw.randrange(len(kept)))
            taken -= room_of(gone)
            size = len(kept)
    return Sampled(tuple(item for _, item in sorted(kept, key=lambda pair: pair[0])), total)


def sample_of_calls(calls: Iterable[Conversation], size: int = SAMPLE_CALLS) -> Sampled:
    """A uniform sample of calls, 24 million characters together at most.

    A call that is too long to be measured comes with as many of its characters as tell that.
    """
    return sample_of(map(_cut, calls), size, room_of=_characters_of)


def _characters_of(call: Conversation) -> int:
    return sum(len(turn.text) for turn in call.turns)


def _cut(call: Conversation) -> Conversation:
    if _characters_of(call) <= MOST_CHARACTERS:
        return call
    turns: list[Turn] = []
    left = MOST_CHARACTERS + 1
    for turn in call.turns:
        turns.append(msgspec.structs.replace(turn, text=turn.text[:left]))
        left -= len(turns[-1].text)
        if not left:
            break
    return msgspec.structs.replace(call, turns=tuple(turns))


def sample_of_set(frame: pl.LazyFrame, size: int = SAMPLE_CALLS) -> Sampled:
    """As `sample_of_calls`, of a stored set: only the rows drawn become values."""
    total = count_rows(frame)
    chosen = random.Random(SAMPLE_SEED).sample(range(total), min(size, total))
    drawn = pl.col("row").is_in(pl.Series(chosen, dtype=pl.UInt32).implode())
    calls = read_set(frame.with_row_index("row"), Conversation, where=drawn)
    return Sampled(sample_of_calls(calls, size).items, total)
