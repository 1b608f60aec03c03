"""What is said of a call that repeats another."""

from typing import Literal

import msgspec

# How two calls were found to say the same: all of it, its letters alone, most of its words, most of its words
# with names and numbers left out, or its meaning.
DuplicateMethod = Literal["exact", "normalized", "near", "masked", "semantic"]


class DuplicateMatch(msgspec.Struct, frozen=True, kw_only=True):
    """Call `id` says the same as `duplicate_of`; `similarity` is 0-1, and 1.0 for the hash methods."""

    id: str
    duplicate_of: str
    method: DuplicateMethod
    similarity: float


class Likeness(msgspec.Struct, frozen=True):
    """How alike two calls are by their words (0-1); `method` is None where that makes them no duplicates."""

    method: DuplicateMethod | None
    similarity: float
