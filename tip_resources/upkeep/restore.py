"""Brings a backup back: into an empty project, or into one whose present state is first moved aside, never deleted.

The backup is read and checked before anything is touched. From then on a mark lies in `.tip`: a project that is half
there is not opened by anybody, and a restore that was killed is simply given again.
"""

import filecmp
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import msgspec
from sqlalchemy import Engine, create_engine, text

from tip_resources.database import embedded, restoring
from tip_resources.database.connection import close, database, database_url
from tip_resources.database.migrate import check_known_revision, migrate
from tip_resources.database.schema import DAGSTER_SCHEMA, SCHEMA
from tip_resources.domain.failures import BadInput
from tip_resources.storage.places import storage_root
from tip_resources.upkeep.backup import Progress, checked, installed
from tip_resources.upkeep.backup_manifest import BackupManifest
from tip_resources.upkeep.file_archive import STORAGE, unpack
from tip_resources.upkeep.table_copies import SCHEMAS, copy_in, one_moment, revision_of, set_sequences


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, and where the state of before lies, if there was one."""

    manifest: BackupManifest
    moved_aside: tuple[str, ...]


def restore(home: Path, folder: Path, on_progress: Callable[[Progress], None], *, replace: bool = False) -> Restored:
    """Makes the project in `home` what it was when the backup was made.

    Args:
        home: The project folder. No service and no run may be at work there.
        folder: The backup.
        on_progress: Told of bytes read.
        replace: Move the project's present database and files aside; else there must not be any.

    Raises:
        BadInput: The backup is damaged or of versions we do not know, or the project is not empty.
        TransientFailure: The database cannot be reached or started.
    """
    home = home.resolve()
    _refuse_at_work(home)
    manifest = checked(folder, on_progress)
    check_known_revision(manifest.tip_revision)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    state = home / ".tip"
    was_interrupted = restoring.is_marked(state)
    if was_interrupted:  # what lies there is our own half work: the state of before was moved aside
        close(home)
        embedded.stop(home)
        shutil.rmtree(state)
    moved = _make_way(home, manifest, stamp, replace=replace or was_interrupted)
    restoring.mark(state)
    state.chmod(0o711 if hasattr(os, "geteuid") and os.geteuid() == 0 else 0o700)
    moved += _restore_files(home, folder, manifest, stamp, on_progress)
    moved += _restore_database(home, folder, manifest, stamp, on_progress, replace=replace or was_interrupted)
    restoring.unmark(state)
    return Restored(manifest=manifest, moved_aside=tuple(moved))


def _refuse_at_work(home: Path) -> None:
    from tip_resources.launch.supervisor import running, running_workers

    if (home / ".tip").exists() and (running(home) or running_workers(home)):
        raise BadInput(
            "tip is at work here.", where=str(home), mend="Stop `tip up` and cancel the runs that go on, then restore."
        )


def _make_way(home: Path, manifest: BackupManifest, stamp: str, *, replace: bool) -> list[str]:
    """Moves `.tip`, and a folder of sets elsewhere, aside; nothing is there afterwards."""
    state = home / ".tip"
    elsewhere = [_storage_of(manifest, home)] if manifest.storage_url.strip() and manifest.has_sets else []
    own = [state / name for name in ("pg", "data", "redaction.key")]
    taken = [path for path in (*own, *elsewhere) if path.exists()]
    if taken and not replace:
        raise BadInput(
            f"{', '.join(map(str, taken))} is there already.",
            where=str(home),
            mend="Restore into an empty project, or give --replace: what is there is moved aside, not deleted.",
        )
    moved = []
    close(home)
    embedded.stop(home)
    for path in (state, *elsewhere):
        if path.exists():
            aside = path.with_name(f"{path.name}.before-{stamp}")
            try:
                path.rename(aside)
            except OSError as error:  # a mounted volume, or a program that has a file in it open
                mend = "Close what uses it; a mounted volume has to be emptied by hand."
                raise BadInput(f"it cannot be moved aside: {error.strerror}.", where=str(path), mend=mend) from error
            moved.append(str(aside))
    return moved


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
        if target.exists():
            aside = target.with_name(f"{target.name}.before-{stamp}")
            target.rename(aside)
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
    home: Path,
    folder: Path,
    manifest: BackupManifest,
    stamp: str,
    on_progress: Callable[[Progress], None],
    *,
    replace: bool,
) -> list[str]:
    engine = create_engine(database_url(home), hide_parameters=True)
    try:
        moved = _make_way_in_database(engine, stamp, replace=replace)
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


def _make_way_in_database(engine: Engine, stamp: str, *, replace: bool) -> list[str]:
    moved = []
    with engine.begin() as connection:
        for schema in SCHEMAS:
            if connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": schema}) is None:
                continue
            has_tables = connection.scalar(
                text("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = :name)"), {"name": schema}
            )
            if has_tables and not replace:
                raise BadInput(
                    f"the schema {schema} has tables already.",
                    where=f"database {engine.url.database}",
                    mend="Restore into a database that tip has not used, or give --replace: they are renamed.",
                )
            if has_tables:
                aside = f"{schema}_before_{stamp.replace('-', '_')}"
                connection.execute(text(f"ALTER SCHEMA {schema} RENAME TO {aside}"))
                moved.append(f"schema {aside}")
    return moved


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
