"""A step's failure: never tried again, tried as the op says, or tried until disk and database are back."""

import errno

import dagster as dg
import pytest

from tip_resources.database.trouble import DatabaseAway
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.launch.step_failures import clear_failures

FULL = OSError(errno.ENOSPC, "No space left on device", "/data/x")


@pytest.mark.parametrize(("failure", "retries"), [(BadInput("no such call"), False), (TransientFailure("away"), True)])
def test_our_failures_become_headlines(failure: Exception, retries: bool) -> None:
    with pytest.raises(dg.Failure) as headline, clear_failures():
        raise failure
    assert headline.value.description == str(failure) and headline.value.allow_retries == retries


@pytest.mark.parametrize(
    ("failure", "said"), [(FULL, "the disk is full (/data/x)"), (DatabaseAway("tip: cannot be reached"), "tip: cannot")]
)
def test_disk_and_database_are_waited_for(failure: Exception, said: str) -> None:
    with pytest.raises(dg.RetryRequested) as again, clear_failures():
        raise failure
    assert again.value.max_retries == 20 and again.value.seconds_to_wait == 15
    assert isinstance(again.value.__cause__, dg.Failure) and said in (again.value.__cause__.description or "")


def test_a_defect_keeps_its_trace() -> None:
    with pytest.raises(ZeroDivisionError), clear_failures():
        print(1 / 0)
