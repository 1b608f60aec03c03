"""The words of a call packed for comparing later: which bytes mean what."""

import struct
from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from tip_assets.quality.duplicates.words import Flags, Hashes, Numbers

# First byte of a body; another way of packing or of hashing words gets another number.
VERSION = 2
# Words a body holds at most (8 kB); of longer calls a sample is kept that two calls take alike.
MOST_WORDS = 2048

# As wide as a word.
_HEADER = struct.Struct("<BB2x")
_VERSION_BYTE = bytes([VERSION])
_WITHOUT_WORDS = _HEADER.pack(VERSION, 0)
_MASKED_BIT, _AGENT_BIT = np.uint32(1), np.uint32(2)
# Bits of the hash, the highest; the same word is compared whoever says it.
_HASH_BITS = ~np.uint32(3)

Words = npt.NDArray[np.uint32]


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


class JoinedWords(NamedTuple):
    """The words of several calls, one call after the other.

    Args:
        words: 30 bits of the hash each, then whether the agent says it, then whether it is a name or number.
        sizes: Words of each call.
    """

    words: Words
    sizes: Numbers

    def of(self, calls: Flags) -> Self:
        """These calls alone."""
        if calls.all():
            return self
        return type(self)(self.words[self.each(calls)], self.sizes[calls])

    def each(self, flags: Flags) -> Flags:
        """The flag of its call for each word."""
        return np.repeat(flags, self.sizes)

    def where(self, flags: Flags) -> Self:
        """These words of all calls."""
        return type(self)(self.words[flags], self.counts(flags))

    def counts(self, flags: Flags) -> Numbers:
        """How many words of each call have the flag."""
        sums = np.zeros(flags.size + 1, np.int64)
        flags.cumsum(out=sums[1:])
        ends = self.sizes.cumsum()
        return sums[ends] - sums[ends - self.sizes]

    def without_masked(self) -> Self:
        """The words that are no names and no numbers."""
        return self.where(~is_masked(self.words))


def joined_words(bodies: Sequence[bytes], others: Sequence[bytes]) -> tuple[JoinedWords, JoinedWords]:
    """The words of each body and of the other one that it is compared with, both sampled at the higher level.

    A body that another version wrote has none: nothing can be said of it.
    """
    words, levels = _words_and_levels(bodies)
    other_words, other_levels = _words_and_levels(others)
    levels = np.maximum(levels, other_levels)
    return _sampled(words, levels), _sampled(other_words, levels)


def _words_and_levels(bodies: Sequence[bytes]) -> tuple[JoinedWords, Numbers]:
    readable = [body if body[:1] == _VERSION_BYTE else _WITHOUT_WORDS for body in bodies]
    sizes = np.array([len(body) for body in readable]) // 4
    joined = np.frombuffer(b"".join(readable), "<u4")
    headers = sizes.cumsum() - sizes
    return JoinedWords(np.delete(joined, headers), sizes - 1), (joined[headers] >> np.uint32(8)).astype(np.int64)


def _sampled(calls: JoinedWords, levels: Numbers) -> JoinedWords:
    if not levels.any():
        return calls
    return calls.where(calls.words < np.repeat(1 << (32 - levels), calls.sizes))


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
