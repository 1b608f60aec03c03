"""What steps do the same way: turn tip's permanent failures into ones Dagster does not retry, and read run tags."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from tip_resources.domain.failures import PermanentFailure
from tip_resources.launch.tags import ATTEMPT_TAG


@contextmanager
def clear_failures() -> Iterator[None]:
    """A failure that trying again cannot help ends the step at once, with its message as the headline.

    Raises:
        dagster.Failure: In place of a PermanentFailure; not retried.
    """
    try:
        yield
    except PermanentFailure as failure:
        raise dg.Failure(description=str(failure), allow_retries=False) from failure


def attempt_of(run: dg.DagsterRun) -> int | None:
    """The attempt that a run was launched for by us; None for one that a person started or re-executed in Dagster."""
    attempt = run.tags.get(ATTEMPT_TAG, "")
    return int(attempt) if attempt.isdigit() and run.parent_run_id is None else None
