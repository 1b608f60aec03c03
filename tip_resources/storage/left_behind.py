"""Half-written files that a killed process left beside the file it was writing.

A writer holds a lock on its temporary file (atomic.py names it), and the lock goes with the process. So whoever
writes the same file next can tell what nobody writes any more, whatever the clock says.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


def clear_left_behind(path: Path) -> None:
    """Deletes the temporary files of `path` that no process writes any more."""
    if not path.parent.is_dir():
        return
    # A name may hold characters that mean something in a pattern, so names are compared.
    begin, end = f".{path.name}.", ".tmp"
    for found in path.parent.iterdir():
        name = found.name
        if name.startswith(begin) and name.endswith(end) and len(name) == len(begin) + 8 + len(end):
            _delete_unless_written(found)


if os.name == "nt":

    @contextmanager
    def held(file: IO[bytes]) -> Iterator[None]:
        """Windows deletes no file that is open: nothing to do."""
        yield

    def _delete_unless_written(path: Path) -> None:
        with suppress(OSError):
            path.unlink()

else:
    import fcntl

    @contextmanager
    def held(file: IO[bytes]) -> Iterator[None]:
        """Others see that `file` is being written until it is closed, or the process ends."""
        with suppress(OSError):  # some network shares know no locks; nothing is deleted there either
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield

    def _delete_unless_written(path: Path) -> None:
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
