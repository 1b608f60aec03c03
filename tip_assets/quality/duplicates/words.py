"""The words of a batch of calls as hashes, found over one byte buffer: no Python object per word.

What makes a word, which words say nothing, and which carry a name or a number is decided here.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

# Bytes hashed at once: 8 arrays of 8 bytes a byte stay under 40 MB however long a call is.
PIECE_BYTES = 1 << 19
# Letters of a word that may say what a call is about.
_SHORTEST_CONTENT = 3
# From this share of a call's content words on, capitals mark no names (texts all in capitals, headings).
_MOST_CAPITALS = 0.6

# Odd, so that it has an inverse modulo 2^64; the value is the one of FNV-1a.
_BASE = 0x100000001B3
_MASK = (1 << 64) - 1
_SPACE, _END = 0x20, 0x0A
# Begin a turn of the agent, and of anybody else, in a text of `words_of_calls`.
AGENT_TURN, OTHER_TURN = "\x1e", "\x1f"
_AGENT_TURN, _OTHER_TURN = ord(AGENT_TURN), ord(OTHER_TURN)

_SENTENCE_ENDS = b".?!:;\n\r"
# Scripts written without spaces between words (Thai, Lao, Burmese, Khmer, kana, Han): each character is a word, and
# as words only count beside the same neighbour, pairs of characters are compared.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]+"
)
_KEPT_CATEGORIES = frozenset("LNM")


class CallWords(NamedTuple):
    """The words of a batch of calls, one after the other.

    Args:
        hashes: 64-bit hash of each word in lower case.
        is_common: Whether nearly every call has the word, or it is shorter than 3 letters.
        is_masked: Whether the word is a name, a number or a part of a date.
        is_agent: Whether the agent says it.
        owners: The place of each word's call in the batch, rising.
        starts: Where each call's words begin, and at the end the number of all words: one more than calls.
    """

    hashes: Hashes
    is_common: Flags
    is_masked: Flags
    is_agent: Flags
    owners: Numbers
    starts: Numbers


def words_of_calls(texts: Sequence[str]) -> CallWords:
    """The words of each text, in order; turns begin with AGENT_TURN or OTHER_TURN. Any text has an outcome."""
    calls = [_prepared(text) for text in texts]
    pieces = [_tables().words(batch, owners) for batch, owners in _batches(calls)]
    empty = (np.empty(0, np.uint64), *(np.empty(0, np.bool_) for _ in range(3)), np.empty(0, np.int64))
    hashes, is_common, is_masked, is_agent, owners = (
        np.concatenate(columns) for columns in zip(empty, *pieces, strict=True)
    )
    starts = np.searchsorted(owners, np.arange(len(calls) + 1))
    return CallWords(hashes, is_common, is_masked, is_agent, owners, starts)


def _batches(calls: Sequence[bytes]) -> Iterator[tuple[list[bytes], list[int]]]:
    """Joins calls to buffers of at most PIECE_BYTES; a longer call is cut at that size."""
    batch: list[bytes] = []
    owners: list[int] = []
    size = 0
    for number, call in enumerate(calls):
        for begin in range(0, len(call), PIECE_BYTES - 1):
            piece = call[begin : begin + PIECE_BYTES - 1]
            if size + len(piece) + 1 > PIECE_BYTES:
                yield batch, owners
                batch, owners, size = [], [], 0
            batch.append(piece)
            owners.append(number)
            size += len(piece) + 1
    if batch:
        yield batch, owners


def _prepared(text: str) -> bytes:
    """UTF-8 in which only words, spaces and sentence ends are left; ASCII keeps its capitals."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_unicode_table())
        text = _WITHOUT_SPACES.sub(lambda run: f" {' '.join(run.group())} ", text)
    return text.encode("utf-8", "surrogatepass").translate(_KEEP_BYTES, b"'")


class _UnicodeTable(dict[int, str | int]):
    """Character -> what stands for it, worked out when first seen: folded letters, spaces for anything else."""

    def __missing__(self, code: int) -> str | int:
        char = chr(code)
        if code < 0x80:
            kept: str | int = code
        elif char == "\u2019":
            kept = "'"
        elif char in "\u2026\u3002\uff1f\uff01\u0964":
            kept = "\n"
        elif unicodedata.category(char)[0] in _KEPT_CATEGORIES:
            kept = char.casefold()
        else:
            kept = " "
        self[code] = kept
        return kept


@cache
def _unicode_table() -> _UnicodeTable:
    return _UnicodeTable()


def _keep_bytes() -> bytes:
    table = bytearray([_SPACE] * 256)
    for code in range(256):
        if code >= 0x80 or chr(code).isalnum():
            table[code] = code
    for code in _SENTENCE_ENDS:
        table[code] = _END
    for code in (_AGENT_TURN, _OTHER_TURN):
        table[code] = code
    return bytes(table)


_KEEP_BYTES = _keep_bytes()


def _mixed(hashes: Hashes) -> Hashes:
    """The finishing steps of MurmurHash3: every bit of the input moves every bit of the output."""
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    hashes ^= hashes >> np.uint64(33)
    return hashes


