"""Brings a backup back: into an empty project, or into one whose present state is first moved aside, never deleted.

The backup is read and checked before anything is touched. From then on a mark lies beside `.tip`: a project that is
half there is not opened by anybody. A restore that was killed is simply given again: it goes on with the same stamp, so
it tells what was moved aside already from its own half work, which it removes.
"""

import filecmp
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

from tip_resources.database import embedded, restoring
from tip_resources.database.connection import (
    URL_VARIABLE,
    close,
    database,
    database_url,
    is_embedded,
    new_engine,
    normalised_url,
)
from tip_resources.database.migrate import check_known_revision, create_schema, migrate
from tip_resources.database.schema import DAGSTER_SCHEMA, SCHEMA
from tip_resources.domain.failures import BadInput
from tip_resources.storage.places import storage_root
from tip_resources.upkeep.backup import Progress, checked, installed
from tip_resources.upkeep.backup_manifest import BackupManifest
from tip_resources.upkeep.file_archive import STORAGE, unpack
from tip_resources.upkeep.object_index import Compared, compare
from tip_resources.upkeep.table_copies import SCHEMAS, copy_in, one_moment, revision_of, set_sequences

# A file with the stamp of the restore that filled a folder. It counts only as long as that restore is under way, as
# does the comment that it leaves on our schema.
_OURS = ".half-restored"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, and where the state of before lies, if there was one.

    Of sets in an object store, which are in no backup: what is missing there, and what was changed since.
    """

    manifest: BackupManifest
    moved_aside: tuple[str, ...]
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


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
        without_objects: Go on although objects that the backup counts on are missing in the object store.

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
    objects = _compared(home, folder, manifest)
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
    moved += _restore_database(home, folder, manifest, stamp, on_progress)
    if hasattr(os, "sync"):
        os.sync()
    restoring.end(home)
    for tree in _trees(home, manifest):
        (tree / _OURS).unlink(missing_ok=True)
    return Restored(manifest=manifest, moved_aside=tuple(moved), missing=objects.missing, changed=objects.changed)


def _compared(home: Path, folder: Path, manifest: BackupManifest) -> Compared:
    """How the object store stands to what the backup knows of it."""
    if not manifest.objects:
        return Compared((), ())
    return compare(storage_root(manifest.storage_url, home), folder)


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
        _refuse_tables(stamp)


def _refuse_tables(stamp: str) -> None:
    """Passes for a database of TIP_DATABASE_URL in which there is nothing of tip, or our own half work."""
    engine = new_engine(make_url(normalised_url(os.environ[URL_VARIABLE])))
    try:
        with engine.connect() as connection:
            in_the_way = [schema for schema in SCHEMAS if _has_tables(connection, schema)]
            if in_the_way and not _is_our_work(connection, stamp):
                raise BadInput(
                    f"the schema {in_the_way[0]} has tables already.",
                    where=f"database {engine.url.database}",
                    mend="Restore into a database that tip has not used, or give --replace: they are renamed.",
                )
    finally:
        engine.dispose()


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


def _restore_database(
    home: Path, folder: Path, manifest: BackupManifest, stamp: str, on_progress: Callable[[Progress], None]
) -> list[str]:
    engine = create_engine(database_url(home), hide_parameters=True)
    try:
        moved = _make_way_in_database(engine, stamp)
        migrate(engine, manifest.tip_revision)
        total = sum(table.bytes for table in manifest.tables)

        def filled(size: int) -> None:
            on_progress(Progress("database", size, total))

        copy_in(engine, folder, SCHEMA, manifest.tables, filled)
        if manifest.dagster_revision:
            _make_dagster_tables(engine, home, manifest)
            copy_in(engine, folder, DAGSTER_SCHEMA, manifest.tables, filled)
        set_sequences(engine, manifest.sequences)
    finally:
        engine.dispose()
    database(home)  # brings our tables to the newest revision
    close(home)
    return moved


def _make_way_in_database(engine: Engine, stamp: str) -> list[str]:
    """Renames schemas with tables, or drops what an interrupted restore left, in one transaction that says so."""
    moved = []
    with engine.begin() as connection:
        is_our_work = _is_our_work(connection, stamp)
        for schema in SCHEMAS:
            aside = f"{schema}_before_{stamp.replace('-', '_')}"
            if is_our_work:
                connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            elif _has_tables(connection, schema):
                connection.execute(text(f"ALTER SCHEMA {schema} RENAME TO {aside}"))
            if _is_there(connection, aside):
                moved.append(f"schema {aside}")
        create_schema(connection, SCHEMA)
        connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{_comment(stamp)}'"))
    return moved


def _is_there(connection: Connection, schema: str) -> bool:
    return connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": schema}) is not None


def _has_tables(connection: Connection, schema: str) -> bool:
    found = text("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = :name)")
    return bool(connection.scalar(found, {"name": schema}))


def _is_our_work(connection: Connection, stamp: str) -> bool:
    """Whether what is in the schemas is the half work of this restore, which was interrupted."""
    comment = text("SELECT obj_description(to_regnamespace(:name), 'pg_namespace')")
    return connection.scalar(comment, {"name": SCHEMA}) == _comment(stamp)


def _comment(stamp: str) -> str:
    return f"brought back by tip restore {stamp}"


def _make_dagster_tables(engine: Engine, home: Path, manifest: BackupManifest) -> None:
    """As the installed Dagster makes them, which must be of the backup's revision."""
    from tip_resources.database.dagster_storage import TipStorage

    database(home)
    TipStorage(str(home))
    with one_moment(engine) as cursor:
        found = revision_of(cursor, DAGSTER_SCHEMA)
    if found != manifest.dagster_revision:
        raise BadInput(
            f"the backup holds tables of Dagster {manifest.dagster_version}, and {installed('dagster')} is installed.",
            mend=f"Install dagster=={manifest.dagster_version}, give `tip restore` again, then upgrade Dagster.",
        )
