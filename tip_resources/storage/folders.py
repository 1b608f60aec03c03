"""Folders that go to S3 and come back as a whole: exports, built on a local disk and published when finished."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upath import UPath

from tip_resources.domain.failures import TransientFailure
from tip_resources.storage.objects import relative_names
from tip_resources.storage.places import PIECE_BYTES, is_local, reaching

# An export has either a few large files or very many of some kB.
_FILES_AT_ONCE = 32


def publish_folder(source: Path, target: UPath, *, last: str) -> None:
    """Puts the files of `source` in the place of `target`, a folder in S3 that holds nothing else.

    The file `last` says that the folder is complete: it is removed first and put last, so that whoever finds it finds
    all that belongs to it. Killed in between, the folder has no such file and the next call puts things right.

    Raises:
        BadInput, TransientFailure: S3 cannot be used; without `last` the folder is not complete.
    """
    files = {path.relative_to(source).as_posix(): path for path in sorted(source.rglob("*")) if path.is_file()}
    final = files.pop(last)
    there = relative_names(target)
    with reaching(target):
        if last in there:
            target.fs.rm_file((target / last).path)
        if stale := [(target / name).path for name in there if name not in files and name != last]:
            target.fs.rm(stale)
        if files:
            places = [(target / name).path for name in files]
            target.fs.put([*map(str, files.values())], places, batch_size=_FILES_AT_ONCE, chunksize=PIECE_BYTES)
    there = relative_names(target)
    if wrong := [name for name, path in files.items() if there.get(name) != path.stat().st_size]:
        raise TransientFailure(
            f"{target}: {len(wrong)} of {len(files)} files are not there as they were sent, {wrong[0]} among them. "
            "Another run may be exporting the same data set; make the export again."
        )
    with reaching(target):
        target.fs.put_file(str(final), (target / last).path, chunksize=PIECE_BYTES)


@contextmanager
def local_folder(folder: UPath, copies: Path) -> Iterator[Path]:
    """A folder on this machine's disk: itself, or a copy under `copies` of one in S3 for as long as the block lasts."""
    if is_local(folder):
        yield Path(folder.path)
        return
    copies.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=copies) as made:
        names = list(relative_names(folder))
        paths = [Path(made) / name for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
        if names:
            with reaching(folder):
                places = [(folder / name).path for name in names]
                folder.fs.get(places, [*map(str, paths)], batch_size=_FILES_AT_ONCE, chunksize=PIECE_BYTES)
        yield Path(made)
