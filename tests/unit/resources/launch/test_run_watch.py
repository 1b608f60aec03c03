import pytest
from dagster import DagsterRun, DagsterRunStatus

from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.run_watch import why_not_begin, why_stop_step, why_stop_worker
from tip_resources.launch.tags import WORKER_TAG

ME = ProcessIdentity(7, "now")
OTHER = ProcessIdentity(8, "now")
# All but one, which needs a code location.
STATUSES = [status for status in DagsterRunStatus if status != DagsterRunStatus.QUEUED]
BEGIN = {DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING}
RESUME = {DagsterRunStatus.STARTING, DagsterRunStatus.STARTED}


def run(status: DagsterRunStatus, worker: ProcessIdentity | None = ME) -> DagsterRun:
    tags = {WORKER_TAG: worker.to_json()} if worker else {}
    return DagsterRun(job_name="job", status=status, tags=tags)


@pytest.mark.parametrize("status", STATUSES)
def test_a_worker_begins_only_a_run_that_waits_for_it(status: DagsterRunStatus) -> None:
    assert (why_not_begin(run(status), ME, resumes=False) is None) == (status in BEGIN)
    assert (why_not_begin(run(status), ME, resumes=True) is None) == (status in RESUME)


def test_a_worker_that_is_not_on_record_neither_begins_nor_goes_on() -> None:
    why = "process 8 is the worker on record"
    assert why_not_begin(run(DagsterRunStatus.STARTING, OTHER), ME, resumes=False) == why
    assert why_stop_worker(run(DagsterRunStatus.STARTED, OTHER), ME) == why
    assert why_stop_step(run(DagsterRunStatus.STARTED, OTHER)) is None


def test_one_that_reuses_the_pid_is_another_worker() -> None:
    assert why_stop_worker(run(DagsterRunStatus.STARTED, ProcessIdentity(7, "earlier")), ME) is not None


def test_everybody_stops_when_the_run_is_over_or_deleted() -> None:
    for over in (run(DagsterRunStatus.FAILURE), run(DagsterRunStatus.CANCELED), None):
        assert why_stop_step(over)
        assert why_stop_worker(over, ME)
    assert why_stop_worker(run(DagsterRunStatus.STARTED), ME) is None
    assert why_stop_worker(run(DagsterRunStatus.CANCELING), ME) is None
