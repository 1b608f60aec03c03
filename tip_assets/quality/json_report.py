"""Reports of the stages, written as they go: memory does not grow with the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tip_resources.domain.codec import to_json
from tip_resources.storage.atomic import atomic_file
from tip_resources.storage.left_behind import clear_left_behind, held


class JsonReport:
    """A JSON object with one long list in it, written item by item; without a file it only counts."""

    def __init__(self, file: IO[bytes] | None, list_name: str) -> None:
        self._file = file
        self.count = 0
        if file is not None:
            file.write(b'{"%b": [' % list_name.encode())

    def add(self, item: object) -> None:
        """Appends one item to the list."""
        if self._file is not None:
            self._file.write((b"\n" if self.count == 0 else b",\n") + to_json(item))
        self.count += 1

    def close_with(self, **fields: object) -> None:
        """Ends the list and writes the other fields."""
        if self._file is not None:
            self._file.write(b"]" + b"".join(b", " + to_json(name) + b": " + to_json(fields[name]) for name in fields))
            self._file.write(b"}\n")


@contextmanager
def writing_report(path: Path | None, list_name: str) -> Iterator[JsonReport]:
    """A report whose file appears at `path` only when the block ends well; None writes no file."""
    if path is None:
        yield JsonReport(None, list_name)
        return
    clear_left_behind(path)
    with atomic_file(path) as file, held(file):
        yield JsonReport(file, list_name)