class _Tables:
    """Powers for hashing and the word lists by hash; built once a process (12 MB)."""

    def __init__(self) -> None:
        # A fixed random number for each byte, capitals like small letters, 0 for what parts words.
        values = np.random.Generator(np.random.PCG64(20_240_917)).integers(1, 1 << 63, 256, dtype=np.uint64)
        values[ord("A") : ord("Z") + 1] = values[ord("a") : ord("z") + 1]
        values[[_SPACE, _END]] = 0
        self._values = values
        self._powers = np.cumprod(
            np.concatenate([np.ones(1, np.uint64), np.full(PIECE_BYTES - 1, _BASE, np.uint64)]), dtype=np.uint64
        )
        inverse = pow(_BASE, -1, 1 << 64)
        self._inverse_powers = np.cumprod(
            np.concatenate([np.ones(1, np.uint64), np.full(PIECE_BYTES - 1, inverse, np.uint64)]), dtype=np.uint64
        )
        self._common = _WordSet(self, "common_words.txt")
        self._masked = _WordSet(self, "masked_words.txt")

    def hashes(self, buffer: npt.NDArray[np.uint8], starts: Numbers, ends: Numbers) -> Hashes:
        """Polynomial hashes of buffer[start:end], from differences of one running sum modulo 2^64."""
        sums = np.empty(buffer.size + 1, np.uint64)
        sums[0] = 0
        np.cumsum(self._values[buffer] * self._powers[: buffer.size], out=sums[1:])
        return _mixed((sums[ends] - sums[starts]) * self._inverse_powers[starts])

    def words(self, batch: list[bytes], owners: list[int]) -> tuple[Hashes, Flags, Flags, Flags, Numbers]:
        """Hash, whether common, whether masked, whether the agent's, and owner of every word of a joined batch."""
        buffer = np.frombuffer(b"\n".join(batch) + b"\n", np.uint8)
        starts, ends = _borders(buffer)
        hashes = self.hashes(buffer, starts, ends)
        piece_ends = np.cumsum([len(piece) + 1 for piece in batch])
        owner_places = np.searchsorted(starts, piece_ends)
        owner = np.repeat(np.asarray(owners), np.diff(owner_places, prepend=0))
        first = buffer[starts]
        lengths = ends - starts
        is_common = self._common.has(hashes)
        is_masked = self._masked.has(hashes) | ((lengths == 1) & ~is_common)
        is_masked[np.searchsorted(starts, np.flatnonzero((buffer >= 0x30) & (buffer <= 0x39)), "right") - 1] = True
        is_masked |= _names(buffer, starts, hashes, owner, ~is_common)
        is_common |= (lengths < _SHORTEST_CONTENT) & (first < 0x80)
        return hashes, is_common, is_masked, _by_agent(buffer, starts), owner


def _borders(buffer: npt.NDArray[np.uint8]) -> tuple[Numbers, Numbers]:
    """Where words start and end; the buffer ends with a space or line end."""
    is_word = np.empty(buffer.size + 1, np.bool_)
    is_word[0] = False
    np.greater(buffer, _SPACE, out=is_word[1:])
    edges = np.flatnonzero(is_word[1:] != is_word[:-1])
    return edges[::2], edges[1::2]


def _by_agent(buffer: npt.NDArray[np.uint8], starts: Numbers) -> Flags:
    """Which words follow the mark of an agent's turn; a call too long for one buffer goes on as another's."""
    turns = np.flatnonzero((buffer == _AGENT_TURN) | (buffer == _OTHER_TURN))
    sizes = np.diff(np.searchsorted(starts, turns), prepend=0, append=starts.size)
    return np.repeat(np.concatenate([[False], buffer[turns] == _AGENT_TURN]), sizes)


def _names(buffer: npt.NDArray[np.uint8], starts: Numbers, hashes: Hashes, owner: Numbers, is_content: Flags) -> Flags:
    """Content words with a capital inside a sentence, and the same words of the same call at the start of one."""
    if not starts.size:
        return is_content
    first = buffer[starts]
    is_capital = is_content & (first >= 0x41) & (first <= 0x5A)
    opens = np.zeros(starts.size + 1, np.bool_)
    opens[0] = True
    opens[np.searchsorted(starts, np.flatnonzero(buffer < _SPACE))] = True
    opens = opens[:-1]
    is_name = is_capital & ~opens
    calls = owner - owner[0]
    is_shouted = np.bincount(calls, weights=is_capital) > _MOST_CAPITALS * np.bincount(calls, weights=is_content)
    is_name &= ~is_shouted[calls]
    openers = np.flatnonzero(is_capital & opens)
    by_call = hashes + owner.astype(np.uint64) * np.uint64(_BASE)
    is_name[openers[np.isin(by_call[openers], by_call[is_name])]] = True
    return is_name


class _WordSet:
    """A list of words by hash, asked for a whole array at once."""

    _BITS = 18

    def __init__(self, tables: _Tables, file_name: str) -> None:
        text = files("tip_assets.quality.duplicates").joinpath(file_name).read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        buffer = np.frombuffer(("\n".join(lines) + "\n").encode(), np.uint8)
        hashes = np.unique(tables.hashes(buffer, *_borders(buffer)))
        self._shift = next(
            np.uint64(shift)
            for shift in range(64 - self._BITS)
            if np.unique((hashes >> np.uint64(shift)) & self._slot_mask).size == hashes.size
        )
        self._slots = np.zeros(1 << self._BITS, np.uint64)
        self._slots[self._slot_of(hashes)] = hashes

    @property
    def _slot_mask(self) -> np.uint64:
        return np.uint64((1 << self._BITS) - 1)

    def _slot_of(self, hashes: Hashes) -> Hashes:
        return (hashes >> self._shift) & self._slot_mask

    def has(self, hashes: Hashes) -> Flags:
        return self._slots[self._slot_of(hashes)] == hashes


@cache
def _tables() -> _Tables:
    return _Tables()
