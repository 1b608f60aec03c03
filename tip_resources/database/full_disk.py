"""Statements that wait while the disk of the server is full, for those who would not ask again."""

import logging
import time
from typing import Any

from sqlalchemy import Engine, event

_logger = logging.getLogger(__name__)

WAIT_SECONDS = 300.0
"""After that a statement fails as it would have at once: as long as steps wait for a disk (step_failures.py)."""
BETWEEN_TRIES_SECONDS = 1.0


def wait_while_disk_is_full(engine: Engine) -> None:
    """A statement that finds no room is done again until there is some.

    Dagster asks once, and an event that cannot be stored ends a run's worker.

    Args:
        engine: In AUTOCOMMIT: a statement that failed has changed nothing, and none before it is lost with it.
            Statements with many rows of parameters (`executemany`) are left alone: some rows may be stored.
    """

    @event.listens_for(engine, "do_execute")
    def execute(cursor: Any, statement: str, parameters: Any, _context: object) -> bool:
        from psycopg2.errors import DiskFull

        until = time.monotonic() + WAIT_SECONDS
        has_told = False
        while True:
            try:
                cursor.execute(statement, parameters)
                return True  # done: SQLAlchemy does not do it as well
            except DiskFull as error:
                if time.monotonic() >= until:
                    raise
                if not has_told:
                    _logger.warning("No room on the disk of the database, waiting: %s", str(error).splitlines()[0])
                has_told = True
            time.sleep(BETWEEN_TRIES_SECONDS)
