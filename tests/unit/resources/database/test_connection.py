import os
import socket
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tests.embedded import empty_database, in_database, run_sql
from tip_resources.database.connection import close, database, database_url, normalised_url
from tip_resources.database.trouble import DatabaseAway, is_database_away, unusable
from tip_resources.domain.failures import BadInput, TransientFailure


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_write_a_postgresql_url_takes_the_driver_we_ship(scheme: str):
    url = f"{scheme}://ann:p%40ss@db.example:5433/calls?sslmode=require"
    assert normalised_url(url) == "postgresql+psycopg2://ann:p%40ss@db.example:5433/calls?sslmode=require"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://ann:secret@db/calls", "tip needs PostgreSQL, not 'mysql'"),
        ("sqlite:///calls.db", "tip needs PostgreSQL, not 'sqlite'"),
        ("postgresql+asyncpg://ann:secret@db/calls", "tip needs PostgreSQL, not"),
        ("postgresql://ann:secret@db", "names no database"),
        ("ann:secret@db/calls", "not a database URL"),
        ("postgresql://ann:secret@db:port/calls", "not a database URL"),
    ],
)
def test_what_is_no_postgresql_url_is_refused_without_showing_the_password(url: str, problem: str):
    with pytest.raises(BadInput, match=problem) as refused:
        normalised_url(url)
    assert "secret" not in str(refused.value)
    assert "TIP_DATABASE_URL" in str(refused.value)


def test_a_server_that_is_away_is_a_transient_failure_without_the_password(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as listener:  # bound, not listening: nobody answers there
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        monkeypatch.setenv("TIP_DATABASE_URL", f"postgresql://ann:secret@127.0.0.1:{port}/calls")
        with pytest.raises(TransientFailure, match=r"database calls at 127.0.0.1: cannot be reached") as refused:
            database()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "mend"),
    [
        ('no pg_hba.conf entry for host "10.0.0.7", user "ann", no encryption', "add ?sslmode=require"),
        ('no pg_hba.conf entry for "h", SSL encryption\nno pg_hba.conf entry for "h", no encryption', "to pg_hba.conf"),
        ('password authentication failed for user "ann"', "Check the user, the password"),
        ("unsupported startup parameter in options: search_path", 'ALTER ROLE "ann" IN DATABASE "calls"'),
    ],
)
def test_what_a_server_refuses_is_told_with_what_mends_it(said: str, mend: str):
    refused = unusable(make_url("postgresql://ann:secret@db/calls"), said)
    assert isinstance(refused, BadInput)
    assert mend in refused.mend
    assert "secret" not in str(refused)


def test_a_database_that_does_not_exist_is_the_persons_to_mend(server_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIP_DATABASE_URL", in_database(server_url, "nowhere"))
    with pytest.raises(BadInput, match="does not exist"):
        database()


def test_the_embedded_server_is_used_when_no_other_is_named(database_home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TIP_DATABASE_URL", raising=False)
    assert database_url(database_home).startswith("postgresql+psycopg2://postgres@/tip?")
    assert database(database_home) is database(database_home)
    with database(database_home).connect() as connection:
        assert str(connection.scalar(text("SHOW server_version"))).startswith("18.")
        assert connection.scalar(text("SHOW fsync")) == "on"
        assert connection.scalar(text("SHOW listen_addresses")) == ""


def test_a_lost_connection_is_replaced_before_the_next_query(server_url: str, fresh_database: Engine):
    with fresh_database.connect() as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    run_sql(server_url, f"SELECT pg_terminate_backend({pid})")
    with fresh_database.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != pid


def test_a_server_that_goes_away_within_a_query_is_told_from_a_wrong_query(fresh_database: Engine):
    plain = create_engine(fresh_database.url, poolclass=NullPool)  # as Dagster's storages have it
    for engine, kind in ((fresh_database, DatabaseAway), (plain, DBAPIError)):
        with pytest.raises(kind) as ended, engine.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert is_database_away(ended.value)
    wrapped = RuntimeError("a step failed")
    wrapped.__cause__ = DatabaseAway("no answer")
    assert is_database_away(wrapped)
    with pytest.raises(DBAPIError) as wrong, fresh_database.connect() as connection:
        connection.execute(text("SELECT 1 / 0"))
    assert not is_database_away(wrong.value) and not is_database_away(TransientFailure("the model server is away"))


def test_the_values_of_a_failed_statement_stay_out_of_its_message(fresh_database: Engine):
    with pytest.raises(Exception, match="invalid input syntax") as failed, fresh_database.connect() as connection:
        connection.execute(text("SELECT CAST(:value AS integer),\n :other"), {"value": "x", "other": "Jane Doe"})
    assert "Jane Doe" not in str(failed.value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_makes_connections_of_its_own(server_url: str, monkeypatch: pytest.MonkeyPatch):
    with empty_database(server_url) as url:
        monkeypatch.setenv("TIP_DATABASE_URL", url)
        engine = database()
        with engine.connect() as connection:
            mine = connection.scalar(text("SELECT pg_backend_pid()"))
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            with database().connect() as connection:
                os.write(write, str(connection.scalar(text("SELECT pg_backend_pid()"))).encode())
            os._exit(0)
        os.close(write)
        assert os.waitpid(child, 0)[1] == 0
        with os.fdopen(read) as answer:
            assert answer.read() not in {"", str(mine)}
        with engine.connect() as connection:  # the child's end did not close ours
            assert connection.scalar(text("SELECT pg_backend_pid()")) == mine
        close()
