"""The side set of a data set's removed calls: rows without text, which reports read."""

import re
from typing import Self, get_args

import msgspec

from tip_assets.quality.duplicates.matches import DuplicateMatch, DuplicateMethod

# The set of what was removed as a duplicate, stored beside the assets' own.
DUPLICATES = "duplicates"
_METHODS = get_args(DuplicateMethod)
_IN_WORDS = re.compile(
    r"(?P<method>\w+) duplicate of (?P<duplicate_of>\S+)(?: of (?P<dataset_of>\S+))?, similarity (?P<similarity>[\d.]+)"
)


class RemovedCall(msgspec.Struct, frozen=True, kw_only=True):
    """Call `id` was left out because it repeats `duplicate_of`, which survived or had been delivered.

    `dataset_of` is the data set (or file) that delivered it earlier; empty: it is in the same set. `similarity` is 0-1.
    """

    id: str
    duplicate_of: str
    method: DuplicateMethod
    similarity: float
    dataset_of: str = ""

    @classmethod
    def of(cls, match: DuplicateMatch, *, dataset_of: str = "") -> Self:
        """The row of a match."""
        return cls(
            id=match.id,
            duplicate_of=match.duplicate_of,
            method=match.method,
            similarity=match.similarity,
            dataset_of=dataset_of,
        )

    @property
    def earlier(self) -> str:
        """The call that is repeated, with its data set where that is another."""
        return f"{self.duplicate_of} of {self.dataset_of}" if self.dataset_of else self.duplicate_of

    @property
    def in_words(self) -> str:
        """A reject's detail: how it was found, which call it repeats, how alike they are."""
        return f"{self.method} duplicate of {self.earlier}, similarity {self.similarity:.2f}"

    @classmethod
    def from_words(cls, words: str) -> Self | None:
        """What `in_words` said of a call whose id is not told there (empty); None for any other text."""
        match = _IN_WORDS.fullmatch(words)
        if match is None or match["method"] not in _METHODS:
            return None
        return msgspec.convert({"id": "", **match.groupdict(default="")}, cls, strict=False)
