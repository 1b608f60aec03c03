"""The database's part of a restore: schemas that are in the way are renamed, and the rows of a backup copied in.

The comment on our schema names the restore that filled it: a later one, given again, tells its half work by that.
"""

import os
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

from tip_resources.database.connection import (
    URL_VARIABLE,
    close,
    database,
    database_url,
    new_engine,
    normalised_url,
)
from tip_resources.database.migrate import create_schema, migrate
from tip_resources.database.schema import DAGSTER_SCHEMA, SCHEMA
from tip_resources.domain.failures import BadInput
from tip_resources.upkeep.backup import Progress, installed
from tip_resources.upkeep.backup_manifest import BackupManifest
from tip_resources.upkeep.table_copies import SCHEMAS, copy_in, one_moment, revision_of, set_sequences


def refuse_tables(stamp: str) -> None:
    """Passes for a database of TIP_DATABASE_URL in which there is nothing of tip, or the half work of this
    restore, which was interrupted.

    Raises:
        BadInput: There are tables.
    """
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


def restore_database(
    home: Path, folder: Path, manifest: BackupManifest, stamp: str, on_progress: Callable[[Progress], None]
) -> list[str]:
    """Copies the rows of a backup into the project's database; what was renamed for that.

    Raises:
        BadInput: The tables of the installed versions are others than those of the backup.
    """
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
