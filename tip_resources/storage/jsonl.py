"""Conversations as lines of JSON, read and written as streams: memory does not grow with the file.

A line of any length is read up to a limit, so a file that is no JSONL at all does not fill the memory either.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from tip_resources.domain.codec import conversation_from_json, to_json
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.storage.atomic import atomic_file
from tip_resources.storage.left_behind import clear_left_behind, held

# Room for a call of a few turns of 10 MB each. What is decoded of a line takes several times its size.
LONGEST_LINE_BYTES = 64_000_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# How files of other kinds begin: not one of their lines could be read.
_OTHER_KINDS: dict[bytes, tuple[str, str]] = {
    b"\xff\xfe": ("UTF-16 text", "Save it as UTF-8."),
    b"\xfe\xff": ("UTF-16 text", "Save it as UTF-8."),
    b"\x1f\x8b": ("packed with gzip", "Unpack it first (gunzip)."),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", "Unpack it first (zstd -d)."),
    b"PK\x03\x04": ("a ZIP archive", "Unpack it first."),
    b"PAR1": ("a Parquet file", "Name a JSONL file."),
}


class BadLine(msgspec.Struct, frozen=True):
    """A line that is not a conversation. `number` counts from 1; `reason` names the field."""

    number: int
    reason: str


def read_conversations(path: Path) -> Iterator[Conversation | BadLine]:
    """Yields every line of a JSONL file in order; a bad line comes as `BadLine` and the rest goes on.

    Raises:
        BadInput: The file is missing, cannot be read (to its end), or is of another kind.
    """
    number = 0
    try:
        with path.open("rb") as file:
            for number, line in _lines(file, path):
                if line is None:
                    reason = f"line {number}: longer than {LONGEST_LINE_BYTES // 1_000_000} MB."
                    yield BadLine(number, reason)
                elif line.strip():
                    yield _read(line, number)
    except OSError as error:
        after = f" after line {number}" if number else ""
        raise BadInput(f"cannot read the file{after}: {error.strerror}.", where=str(path)) from error


def _lines(file: IO[bytes], path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Every line with its number from 1; None stands for one that is too long."""
    number = 0
    while line := file.readline(LONGEST_LINE_BYTES):
        number += 1
        if number == 1:
            _refuse_other_kinds(line, path)
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if len(line) < LONGEST_LINE_BYTES:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE_BYTES)
        yield number, None


def _refuse_other_kinds(first: bytes, path: Path) -> None:
    for beginning, (what, mend) in _OTHER_KINDS.items():
        if first.startswith(beginning):
            raise BadInput(f"the file is {what}, not JSONL in UTF-8.", where=str(path), mend=mend)


def _read(line: bytes, number: int) -> Conversation | BadLine:
    try:
        return conversation_from_json(line, where=f"line {number}")
    except BadInput as error:
        return BadLine(number, str(error))


class JsonlWriter:
    """Appends values as canonical JSON lines; made by `writing_jsonl`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def write(self, value: object) -> None:
        """Writes one value as one line."""
        self._file.write(to_json(value))
        self._file.write(b"\n")
        self.count += 1


@contextmanager
def writing_jsonl(path: Path) -> Iterator[JsonlWriter]:
    """A writer whose file appears at `path` only when the block ends well; clears what a killed one left there."""
    clear_left_behind(path)
    with atomic_file(path) as file, held(file):
        yield JsonlWriter(file)


def write_conversations(path: Path, conversations: Iterable[Conversation]) -> int:
    """Writes all conversations to `path` atomically and returns how many there were."""
    with writing_jsonl(path) as writer:
        for conversation in conversations:
            writer.write(conversation)
        return writer.count
