"""Statements that find no room on the server's disk. The error is PostgreSQL's own, raised by a statement of ours."""

import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from tip_resources.database import full_disk
from tip_resources.database.full_disk import wait_while_disk_is_full

# A sequence counts however the statement ends.
_NO_ROOM_TWICE = (
    "DO $$ BEGIN IF nextval('tip.asked') < 3 THEN RAISE disk_full USING MESSAGE = 'no room'; END IF; END $$"
)


@pytest.fixture
def patient(fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine as Dagster's, on a database with a sequence to count with."""
    monkeypatch.setattr(full_disk, "BETWEEN_TRIES_SECONDS", 0.01)
    engine = fresh_database.execution_options(isolation_level="AUTOCOMMIT")
    wait_while_disk_is_full(engine)
    with engine.connect() as connection:
        connection.execute(text("CREATE SEQUENCE tip.asked"))
    yield engine
    with engine.connect() as connection:
        connection.execute(text("DROP SEQUENCE tip.asked"))


def _asked(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT last_value FROM tip.asked")) or 0)


def test_a_statement_is_done_again_until_there_is_room(patient: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), patient.connect() as connection:
        connection.execute(text(_NO_ROOM_TWICE))
    assert _asked(patient) == 3
    assert [record.message for record in caplog.records] == ["No room on the disk of the database, waiting: no room"]


def test_where_no_room_comes_the_statement_fails_at_last(patient: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk, "WAIT_SECONDS", 0.0)
    with patient.connect() as connection, pytest.raises(OperationalError, match="no room"):
        connection.execute(text(_NO_ROOM_TWICE))
    assert _asked(patient) == 1


def test_other_errors_are_not_waited_for(patient: Engine) -> None:
    with patient.connect() as connection, pytest.raises(Exception, match="division by zero"):
        connection.execute(text("SELECT nextval('tip.asked') / 0"))
    assert _asked(patient) == 1
