"""A running embedded PostgreSQL for tests, one per session, and empty databases in it.

In a conftest.py: `from tests.embedded import database_home, fresh_database, server_url  # noqa: F401`. Then ask for
one. `database_home` is a project folder whose server runs. `fresh_database` is an Engine on a migrated, empty database
that TIP_DATABASE_URL points to while the test runs.
"""

import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

from tip_resources.database import embedded
from tip_resources.database.connection import URL_VARIABLE, close, database, database_url
from tip_resources.database.tables import metadata

_SCRATCH = "scratch"


@contextmanager
def temporary_home() -> Iterator[Path]:
    """An empty project folder whose embedded server may run as another user: pytest's tmp_path is closed to others."""
    home = Path(tempfile.mkdtemp(prefix="tip-")).resolve()
    home.chmod(0o755)
    try:
        yield home
    finally:
        _end_server(home)
        shutil.rmtree(home, ignore_errors=True)


def _end_server(home: Path) -> None:
    """At once, without writing to disk what is about to be deleted. https://www.postgresql.org/docs/18/server-shutdown.html"""
    pid = embedded.status(home).pid
    if os.name == "nt" or pid is None:
        embedded.stop(home)
        return
    os.kill(pid, signal.SIGQUIT)
    while embedded.status(home).pid == pid:
        time.sleep(0.02)


@pytest.fixture(scope="session")
def database_home() -> Iterator[Path]:
    """A project folder with a running, migrated database; shared by all tests of the session."""
    with pytest.MonkeyPatch.context() as environment, temporary_home() as home:
        environment.delenv(URL_VARIABLE, raising=False)
        database(home)
        yield home
        close(home)


@pytest.fixture(scope="session")
def server_url(database_home: Path) -> str:
    """The URL of the session's server; tests make databases of their own in it with `empty_database`."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv(URL_VARIABLE, raising=False)
        return database_url(database_home)


@pytest.fixture
def fresh_database(server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine on an empty, migrated database, which is tip's database during the test."""
    scratch = in_database(server_url, _SCRATCH)
    if not _exists(server_url, _SCRATCH):
        run_sql(server_url, f"CREATE DATABASE {_SCRATCH}")
    monkeypatch.setenv(URL_VARIABLE, scratch)
    engine = database()
    _empty(engine)
    yield engine
    close()


def _exists(server_url: str, name: str) -> bool:
    engine = create_engine(server_url)
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
    engine.dispose()
    return found is not None


def _empty(engine: Engine) -> None:
    """Deletes all rows: a new database for each test costs a tenth of a second and 8 MB."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # past the audit log's trigger
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        connection.execute(text("ALTER TABLE tip.settings_versions ALTER COLUMN version RESTART"))
        connection.execute(text("DROP SCHEMA IF EXISTS tip_dagster CASCADE"))


@contextmanager
def empty_database(server_url: str) -> Iterator[str]:
    """The URL of a new database that tip has never seen, dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    run_sql(server_url, f"CREATE DATABASE {name}")
    try:
        yield in_database(server_url, name)
    finally:
        run_sql(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def in_database(url: str, database_name: str, user: str | None = None) -> str:
    """The same server's URL for another database, and another user."""
    parsed = make_url(url).set(database=database_name)
    return (parsed.set(username=user) if user else parsed).render_as_string(hide_password=False)


def run_sql(url: str, *statements: str) -> None:
    """Runs statements outside of a transaction, as CREATE DATABASE wants it."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))
    finally:
        engine.dispose()
