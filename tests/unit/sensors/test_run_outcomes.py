"""What the end of a run says about the request it was for."""

from datetime import UTC, datetime

import pytest

from sensors.run_outcomes import outcome_of
from tip_resources.database.requests import DatasetRequest, RequestState
from tip_resources.domain.dataset_spec import DatasetSpec


def request(state: RequestState, run_id: str | None = "run-1", attempt: int = 0) -> DatasetRequest:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return DatasetRequest(
        id="id",
        dataset="a",
        spec=DatasetSpec(name="a", count=1, domain="retail"),
        source="cli",
        state=state,
        run_id=run_id,
        note="",
        created_at=now,
        updated_at=now,
        state_since=now,
        attempt=attempt,
    )


@pytest.mark.parametrize("ended", ["done", "failed", "cancelled"])
def test_the_run_that_makes_a_set_says_how_it_ended(ended: RequestState) -> None:
    assert outcome_of(request("running"), "run-1", 0, ended) == ended
    assert outcome_of(request(ended), "run-1", 0, ended) is None, "said already"


@pytest.mark.parametrize("ended", ["failed", "cancelled"])
def test_a_paused_set_stays_paused_when_its_run_ends(ended: RequestState) -> None:
    assert outcome_of(request("paused"), "run-1", 0, ended) is None


def test_a_set_that_was_finished_before_its_run_could_be_stopped_is_done() -> None:
    assert outcome_of(request("paused"), "run-1", 0, "done") == "done"


def test_a_set_that_is_being_deleted_is_left_alone() -> None:
    assert outcome_of(request("deleting"), "run-1", 0, "done") is None


def test_the_late_end_of_a_paused_run_does_not_end_the_attempt_after_it() -> None:
    assert outcome_of(request("requested", attempt=1), "run-1", 0, "cancelled") is None
    assert outcome_of(request("running", "run-2", attempt=1), "run-1", 0, "cancelled") is None


def test_a_run_that_never_began_ends_the_attempt_it_was_launched_for() -> None:
    assert outcome_of(request("requested", run_id=None), "run-1", 0, "cancelled") == "cancelled"
    assert outcome_of(request("requested", attempt=2), "run-3", 2, "failed") == "failed"
