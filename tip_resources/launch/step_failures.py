"""A step's failures as Dagster is to tell and retry them."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.upkeep.disk_trouble import disk_trouble

# On a full or read-only disk: five minutes to mend it in before the step, and with it the run, fails.
_TRIES_TO_WRITE = 20
_WAIT_SECONDS = 15


@contextmanager
def clear_failures() -> Iterator[None]:
    """Our failures become headlines, and trying again is left to where it can help.

    Raises:
        dagster.Failure: In place of a PermanentFailure, never retried; in place of a TransientFailure, retried as the
            op's policy says.
        dagster.RetryRequested: In place of whatever a full or read-only disk made of it: the step begins again every so
            often until it can write.
    """
    try:
        yield
    except (PermanentFailure, TransientFailure) as failure:
        retry = isinstance(failure, TransientFailure)
        raise dg.Failure(description=str(failure), allow_retries=retry) from failure
    except Exception as error:
        trouble = disk_trouble(error)
        if trouble is None:
            raise
        headline = dg.Failure(description=trouble)
        headline.__cause__ = error
        raise dg.RetryRequested(_TRIES_TO_WRITE, _WAIT_SECONDS) from headline
