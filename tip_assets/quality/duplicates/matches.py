"""What is said of a call that repeats another."""

from typing import Literal

import msgspec

DuplicateMethod = Literal["exact", "normalized", "near", "masked", "semantic"]


class DuplicateMatch(msgspec.Struct, frozen=True, kw_only=True):
    """Call `id` says the same as `duplicate_of`; `similarity` is 0-1, and 1.0 for the hash methods."""

    id: str
    duplicate_of: str
    method: DuplicateMethod
    similarity: float
