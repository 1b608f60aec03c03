"""Values put aside in a file and read back by their number: what a pass needs again without holding it in memory."""

from array import array
from pathlib import Path
from typing import Generic, Self, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class Spool(Generic[T]):
    """A file of values; 8 bytes of memory for each. The file belongs to the spool and is deleted with it."""

    def __init__(self, file: Path, kind: type[T]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._path = file
        self._file = file.open("w+b")
        self._encode = msgspec.msgpack.Encoder().encode
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._starts = array("Q", [0])
        self._is_at_end = True

    def __len__(self) -> int:
        return len(self._starts) - 1

    def append(self, value: T) -> int:
        """Puts a value at the end and tells its number."""
        data = self._encode(value)
        if not self._is_at_end:
            self._file.seek(self._starts[-1])
            self._is_at_end = True
        self._file.write(data)
        self._starts.append(self._starts[-1] + len(data))
        return len(self) - 1

    def __getitem__(self, number: int) -> T:
        """The value of that number, from 0."""
        begin, end = self._starts[number], self._starts[number + 1]
        self._file.seek(begin)
        self._is_at_end = False
        return self._decoder.decode(self._file.read(end - begin))

    def close(self) -> None:
        """Ends the file and deletes it."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
