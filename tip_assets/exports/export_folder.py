"""A folder that appears whole or not at all: built beside its place, then renamed into it.

Knows nothing of formats. What an export's manifest says is in manifest.py.
"""

import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from tip_assets.exports.manifest import MANIFEST_NAME, Listing, read_manifest
from tip_resources.domain.failures import BadInput, TransientFailure

# Files that file managers leave in folders by themselves; they are nobody's work.
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
# A building folder older than this belongs to a process that was killed.
_STALE_SECONDS = 24 * 3600
# A virus scanner or indexer holds new files open for moments on Windows; a rename is tried again after these.
_RENAME_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)


@contextmanager
def building_folder(directory: Path, export_format: str) -> Iterator[Path]:
    """Gives an empty folder to fill; it takes the place of `directory` when the block ends well.

    When the block raises, `directory` stays as it was. An earlier export there is replaced only by the
    finished new one. Swapping is two renames: killed between them, the old export lies beside under a name
    ending in `.replaced`, and the next export puts it back first.

    Raises:
        BadInput: `directory` holds something that is not an earlier export of the same format.
        TransientFailure: The folder cannot be replaced now (a program has a file in it open).
    """
    directory = directory.resolve()
    directory.parent.mkdir(parents=True, exist_ok=True)
    _restore_interrupted_swap(directory)
    ensure_replaceable(directory, export_format)
    _remove_leftovers(directory)
    building = _beside(directory, "building")
    building.mkdir()
    try:
        yield building
        _swap(building, directory)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def ensure_replaceable(directory: Path, export_format: str) -> None:
    """Passes when `directory` is missing, empty, or wholly an earlier export of `export_format`.

    Raises:
        BadInput: Something there would be lost; the message names it.
    """
    if directory.is_file():
        raise BadInput("is a file, not a folder.", where=str(directory), mend="Name a folder to export into.")
    if not directory.is_dir() or not any(directory.iterdir()):
        return
    files = (path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir())
    ensure_only_an_export(files, read_manifest(directory, Listing), export_format, where=str(directory))


def ensure_only_an_export(files: Iterable[str], manifest: Listing | None, export_format: str, *, where: str) -> None:
    """Passes when `files`, relative to their folder, are those of the export that its manifest describes.

    Raises:
        BadInput: Something there would be lost; the message names it.
    """
    if manifest is None:
        raise BadInput(
            "the folder is not empty, and what is in it is not an export of tip.",
            where=where,
            mend="Name a new or empty folder.",
        )
    if manifest.format != export_format:
        raise BadInput(
            f"the folder holds a {manifest.format} export, which a {export_format} export would replace.",
            where=where,
            mend="Name another folder, or remove this one.",
        )
    own = {entry.path for entry in manifest.files} | {MANIFEST_NAME}
    own |= {manifest.spans.path} if manifest.spans else set()
    for name in files:
        if name not in own and PurePosixPath(name).name not in _LITTER:
            raise BadInput(
                f"{name} is not part of the export lying there and would be lost.",
                where=where,
                mend="Move it elsewhere, or name another folder.",
            )


def _beside(directory: Path, purpose: str) -> Path:
    return directory.with_name(f".{directory.name}.{uuid.uuid4().hex[:8]}.{purpose}")


def _leftovers(directory: Path, purpose: str) -> list[Path]:
    prefix, suffix = f".{directory.name}.", f".{purpose}"
    return [
        path
        for path in directory.parent.iterdir()
        if path.name.startswith(prefix) and path.name.endswith(suffix) and len(path.name) == len(prefix + suffix) + 8
    ]


def _restore_interrupted_swap(directory: Path) -> None:
    replaced = _leftovers(directory, "replaced")
    if replaced and not directory.exists():
        max(replaced, key=lambda path: path.stat().st_mtime).rename(directory)


def _remove_leftovers(directory: Path) -> None:
    for path in _leftovers(directory, "replaced"):
        shutil.rmtree(path, ignore_errors=True)
    for path in _leftovers(directory, "building"):
        if time.time() - path.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _swap(building: Path, directory: Path) -> None:
    aside = _beside(directory, "replaced")
    for pause_seconds in (*_RENAME_PAUSES_SECONDS, None):
        try:
            _rename_over(building, directory, aside)
            break
        except OSError as error:
            if pause_seconds is None:
                raise TransientFailure(
                    f"{directory}: the earlier export cannot be replaced ({error.strerror}). Close the programs "
                    "that have files in it open and try again; it is as it was."
                ) from error
            time.sleep(pause_seconds)
    shutil.rmtree(aside, ignore_errors=True)


def _rename_over(building: Path, directory: Path, aside: Path) -> None:
    if directory.exists():
        directory.rename(aside)
    try:
        building.rename(directory)
    except BaseException:
        if aside.exists() and not directory.exists():
            aside.rename(directory)
        raise
