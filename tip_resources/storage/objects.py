"""Small immutable objects on a local disk or in S3: put whole, never appended to or renamed; and files between the two.

All that tip reads and writes under its storage root goes through here, so that every trouble with S3 is told in the
same words (places.py). Whole folders are in folders.py.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from upath import UPath

from tip_resources.domain.failures import TransientFailure
from tip_resources.storage.atomic import write_atomically
from tip_resources.storage.places import PIECE_BYTES, ensure_bucket, is_local, reaching

# So many objects are asked of S3 at once: a read takes some 20 ms wherever it goes, and few bytes.
_READ_AHEAD = 64
# A set that is replaced while it is read is read again; more often than this it is no accident.
_FETCHES = 3


def put_object(path: UPath, data: bytes) -> None:
    """Stores `data` at `path` so that a reader sees all of it or nothing.

    Object stores do that by themselves; on a disk it takes a temporary file and a rename.
    """
    if is_local(path):
        write_atomically(Path(path.path), data)
        return
    with reaching(path):
        path.fs.pipe_file(path.path, data)


def read_object(path: UPath) -> bytes:
    """The bytes at `path`.

    Raises:
        FileNotFoundError: There is nothing at `path`.
    """
    with reaching(path):
        data: Any = Path(path.path).read_bytes() if is_local(path) else path.fs.cat_file(path.path)
        return data


def read_objects(paths: Iterable[UPath]) -> Iterator[tuple[UPath, bytes]]:
    """Each path with its bytes, in order; of S3 a few dozen are asked at once, so that memory stays flat."""
    paths = iter(paths)
    while some := list(islice(paths, _READ_AHEAD)):
        if is_local(some[0]):
            yield from ((path, read_object(path)) for path in some)
            continue
        with reaching(some[0]):
            found: Any = some[0].fs.cat([path.path for path in some])
        yield from ((path, found[path.path]) for path in some)


def list_objects(folder: UPath, pattern: str) -> list[UPath]:
    """What lies in `folder` and matches `pattern` (as in `Path.glob`, without `**`), by name."""
    if is_local(folder):
        found = list(folder.glob(pattern)) if folder.exists() else []
    else:
        depth = pattern.count("/") + 1
        found = [
            folder / name
            for name in relative_names(folder)
            if name.count("/") + 1 == depth and PurePosixPath(name).match(pattern)
        ]
    return sorted(found, key=lambda path: path.name)


def relative_names(folder: UPath) -> dict[str, int]:
    """Every object under a folder in S3, as it is now, with its size in bytes. Names are relative to the folder."""
    return {name: entry["size"] for name, entry in _entries(folder)}


def fingerprints(folder: UPath) -> dict[str, tuple[int, str]]:
    """Every object under a folder in S3 with its size in bytes and its ETag, which changes with its content."""
    return {name: (entry["size"], str(entry.get("ETag", "")).strip('"')) for name, entry in _entries(folder)}


def _entries(folder: UPath) -> Iterator[tuple[str, dict[str, Any]]]:
    with reaching(folder):
        found: Any = folder.fs.find(folder.path, detail=True)
        if not found:
            ensure_bucket(folder)
    prefix = folder.path.rstrip("/") + "/"
    return ((path.removeprefix(prefix), entry) for path, entry in found.items() if path.startswith(prefix))


def sizes_under(folder: UPath) -> dict[str, int]:
    """Every file or object under `folder` with its size in bytes, by its name relative to the folder."""
    if not is_local(folder):
        return relative_names(folder)
    root, found = Path(folder.path), dict[str, int]()
    for path in root.rglob("*"):
        with suppress(FileNotFoundError):  # gone meanwhile
            if path.is_file():
                found[path.relative_to(root).as_posix()] = path.stat().st_size
    return found


def object_exists(path: UPath) -> bool:
    """Whether there is an object at `path`."""
    if is_local(path):
        return path.is_file()
    with reaching(path):
        if path.fs.exists(path.path):
            return True
        ensure_bucket(path)
        return False


def remove_object(path: UPath) -> None:
    """Removes the object at `path`; nothing happens when there is none."""
    if is_local(path):
        Path(path.path).unlink(missing_ok=True)
    elif object_exists(path):
        with reaching(path):
            path.fs.rm_file(path.path)


def remove_tree(folder: UPath) -> None:
    """Removes everything under `folder`; nothing happens when there is nothing."""
    if is_local(folder):
        if folder.exists():
            folder.fs.rm(folder.path, recursive=True)
        return
    names = relative_names(folder)
    if names:
        with reaching(folder):
            folder.fs.rm([(folder / name).path for name in names])


def put_file(source: Path, path: UPath) -> None:
    """Moves a finished local file to `path`, atomically for readers."""
    if not is_local(path):
        with reaching(path):
            path.fs.put_file(str(source), path.path, chunksize=PIECE_BYTES)
        source.unlink()
        return
    target = Path(path.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The scratch folder may be on another disk, where a rename is a copy: copy first, then rename.
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        source.replace(beside)
    except OSError:
        write_atomically(beside, source.read_bytes())
        source.unlink()
    beside.replace(target)


def local_file(path: UPath, copies: Path) -> Path:
    """The file at `path` on this machine's disk: itself, or a copy under `copies` of an object in S3.

    A copy, for a reader that asks S3 for one piece after another would mix two versions of an object that is
    replaced meanwhile. A second call makes no second copy of the same version.

    Raises:
        FileNotFoundError: There is nothing at `path`.
        TransientFailure: The object was replaced again and again while it was copied.
    """
    if is_local(path):
        return Path(path.path)
    for _ in range(_FETCHES):
        with reaching(path):
            version = _version(path)
            copy = copies / f"{hashlib.sha256(f'{path} {version}'.encode()).hexdigest()[:16]}-{path.name}"
            if copy.exists():
                return copy
            copies.mkdir(parents=True, exist_ok=True)
            beside = copy.with_name(f".{copy.name}.{uuid.uuid4().hex[:8]}.tmp")
            try:
                path.fs.get_file(path.path, str(beside), chunksize=PIECE_BYTES)
                if _version(path) == version:
                    beside.replace(copy)
                    return copy
            finally:
                beside.unlink(missing_ok=True)
    raise TransientFailure(f"{path}: replaced {_FETCHES} times while it was read. Try again when nothing writes it.")


def _version(path: UPath) -> str:
    entry = path.fs.info(path.path)
    return f"{entry.get('ETag')} {entry['size']}"
