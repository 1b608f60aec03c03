"""The files of a backup: one tar, written and read as a stream, with a checksum for each member.

Files are immutable or replaced as a whole, so what is read through one open file is whole. One that goes meanwhile
(a part of a set that was cleared) is left out; the database, which was copied first, names none that ever was finished.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from tip_resources.domain.failures import TransientFailure
from tip_resources.upkeep.backup_manifest import CHECKSUMS, CHUNK_BYTES, FILES, damage

HOME, STORAGE = "home", "storage"
# Below the project folder. Not `.env`, which holds secrets; not logs and working files.
_TREES = (".tip/data", ".tip/between_ops", ".tip/experiments", ".tip/improve", "config", "requests")
_SINGLE = (".tip/redaction.key", ".tip/fleet.json", "dagster.yaml", "workspace.yaml")


@dataclass(frozen=True)
class Source:
    """A file on its way into a backup, and its name there."""

    path: Path
    name: str


def sources(home: Path, storage: Path | None) -> Iterator[Source]:
    """What belongs into a backup, in a fixed order. `storage`: the folder of the sets where it is not the project's."""
    for single in _SINGLE:
        if (home / single).is_file():
            yield Source(home / single, f"{HOME}/{single}")
    for tree in _TREES:
        yield from _below(home / tree, f"{HOME}/{tree}")
    if storage is not None:
        yield from _below(storage, STORAGE)


def _below(root: Path, name: str) -> Iterator[Source]:
    """All files of a tree but those that are being written: their names begin with a dot. A folder that is a link to
    another disk is part of the tree."""
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        relative = Path(folder).relative_to(root).as_posix()
        for file in sorted(files):
            if not file.startswith("."):
                yield Source(Path(folder) / file, str(PurePosixPath(name) / relative / file))


def pack(folder: Path, files: Iterator[Source], on_file: Callable[[int], None]) -> tuple[int, int]:
    """Writes the tar and the checksums into `folder`; tells the bytes of each file.

    Returns:
        How many files there are, and their bytes.

    Raises:
        TransientFailure: A file shrank while it was read.
    """
    count = total = 0
    with (
        (folder / FILES).open("xb") as raw,
        tarfile.open(fileobj=raw, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        (folder / CHECKSUMS).open("x", encoding="utf-8", errors="surrogateescape", newline="\n") as checksums,
    ):
        for source in files:
            try:
                opened = source.path.open("rb")
            except FileNotFoundError:
                continue
            with opened:
                state = os.fstat(opened.fileno())
                member = tarfile.TarInfo(source.name)
                member.size, member.mtime, member.mode = state.st_size, int(state.st_mtime), state.st_mode & 0o777
                reading = _Reading(opened, member.size)
                try:
                    tar.addfile(member, reading)
                except (OSError, tarfile.TarError) as error:
                    if reading.left:
                        raise TransientFailure(f"{source.path}: was changed while it was copied; try again.") from error
                    raise
            checksums.write(f"{reading.digest.hexdigest()}  {source.name}\n")
            count, total = count + 1, total + member.size
            on_file(member.size)
    return count, total


def unpack(folder: Path, place: Callable[[str], Path | None], on_file: Callable[[int], None]) -> None:
    """Reads the tar, holds it against the checksums, and writes each member where `place` says; None writes it nowhere.

    Raises:
        BadInput: The tar is damaged, or a name leads out of the backup.
    """
    try:
        with (
            tarfile.open(folder / FILES, mode="r|") as tar,
            (folder / CHECKSUMS).open(encoding="utf-8", errors="surrogateescape", newline="\n") as checksums,
        ):
            for member in tar:
                expected = checksums.readline().rstrip("\n")
                content = tar.extractfile(member) if member.isreg() and _is_inside(member.name) else None
                if content is None:
                    raise damage(folder, f"{FILES} holds {member.name!r}, which is no file of a backup")
                digest = _write(content, place(member.name), member)
                if expected != f"{digest}  {member.name}":
                    raise damage(folder, f"{member.name} is not as it was written")
                on_file(member.size)
            if missing := checksums.readline().partition("  ")[2].rstrip("\n"):
                raise damage(folder, f"{missing} is missing")
    except tarfile.TarError as error:
        raise damage(folder, f"{FILES}: {error}") from error


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_plain = os.name != "nt" or not {"\\", ":"} & set(name)
    return len(parts) > 1 and parts[0] in (HOME, STORAGE) and ".." not in parts and is_plain


def _write(content: IO[bytes], target: Path | None, member: tarfile.TarInfo) -> str:
    digest = hashlib.sha256()
    if target is None:
        while piece := content.read(CHUNK_BYTES):
            digest.update(piece)
        return digest.hexdigest()
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.restoring")  # a file that has its name is whole
    with beside.open("wb") as file:
        while piece := content.read(CHUNK_BYTES):
            digest.update(piece)
            file.write(piece)
    beside.chmod(member.mode)
    os.utime(beside, (member.mtime, member.mtime))
    beside.replace(target)
    return digest.hexdigest()


class _Reading(io.RawIOBase):
    """Exactly `size` bytes of a file, with their checksum."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        super().__init__()
        self._file, self.left = file, size
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; none at the end."""
        data = self._file.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(data)
        self.digest.update(data)
        return data
