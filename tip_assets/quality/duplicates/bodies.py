"""The words of a call packed for comparing later: which bytes mean what."""

import struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tip_assets.quality.duplicates.words import Flags, Hashes

# First byte of a body; another way of packing or of hashing words gets another number.
VERSION = 2
# Words a body holds at most (8 kB); of longer calls a sample is kept that two calls take alike.
MOST_WORDS = 2048

_HEADER = struct.Struct("<BB2x")
_MASKED_BIT, _AGENT_BIT = np.uint32(1), np.uint32(2)
# Bits of the hash, the highest; the same word is compared whoever says it.
_HASH_BITS = ~np.uint32(3)

Words = npt.NDArray[np.uint32]


class Body(NamedTuple):
    """A body's words: 30 bits of the hash each, then whether the agent says it, then whether it is a name or number."""

    level: int
    words: Words

    def sampled(self, level: int) -> Words:
        """The words that a sample of this level keeps: those whose `level` highest bits are 0."""
        return self.words if level <= self.level else self.words[_is_in_sample(self.words, level)]


def packed_words(hashes: Hashes, masked: Flags, by_agent: Flags) -> Words:
    """32 bits for each word of a batch of calls, as `Body` has them."""
    words = (hashes >> np.uint64(32)).astype(np.uint32)
    return ((words & _HASH_BITS) | (by_agent * _AGENT_BIT) | masked).astype("<u4", copy=False)


def packed_body(words: Words) -> bytes:
    """Version, sampling level, then the words of one call in the order said.

    At level n about one word of 2^n is kept, all uses of it, so that at most MOST_WORDS are left.
    """
    level = 0
    while words.size > MOST_WORDS:
        level += 1
        words = words[_is_in_sample(words, level)]
    return _HEADER.pack(VERSION, level) + words.tobytes()


def unpacked_body(body: bytes) -> Body | None:
    """The words of a body, or None for one that another version wrote: nothing can be said of it."""
    if len(body) < _HEADER.size or body[0] != VERSION:
        return None
    return Body(level=body[1], words=np.frombuffer(body, "<u4", offset=_HEADER.size))


def without_masked(words: Words) -> Words:
    """The words that are no names and no numbers."""
    return words[~is_masked(words)]


def is_masked(words: Words) -> Flags:
    """Which words are names, numbers or parts of dates."""
    return (words & _MASKED_BIT) != 0


def is_by_agent(words: Words) -> Flags:
    """Which words the agent says."""
    return (words & _AGENT_BIT) != 0


def bare(words: Words) -> Words:
    """The hashes alone: the same word is the same whoever says it."""
    return words & _HASH_BITS


def _is_in_sample(words: Words, level: int) -> Flags:
    return words < np.uint32(1 << max(32 - level, 0)) if level else np.ones(words.size, np.bool_)
