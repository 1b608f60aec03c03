"""What one kind of clean-up is: what would go, and its removal batch by batch. Kinds are in the modules beside.

Every batch is whole: a transaction, or a folder that is out of the way before its files go. So a clean-up may be
stopped or killed after any of them, and the next one goes on with the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Amount:
    """So many things, and the bytes they take."""

    count: int = 0
    bytes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.count + other.count, self.bytes + other.bytes)


@dataclass(frozen=True)
class Chore:
    """One kind of things that grow old.

    Attributes:
        name: What goes, in words.
        unit: One of them.
        setting: The setting of `retention` that says when.
        days: Its value; 0 keeps them for ever.
        found: What would go now.
        remove: Removes it, a bounded batch at a time, and tells each.
    """

    name: str
    unit: str
    setting: str
    days: int
    found: Callable[[], Amount]
    remove: Callable[[], Iterator[Amount]]
