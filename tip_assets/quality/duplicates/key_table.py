"""Which calls have a key: rows of fixed size, in memory or in files, read and written for many keys at once."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tip_assets.quality.duplicates.words import Hashes, Numbers

# Calls to a table; with 68 keys a call its rows are then about half full. A full table is followed by another one.
_CALLS_BITS = 17
CALLS_PER_TABLE = 1 << _CALLS_BITS
# Rows of a table and places in a row. A key that more calls have than there are places is of no use any more; with
# twice the places more copies are found in sets written from few templates, a fifth slower (docs/duplicates.md).
_ROW_BITS = 19
_PLACES = 32
# A place holds the number of a call and these bits of the key, which tell keys of one row apart.
_TAG_BITS = 32 - _CALLS_BITS


class Owners(NamedTuple):
    """Call `calls[n]` has the key that was asked for at place `asked[n]`."""

    asked: Numbers
    calls: Numbers


class KeyTable:
    """Keys of calls numbered from 0, 64 MB for 131,072 calls. Without a folder the tables are in memory.

    Two keys may pass for one (1 in 2^34), so what is found is a candidate and not a match.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._tables: list[npt.NDArray[np.uint32]] = []
        self._fills: list[npt.NDArray[np.uint8]] = []

    def add(self, keys: Hashes, calls: Numbers) -> None:
        """Adds keys with the numbers of their calls, numbers rising."""
        for table in range(int(calls[0]) >> _CALLS_BITS, (int(calls[-1]) >> _CALLS_BITS) + 1) if calls.size else ():
            while len(self._tables) <= table:
                self._begin_table()
            begin, end = np.searchsorted(calls, [table << _CALLS_BITS, (table + 1) << _CALLS_BITS])
            self._add_to(table, keys[begin:end], calls[begin:end] & (CALLS_PER_TABLE - 1))

    def owners(self, keys: Hashes) -> Owners:
        """Every call that has one of the keys, but for keys of full rows: what so many calls have tells none apart."""
        rows, tags = _rows_and_tags(keys)
        found = [Owners(np.empty(0, np.int64), np.empty(0, np.int64))]
        for number, table in enumerate(self._tables):
            useful = np.flatnonzero(self._fills[number][rows] < _PLACES)
            entries = table[rows[useful]]
            place_of, place = np.nonzero((entries >> np.uint32(_CALLS_BITS)) == tags[useful, None])
            asked = useful[place_of]
            # Free places are 0 as is the first call with tag 0, so tags begin at 1.
            calls = (entries[place_of, place] & np.uint32(CALLS_PER_TABLE - 1)).astype(np.int64)
            found.append(Owners(asked, calls + (number << _CALLS_BITS)))
        return Owners(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _add_to(self, table: int, keys: Hashes, calls: Numbers) -> None:
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


def _rows_and_tags(keys: Hashes) -> tuple[Numbers, npt.NDArray[np.uint32]]:
    # The smallest hashes of a call are its keys, so their high bits are mostly 0 and the low ones are taken.
    rows = (keys & np.uint64((1 << _ROW_BITS) - 1)).astype(np.int64)
    tags = (keys >> np.uint64(_ROW_BITS)).astype(np.uint32) & np.uint32((1 << _TAG_BITS) - 1)
    return rows, np.maximum(tags, np.uint32(1))
