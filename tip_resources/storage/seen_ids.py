"""Which ids came before, kept in a file: memory does not grow with them."""

import sqlite3
from hashlib import blake2b
from typing import Self

_DIGEST_BYTES = 16
# What SQLite holds of its file, in kB; ids of a few hundred thousand calls.
_CACHE_KB = 8_000


class SeenIds:
    """Ids seen so far, as digests of 16 bytes in a temporary file that nobody else sees and that ends with this."""

    def __init__(self) -> None:
        # An empty name is a temporary database of its own: https://www.sqlite.org/inmemorydb.html#temp_db
        self._database = sqlite3.connect("", isolation_level=None)
        for line in (
            "PRAGMA journal_mode = OFF",
            f"PRAGMA cache_size = -{_CACHE_KB}",
            "CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(line)

    def __contains__(self, id_: str) -> bool:
        return self._database.execute("SELECT 1 FROM seen WHERE id = ?", (_digest(id_),)).fetchone() is not None

    def add(self, id_: str) -> bool:
        """Remembers an id; whether it is new."""
        return self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (_digest(id_),)).rowcount == 1

    def close(self) -> None:
        """Ends it and its file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _digest(id_: str) -> bytes:
    return blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()
