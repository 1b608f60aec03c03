"""What a backup says of itself, and the shape of its folder:

project.txt            machine and folder of the project
backup.json            this manifest; written last, so a folder without it is no backup
database/<table>.gz    the rows of one table, as COPY writes them
files.tar              files of the project: names begin with home/ (the project folder) or storage/ (the sets,
                       where they lie elsewhere)
objects.txt            where sets lie in an object store: what is there (object_index.py)
checksums.txt          a line for each member of files.tar, in its order: sha256, two spaces, its name
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from tip_resources.domain.codec import from_json
from tip_resources.domain.failures import BadInput
from tip_resources.storage.checksums import sha256_of

MANIFEST = "backup.json"
PROJECT = "project.txt"
DATABASE = "database"
FILES = "files.tar"
CHECKSUMS = "checksums.txt"
OBJECTS = "objects.txt"
FORMAT = 1
CHUNK_BYTES = 1 << 20


class TableCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One table: its columns in the order of the rows, its file and the file's checksum."""

    schema: str
    name: str
    columns: tuple[str, ...]
    rows: int
    file: str
    bytes: int
    sha256: str


class SequenceValue(msgspec.Struct, frozen=True):
    """The number a sequence gave last: numbers of deleted rows must not be given again."""

    schema: str
    name: str
    value: int


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup. Revisions are of the two schemas' tables; `storage_url` is where the sets lay, "" for the project.

    `has_sets` is false where they lay in an object store, which keeps them itself; then `objects` says how many there
    were, and `objects_sha256` is of the list of them ("" in backups of earlier versions, which made none).
    """

    format: int
    tip_version: str
    created_at: datetime
    postgres: str
    tip_revision: str
    dagster_version: str
    dagster_revision: str
    tables: tuple[TableCopy, ...]
    sequences: tuple[SequenceValue, ...]
    storage_url: str
    has_sets: bool
    files: int
    file_bytes: int
    checksums_sha256: str
    objects: int = 0
    object_bytes: int = 0
    objects_sha256: str = ""


def read_manifest(folder: Path) -> BackupManifest:
    """The manifest of a backup.

    Raises:
        BadInput: The folder is no backup, or one of a newer tip.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise BadInput(
            f"there is no {MANIFEST}, so this is no backup, or one that was interrupted.",
            where=str(folder),
            mend="Name the folder that `tip backup` wrote.",
        )
    manifest = from_json(file.read_bytes(), BackupManifest, where=str(file))
    if manifest.format > FORMAT:
        raise BadInput(
            f"the backup was made by tip {manifest.tip_version} in a form this tip does not know.",
            where=str(folder),
            mend="Restore it with that version or a newer one.",
        )
    return manifest


def damage(folder: Path, what: str) -> BadInput:
    """The failure of a backup that is not as it was written."""
    return BadInput(f"the backup is damaged: {what}.", where=str(folder), mend="Take another copy of it.")


def check_tables(folder: Path, tables: Iterable[TableCopy]) -> None:
    """Passes when every table's file is as it was written.

    Raises:
        BadInput: One is missing or damaged.
    """
    for table in tables:
        file = folder / table.file
        if not file.is_file() or sha256_of(file) != table.sha256:
            raise damage(folder, f"{table.file} is missing or not as it was written")
