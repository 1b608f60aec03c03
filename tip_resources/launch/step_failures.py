"""A step's failures as Dagster is to tell and retry them."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from tip_resources.database.trouble import is_database_away
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.upkeep.disk_trouble import disk_trouble

# For a disk that takes nothing and a database that does not answer: five minutes to mend it in before the step, and
# with it the run, fails.
TRIES = 20
WAIT_SECONDS = 15


@contextmanager
def clear_failures() -> Iterator[None]:
    """Our failures become headlines, and trying again is left to where it can help.

    Raises:
        dagster.Failure: In place of a PermanentFailure, never retried; in place of a TransientFailure, retried as the
            op's policy says.
        dagster.RetryRequested: In place of whatever a full or read-only disk, or a database that is away, made of it:
            the step begins again every so often until it gets on.
    """
    try:
        yield
    except Exception as error:
        trouble = disk_trouble(error) or (str(error) if is_database_away(error) else None)
        if trouble is not None:
            headline = dg.Failure(description=trouble)
            headline.__cause__ = error
            raise dg.RetryRequested(TRIES, WAIT_SECONDS) from headline
        if isinstance(error, PermanentFailure | TransientFailure):
            retry = isinstance(error, TransientFailure)
            raise dg.Failure(description=str(error), allow_retries=retry) from error
        raise
