"""Makes a backup of a project into a folder, while runs go on. How it is shaped: backup_manifest.py.

Database first, as of one moment, then the files. In that order every file that the rows speak of is there: files are
written before their rows, are never changed but only replaced as a whole, and the clean-up waits while we copy. What
was finished after that moment may be there without its row; then it is made again from parts that are there as well.
"""

import os
import platform
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import msgspec
from sqlalchemy import Engine

from tip_resources.database.schema import DAGSTER_SCHEMA, SCHEMA
from tip_resources.domain.codec import to_json
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.settings.models import Settings
from tip_resources.storage.atomic import write_atomically
from tip_resources.storage.checksums import sha256_of
from tip_resources.storage.places import is_local, storage_root
from tip_resources.upkeep.backup_manifest import (
    CHECKSUMS,
    FORMAT,
    MANIFEST,
    OBJECTS,
    PROJECT,
    BackupManifest,
    check_tables,
    damage,
    read_manifest,
)
from tip_resources.upkeep.chores import Amount
from tip_resources.upkeep.clean_up import the_only_one
from tip_resources.upkeep.file_archive import pack, sources, unpack
from tip_resources.upkeep.object_index import write_index
from tip_resources.upkeep.table_copies import copy_out, one_moment, revision_of, sequences_of

DISTRIBUTION = "transcript-intelligence-platform"
Stage = Literal["database", "files", "checking"]
_PARTIAL = ".partial"


class Progress(msgspec.Struct, frozen=True):
    """So many bytes more of a stage; `total` of them in all, None where that is not known."""

    stage: Stage
    bytes: int
    total: int | None


def back_up(
    engine: Engine, home: Path, settings: Settings, target: Path, on_progress: Callable[[Progress], None]
) -> BackupManifest:
    """Writes a backup to `target`, which must not be there or be empty, reads it back and checks it.

    Until it is complete it lies beside, under a name that begins with a dot; a killed one is removed by the next.

    Raises:
        BadInput: `target` holds something, or lies where it would be part of itself.
        TransientFailure: A clean-up or another backup is at work, or a file was changed meanwhile.
    """
    target = target.resolve()
    _check_target(target, home)
    building = target.with_name(f".{target.name}{_PARTIAL}")
    with the_only_one(engine) as is_ours:
        if not is_ours:
            raise TransientFailure("a clean-up, another backup or a restore is at work; try again when it is done.")
        _remove_killed(building, home)
        try:
            building.mkdir(parents=True, mode=0o700)
            write_atomically(building / PROJECT, _whose(home))
            manifest = _write(engine, home, settings, building, on_progress)
            check(building, manifest, on_progress)
            _flush(building)
            if target.exists():
                target.rmdir()
            building.rename(target)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    return manifest


def _whose(home: Path) -> str:
    return f"{platform.node()} {home.resolve()}\n"


def _remove_killed(building: Path, home: Path) -> None:
    """Removes backups of this project that were killed, whatever they were to be called: they hold personal data and
    may be large. The caller sees to it that none is being made.

    Raises:
        BadInput: One of another project is in our way.
    """
    for each in building.parent.glob(f".*{_PARTIAL}"):
        whose = (each / PROJECT).read_text(encoding="utf-8") if (each / PROJECT).exists() else None
        if whose == _whose(home) or (whose is None and each == building):
            shutil.rmtree(each)
        elif each == building:
            raise BadInput(
                f"a backup of another project ({whose.strip() if whose else ''}) is made there, or was killed.",
                where=str(building),
                mend="Name another folder; if none is being made, remove this one.",
            )


def _flush(folder: Path) -> None:
    """Makes sure that the disk has it all: only then may the folder have its name."""
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("r+b") as opened:
                os.fsync(opened.fileno())


def check(folder: Path, manifest: BackupManifest, on_progress: Callable[[Progress], None]) -> None:
    """Reads all of a backup and holds it against its checksums.

    Raises:
        BadInput: Something is missing or not as it was written; the message names it.
    """
    check_tables(folder, manifest.tables)
    if not (folder / CHECKSUMS).is_file() or sha256_of(folder / CHECKSUMS) != manifest.checksums_sha256:
        raise damage(folder, f"{CHECKSUMS} is missing or not as it was written")
    if manifest.objects_sha256 and (
        not (folder / OBJECTS).is_file() or sha256_of(folder / OBJECTS) != manifest.objects_sha256
    ):
        raise damage(folder, f"{OBJECTS} is missing or not as it was written")
    unpack(folder, lambda _: None, lambda size: on_progress(Progress("checking", size, manifest.file_bytes)))


def checked(folder: Path, on_progress: Callable[[Progress], None]) -> BackupManifest:
    """The manifest of a backup that was read and found whole.

    Raises:
        BadInput: It is not.
    """
    manifest = read_manifest(folder)
    check(folder, manifest, on_progress)
    return manifest


def installed(name: str) -> str:
    """The version of an installed package; "" where it is not installed as one."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _write(
    engine: Engine, home: Path, settings: Settings, folder: Path, on_progress: Callable[[Progress], None]
) -> BackupManifest:
    created_at = datetime.now(UTC)
    with one_moment(engine) as cursor:
        tables = copy_out(cursor, folder, lambda size: on_progress(Progress("database", size, None)))
        sequences = sequences_of(cursor)
        revisions = {schema: revision_of(cursor, schema) for schema in (SCHEMA, DAGSTER_SCHEMA)}
        cursor.execute("SHOW server_version")
        postgres = cursor.fetchone()[0]
    storage = storage_root(settings.storage_url, home) if settings.storage_url.strip() else None
    has_sets = storage is None or is_local(storage)
    elsewhere = Path(storage.path) if storage is not None and has_sets else None
    expected = sum(_size(source.path) for source in sources(home, elsewhere))
    files, size = pack(folder, sources(home, elsewhere), lambda done: on_progress(Progress("files", done, expected)))
    objects = Amount() if storage is None or has_sets else write_index(storage, folder)
    manifest = BackupManifest(
        format=FORMAT,
        tip_version=installed(DISTRIBUTION),
        created_at=created_at,
        postgres=postgres,
        tip_revision=revisions[SCHEMA],
        dagster_version=installed("dagster"),
        dagster_revision=revisions[DAGSTER_SCHEMA],
        tables=tables,
        sequences=sequences,
        storage_url=settings.storage_url,
        has_sets=has_sets,
        files=files,
        file_bytes=size,
        checksums_sha256=sha256_of(folder / CHECKSUMS),
        objects=objects.count,
        object_bytes=objects.bytes,
        objects_sha256="" if has_sets else sha256_of(folder / OBJECTS),
    )
    write_atomically(folder / MANIFEST, to_json(manifest))
    return manifest


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _check_target(target: Path, home: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput("there is something there already.", where=str(target), mend="Name a new or an empty folder.")
    own = home.resolve() / ".tip"
    if target == own or own in target.parents:
        mend = "Name a folder elsewhere, on another disk."
        raise BadInput("a backup in .tip would be lost with it.", where=str(target), mend=mend)
    if not os.access(next(each for each in target.parents if each.exists()), os.W_OK):
        raise BadInput("the folder cannot be written to.", where=str(target.parent), mend="Name another folder.")
