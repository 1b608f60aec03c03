"""Where `tip bench engine` keeps its answers: one line each, appended the moment it came.

answers.jsonl
  {"identity": ...}                                 the first line: which requests these are answers to
  {"index": 17, "url": ..., "answer": {...}}        one kept answer

A line handed to the operating system survives a killed process, so an answer is kept when `keep` returns; against a
power cut the disk is told to write about once a second, beside the loop. An answer costs 3 microseconds of CPU this
way and 126 as an object of its own (2,000 answers of 600 tokens each way). A line that a kill tore is cut off when the
journal is opened again.
"""

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from tip_resources.database.file_lease import FileLease
from tip_resources.domain.failures import BadInput

JOURNAL_FILE = "answers.jsonl"
_LOCK_FILE = "answers.lock"
_SYNC_SECONDS = 1.0
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)

_Line = TypeVar("_Line")


class _Head(msgspec.Struct, frozen=True):
    identity: str


class _Entry(msgspec.Struct, frozen=True):
    """A line as far as a new start needs it: the answer itself is skipped."""

    index: int
    url: str


class AnswerJournal:
    """The kept answers of one folder; use it as a context manager.

    Args:
        folder: Made when missing.
        identity: Of the requests; a folder with another one is refused.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder, self._identity = folder, identity
        self.kept: dict[int, str] = {}
        """The URL that answered, by index of the request."""
        self._encoder = msgspec.json.Encoder()
        self._synced_at = time.monotonic()
        self._sync: Future[None] | None = None

    def __enter__(self) -> Self:
        """Raises BadInput when the answers are to other requests, or another process holds the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lease = FileLease(self._folder / _LOCK_FILE)
        if not self._lease.acquire(shared=False, timeout_seconds=0):
            raise BadInput("another process writes there.", where=str(self._folder), mend="Wait for it, or stop it.")
        try:
            self._read()
            self._descriptor = os.open(self._folder / JOURNAL_FILE, _FLAGS, 0o644)
        except BaseException:
            self._lease.release()
            raise
        if os.fstat(self._descriptor).st_size == 0:
            self._append({"identity": self._identity})
        self._disk = ThreadPoolExecutor(1, "journal-sync")
        return self

    def __exit__(self, *_: object) -> None:
        self._disk.shutdown()
        os.close(self._descriptor)
        self._lease.release()

    def keep(self, index: int, url: str, answer: object) -> None:
        """Keeps an answer; on return it survives a killed process."""
        self._append({"index": index, "url": url, "answer": answer})
        self.kept[index] = url
        now = time.monotonic()
        if now - self._synced_at >= _SYNC_SECONDS and (self._sync is None or self._sync.done()):
            self._synced_at = now
            self._sync = self._disk.submit(os.fsync, self._descriptor)

    def sync(self) -> None:
        """Waits until the disk holds everything.

        Raises:
            OSError: The disk did not take it.
        """
        if self._sync is not None:
            self._sync.result()
        os.fsync(self._descriptor)

    def _append(self, line: dict[str, object]) -> None:
        data = self._encoder.encode(line) + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _read(self) -> None:
        path = self._folder / JOURNAL_FILE
        if not path.exists():
            return
        entries = msgspec.json.Decoder(_Entry)
        whole = 0
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                if whole == 0:
                    self._check(line, path)
                else:
                    entry = _decoded(entries, line, path)
                    self.kept[entry.index] = entry.url
                whole += len(line)
        if whole < path.stat().st_size:
            os.truncate(path, whole)

    def _check(self, line: bytes, path: Path) -> None:
        head = _decoded(msgspec.json.Decoder(_Head), line, path)
        if head.identity != self._identity:
            mend = "Choose another folder; the prompt or the schema of the benchmark has changed since."
            raise BadInput("the answers there are to other requests.", where=str(path), mend=mend)


def _decoded(decoder: "msgspec.json.Decoder[_Line]", line: bytes, path: Path) -> "_Line":
    try:
        return decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise BadInput(
            f"a line is no line of a journal: {error}.", where=str(path), mend="Choose another folder."
        ) from error
