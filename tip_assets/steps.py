"""What every step does the same way: turn failures into ones that Dagster tells, and retries, as they are meant."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from tip_resources.domain.failures import PermanentFailure
from tip_resources.upkeep.disk_full import full_disk_words, is_disk_full


@contextmanager
def clear_failures() -> Iterator[None]:
    """A failure that trying again cannot help ends the step at once, with its message as the headline.

    Raises:
        dagster.Failure: In place of a PermanentFailure, not retried; and of whatever a full disk made of it.
    """
    try:
        yield
    except PermanentFailure as failure:
        raise dg.Failure(description=str(failure), allow_retries=False) from failure
    except Exception as error:
        if is_disk_full(error):
            raise dg.Failure(description=full_disk_words(error)) from error
        raise
