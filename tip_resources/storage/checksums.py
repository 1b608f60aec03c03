"""What files hold, in a word that anybody can work out again: SHA-256, as `sha256sum` prints it.

The data versions of assets are made here: of a set the checksum of its Parquet file, of an export or a report that of
the list of its files.
"""

import hashlib
from pathlib import Path

from upath import UPath


def sha256_of(file: Path | UPath) -> str:
    """The checksum of a file, read in pieces."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()  # pyright: ignore[reportArgumentType] - a binary file


class ListedFiles:
    """One checksum for several files: over the lines that `sha256sum` would print for them, in the order of `add`."""

    def __init__(self) -> None:
        self._lines = hashlib.sha256()

    def add(self, sha256: str, name: str) -> None:
        """Adds a file by its own checksum; `name` is relative to the folder of all."""
        self._lines.update(f"{sha256}  {name}\n".encode())

    @property
    def sha256(self) -> str:
        """Hex digest of what was added so far."""
        return self._lines.hexdigest()
