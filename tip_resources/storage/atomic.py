"""Files that appear whole or not at all: write beside, fsync, rename."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Opens a temporary file beside `path` for writing; it becomes `path` when the block ends well.

    When the block raises, `path` stays as it was and the temporary file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, data: bytes | str) -> None:
    """Writes the whole of `data` (text as UTF-8) to `path`, atomically.

    The same steps as `atomic_file` by bare system calls: a checkpoint makes one such file per conversation.
    """
    content = data.encode("utf-8") if isinstance(data, str) else data
    temporary = f"{path.parent}{os.sep}.{path.name}.{os.urandom(4).hex()}.tmp"
    try:
        file = os.open(temporary, _NEW_FILE, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(temporary, _NEW_FILE, 0o666)
    try:
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(file, left) :]
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(temporary, path)  # noqa: PTH105 -- a Path for the temporary file costs more than the call
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
