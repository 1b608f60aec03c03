"""Brings the database to the newest revision, once, whichever process comes first.

The revisions are in migrations/versions. Alembic is imported only when there is something to do: every
Dagster step starts here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from tip_resources.database.schema import HEAD_REVISION, MIGRATION_LOCK, SCHEMA
from tip_resources.database.trouble import URL_VARIABLE, is_refused, lacks_rights, may_not_create
from tip_resources.domain.failures import BadInput

# The oldest PostgreSQL that still gets security updates.
_OLDEST_SERVER = 140_000


def migrate(engine: Engine, target: str = "head") -> None:
    """Runs the missing migrations in one transaction under an advisory lock; costs one query when there are none.

    Args:
        engine: The database.
        target: A revision to go to, up or down, or "head".

    Raises:
        BadInput: Rights are missing, the server is too old, or the database was written by a newer tip.
        TransientFailure: The database cannot be reached.
    """
    wanted = HEAD_REVISION if target == "head" else target
    with engine.connect() as connection, explaining_refusals(connection, SCHEMA):
        if stored_revision(connection) == wanted:
            return
    with engine.begin() as connection, explaining_refusals(connection, SCHEMA):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        stored = stored_revision(connection)
        if stored != wanted:
            _check_server(connection)
            create_schema(connection, SCHEMA)
            _run_alembic(connection, stored, wanted)


def stored_revision(connection: Connection) -> str:
    """The revision the database is at; "base" when it holds no tables of ours."""
    if connection.scalar(text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.alembic_version"}) is None:
        return "base"
    return connection.scalar(text(f"SELECT version_num FROM {SCHEMA}.alembic_version")) or "base"


def create_schema(connection: Connection, name: str) -> None:
    """Makes a schema unless it is there.

    Raises:
        BadInput: The database user may not; the message holds the SQL that mends it.
    """
    if connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": name}) is not None:
        return
    try:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {name}"))
    except DBAPIError as error:
        if not is_refused(error):
            raise
        raise may_not_create(connection, name) from error


@contextmanager
def explaining_refusals(connection: Connection, schema: str) -> Iterator[None]:
    """Whatever the user has no right to do within the block is told with what mends it.

    Raises:
        BadInput: The schema, or a table in it, belongs to somebody else.
    """
    try:
        yield
    except DBAPIError as error:
        if not is_refused(error):
            raise
        raise lacks_rights(connection, schema, error) from error


def _check_server(connection: Connection) -> None:
    version = int(connection.scalar(text("SHOW server_version_num")) or 0)
    if version < _OLDEST_SERVER:
        raise BadInput(
            f"the server is PostgreSQL {version // 10_000}.",
            where=URL_VARIABLE,
            mend=f"tip needs {_OLDEST_SERVER // 10_000} or newer.",
        )


def _run_alembic(connection: Connection, stored: str, wanted: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    order = ["base", *reversed([revision.revision for revision in script.walk_revisions()])]
    if stored not in order:
        raise BadInput(
            f"the database is at revision {stored!r}, which this tip does not know.",
            where="database",
            mend="It was used by a newer tip: install that version, or use another database.",
        )
    if wanted not in order:
        raise BadInput(f"there is no revision {wanted!r} of the database.", mend=f"There are: {', '.join(order)}.")
    if order.index(wanted) > order.index(stored):
        command.upgrade(config, wanted)
    else:
        command.downgrade(config, wanted)
