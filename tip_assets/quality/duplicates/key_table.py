"""Which calls have a key: rows of fixed size, in memory or in files, read and written for many keys at once.

Where a set is written from few templates most keys of a call are in too many calls to tell which one it repeats. Two
of them together seldom are, so such keys are kept and asked for in pairs.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tip_assets.quality.duplicates.words import Hashes, Numbers

# Calls to a table; its rows are then about half full. A full table is followed by another one.
_CALLS_BITS = 17
CALLS_PER_TABLE = 1 << _CALLS_BITS
# Rows of a table and places in a row. A key that more calls have than there are places is of no use alone any more.
_ROW_BITS = 20
_PLACES = 32
# A place holds the number of a call and these bits of the key, which tell keys of one row apart.
_TAG_BITS = 32 - _CALLS_BITS
# A key is kept in pairs with the next and the next but one of its call when so many places are taken in the rows of
# both: well before they are full and pairs are asked for, so that few calls are there by such keys alone.
_PAIRED_FROM = 8
_PAIR_FACTORS = {1: np.uint64(0x9E3779B97F4A7C15), 2: np.uint64(0xC2B2AE3D27D4EB4F)}


class Owners(NamedTuple):
    """Call `calls[n]` has the key that was asked for at place `asked[n]`, or the pair that begins there.

    `pairs` are the places where the pairs asked of the first table begin, which is the fullest.
    """

    asked: Numbers
    calls: Numbers
    pairs: Numbers


class KeyTable:
    """Keys of calls numbered from 0, 128 MB for 131,072 calls. Without a folder the tables are in memory.

    Two keys may pass for one (1 in 2^34), so what is found is a candidate and not a match.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._tables: list[npt.NDArray[np.uint32]] = []
        self._fills: list[npt.NDArray[np.uint8]] = []

    def add(self, keys: Hashes, calls: Numbers) -> None:
        """Adds keys with the numbers of their calls, numbers rising; each call's keys always in the same order."""
        for table in range(int(calls[0]) >> _CALLS_BITS, (int(calls[-1]) >> _CALLS_BITS) + 1) if calls.size else ():
            while len(self._tables) <= table:
                self._begin_table()
            begin, end = np.searchsorted(calls, [table << _CALLS_BITS, (table + 1) << _CALLS_BITS])
            useful, places, _ = self._useful(table, keys[begin:end], calls[begin:end], _PAIRED_FROM)
            self._write(table, useful, calls[begin:end][places] & (CALLS_PER_TABLE - 1))

    def owners(self, keys: Hashes, askers: Numbers) -> Owners:
        """Every call that has one of the keys or of their pairs, full rows left out: what so many have tells nothing.

        Args:
            keys: As they were added.
            askers: Whose each key is, rising.
        """
        nothing = np.empty(0, np.int64)
        found = [Owners(nothing, nothing, nothing)]
        for number, table in enumerate(self._tables):
            useful, places, alone = self._useful(number, keys, askers, _PLACES)
            rows, tags = _rows_and_tags(useful)
            entries = table[rows]
            asked, place = np.nonzero((entries >> np.uint32(_CALLS_BITS)) == tags[:, None])
            # Free places are 0 as is the first call with tag 0, so tags begin at 1.
            calls = (entries[asked, place] & np.uint32(CALLS_PER_TABLE - 1)).astype(np.int64)
            found.append(Owners(places[asked], calls + (number << _CALLS_BITS), nothing if number else places[alone:]))
        return Owners(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _useful(self, table: int, keys: Hashes, calls: Numbers, frequent: int) -> tuple[Hashes, Numbers, int]:
        """The keys, then the pairs of frequent ones, whose rows are not full; the place of each; how many are no pairs.

        A key is frequent from so many taken places in its row on. The place of a pair is that of its first key.
        """
        fills = self._fills[table]
        taken = fills[_rows(keys)]
        is_frequent = taken >= frequent
        places = [np.flatnonzero(taken < _PLACES)]
        useful = [keys[places[0]]]
        for step, factor in _PAIR_FACTORS.items():
            firsts = np.flatnonzero(is_frequent[:-step] & is_frequent[step:] & (calls[:-step] == calls[step:]))
            pairs = keys[firsts] * factor + keys[firsts + step]
            has_room = fills[_rows(pairs)] < _PLACES
            places.append(firsts[has_room])
            useful.append(pairs[has_room])
        return np.concatenate(useful), np.concatenate(places), useful[0].size

    def _write(self, table: int, keys: Hashes, calls: Numbers) -> None:
        rows, tags = _rows_and_tags(keys)
        order = np.argsort(rows, kind="stable")
        rows = rows[order]
        fills = self._fills[table]
        places = fills[rows] + np.arange(rows.size) - np.searchsorted(rows, rows)
        is_free = places < _PLACES
        rows, places, order = rows[is_free], places[is_free], order[is_free]
        self._tables[table][rows, places] = (tags[order] << np.uint32(_CALLS_BITS)) | calls[order].astype(np.uint32)
        # Places of one row rise, and of several writes to one element the last one stays.
        fills[rows] = places + 1

    def _begin_table(self) -> None:
        shape = (1 << _ROW_BITS, _PLACES)
        if self._folder is None:
            table = np.zeros(shape, np.uint32)
        else:
            path = self._folder / f"keys-{len(self._tables)}.bin"
            table = np.memmap(path, np.uint32, "w+", shape=shape)
        self._tables.append(table)
        self._fills.append(np.zeros(1 << _ROW_BITS, np.uint8))


def _rows(keys: Hashes) -> Numbers:
    # The smallest hashes of a call are its keys, so their high bits are mostly 0 and the low ones are taken.
    return (keys & np.uint64((1 << _ROW_BITS) - 1)).astype(np.int64)


def _rows_and_tags(keys: Hashes) -> tuple[Numbers, npt.NDArray[np.uint32]]:
    tags = (keys >> np.uint64(_ROW_BITS)).astype(np.uint32) & np.uint32((1 << _TAG_BITS) - 1)
    return _rows(keys), np.maximum(tags, np.uint32(1))
