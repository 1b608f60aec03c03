"""Brings a backup back: into an empty project, or into one whose present state is first moved aside, never deleted.

The backup is read and checked before anything is touched. From then on a mark lies beside `.tip`: a project that is
half there is not opened by anybody. A restore that was killed is simply given again: it goes on with the same stamp, so
it tells what was moved aside already from its own half work, which it removes. The database is in restore_database.py.
"""

import filecmp
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec

from tip_resources.database import embedded, restoring
from tip_resources.database.connection import close, is_embedded
from tip_resources.database.migrate import check_known_revision
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.storage.places import storage_root
from tip_resources.upkeep.backup import Progress, checked
from tip_resources.upkeep.backup_manifest import BackupManifest
from tip_resources.upkeep.file_archive import STORAGE, unpack
from tip_resources.upkeep.object_index import Compared, compare
from tip_resources.upkeep.restore_database import refuse_tables, restore_database

# A file with the stamp of the restore that fills a folder. It counts only as long as that restore is under way.
_OURS = ".half-restored"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, and where the state of before lies, if there was one.

    `objects`: of sets in an object store, which are in no backup.
    """

    manifest: BackupManifest
    moved_aside: tuple[str, ...]
    objects: Compared


def restore(
    home: Path,
    folder: Path,
    on_progress: Callable[[Progress], None],
    *,
    replace: bool = False,
    without_objects: bool = False,
) -> Restored:
    """Makes the project in `home` what it was when the backup was made.

    Args:
        home: The project folder. No service and no run may be at work there.
        folder: The backup.
        on_progress: Told of bytes read.
        replace: Move the project's present database and files aside; else there must not be any.
        without_objects: Go on although objects that the backup counts on are missing, or their store does not answer.

    Raises:
        BadInput: The backup is damaged or of versions we do not know, the project is not empty, or objects are missing.
        TransientFailure: The database cannot be reached or started.
    """
    home = home.resolve()
    earlier = restoring.begun(home)
    _refuse_at_work(home, earlier)
    manifest = checked(folder, on_progress)
    check_known_revision(manifest.tip_revision)
    stamp = earlier.stamp if earlier else datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    replace = replace or (earlier is not None and earlier.replace)
    if not replace:
        _refuse_what_is_there(home, manifest, stamp)
    objects = _compared(home, folder, manifest, without_objects=without_objects)
    if objects.missing and not without_objects:
        raise BadInput(
            f"{len(objects.missing)} of {manifest.objects} objects that the backup counts on are not there, "
            f"{objects.missing[0]} among them; nothing was changed.",
            where=manifest.storage_url,
            mend="Bring them back there, or give --without-objects: data sets that need them are not whole then.",
        )
    restoring.begin(home, stamp, replace=replace)
    moved = _make_way(home, manifest, stamp)
    moved += _restore_files(home, folder, manifest, stamp, on_progress)
    moved += restore_database(home, folder, manifest, stamp, on_progress)
    if hasattr(os, "sync"):
        os.sync()
    restoring.end(home)
    for tree in _trees(home, manifest):
        (tree / _OURS).unlink(missing_ok=True)
    return Restored(manifest=manifest, moved_aside=tuple(moved), objects=objects)


def _compared(home: Path, folder: Path, manifest: BackupManifest, *, without_objects: bool) -> Compared:
    """How the object store stands to what the backup knows of it; it must answer unless it is not to be waited for."""
    if not manifest.objects:
        return Compared()
    try:
        return compare(storage_root(manifest.storage_url, home), folder)
    except (BadInput, TransientFailure) as failure:
        if not without_objects:
            raise
        return Compared(unseen=str(failure))


def _refuse_at_work(home: Path, earlier: restoring.Restoring | None) -> None:
    from tip_resources.launch.supervisor import running, running_workers

    if earlier is not None and earlier.is_of_another():
        restoring.refuse_half_restored(home)
    if (home / ".tip").exists() and (running(home) or running_workers(home)):
        raise BadInput(
            "tip is at work here.", where=str(home), mend="Stop `tip up` and cancel the runs that go on, then restore."
        )


def _trees(home: Path, manifest: BackupManifest) -> list[Path]:
    """The folders that are built anew: `.tip`, and that of sets elsewhere."""
    elsewhere = [_storage_of(manifest, home)] if manifest.storage_url.strip() and manifest.has_sets else []
    return [home / ".tip", *elsewhere]


def _is_ours(tree: Path, stamp: str) -> bool:
    """Whether a folder is the half work of this restore, which was interrupted."""
    try:
        return (tree / _OURS).read_text(encoding="ascii") == stamp
    except (FileNotFoundError, NotADirectoryError):
        return False


def _refuse_what_is_there(home: Path, manifest: BackupManifest, stamp: str) -> None:
    """Passes for a project, a folder of sets and a database in which there is nothing, or our own half work."""
    state, *elsewhere = _trees(home, manifest)
    own = [] if _is_ours(state, stamp) else [state / name for name in ("pg", "data", "redaction.key")]
    others = [tree for tree in elsewhere if not _is_ours(tree, stamp) and _holds_something(tree)]
    if taken := [path for path in (*own, *others) if path.exists()]:
        raise BadInput(
            f"{', '.join(map(str, taken))} is there already.",
            where=str(home),
            mend="Restore into an empty project, or give --replace: what is there is moved aside, not deleted.",
        )
    if not is_embedded():
        refuse_tables(stamp)


def _holds_something(tree: Path) -> bool:
    return tree.exists() and (not tree.is_dir() or any(tree.iterdir()))


def _make_way(home: Path, manifest: BackupManifest, stamp: str) -> list[str]:
    """Moves `.tip`, and a folder of sets elsewhere, aside; empty ones with our name on them are there afterwards."""
    moved = []
    close(home)
    embedded.stop(home)
    for tree in _trees(home, manifest):
        aside = tree.with_name(f"{tree.name}.before-{stamp}")
        if _is_ours(tree, stamp):
            _clear(tree)
        elif _holds_something(tree):
            try:
                tree.rename(aside)
            except OSError as error:  # a mounted volume, or a program that has a file in it open
                mend = "Close what uses it; a mounted volume has to be emptied by hand."
                raise BadInput(f"it cannot be moved aside: {error.strerror}.", where=str(tree), mend=mend) from error
        if aside.exists():
            moved.append(str(aside))
        tree.mkdir(parents=True, exist_ok=True)
        (tree / _OURS).write_text(stamp, encoding="ascii")
    (home / ".tip").chmod(0o711 if hasattr(os, "geteuid") and os.geteuid() == 0 else 0o700)
    return moved


def _clear(tree: Path) -> None:
    """Removes all but the sign that it is ours, so that this may be interrupted as well."""
    for each in tree.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != _OURS:
            each.unlink()


def _storage_of(manifest: BackupManifest, home: Path) -> Path:
    """The folder that the sets of a backup lay in, where it was not the project's own."""
    return Path(storage_root(manifest.storage_url, home).path)


def _restore_files(
    home: Path, folder: Path, manifest: BackupManifest, stamp: str, on_progress: Callable[[Progress], None]
) -> list[str]:
    """Files of the configuration that are there and differ are moved aside."""
    put_aside: list[tuple[Path, Path]] = []

    def place(name: str) -> Path:
        root, *rest = PurePosixPath(name).parts
        target = (_storage_of(manifest, home) if root == STORAGE else home).joinpath(*rest)
        aside = target.with_name(f"{target.name}.before-{stamp}")
        if target.exists() and not aside.exists():  # else it was moved before we were interrupted
            target.rename(aside)
        if aside.exists():
            put_aside.append((target, aside))
        return target

    unpack(folder, place, lambda size: on_progress(Progress("files", size, manifest.file_bytes)))
    differing = []
    for target, aside in put_aside:
        if filecmp.cmp(target, aside, shallow=False):
            aside.unlink()
        else:
            differing.append(str(aside))
    return differing
