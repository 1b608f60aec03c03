"""When a run ends, its data set's row says so: done, failed or cancelled.

Dagster tells it a moment later, when the set may be paused, or may wait for its next run: `outcome_of` decides.
"""

import dagster as dg

from tip_assets.jobs import make_dataset
from tip_assets.platform import Platform
from tip_assets.steps import attempt_of
from tip_resources.database.requests import DatasetRequest, RequestState

_OUTCOMES: dict[dg.DagsterRunStatus, RequestState] = {
    dg.DagsterRunStatus.SUCCESS: "done",
    dg.DagsterRunStatus.FAILURE: "failed",
    dg.DagsterRunStatus.CANCELED: "cancelled",
}
# A person's word stands: the run of a paused set ends because it was paused. One that came too late does not.
_STANDS: frozenset[RequestState] = frozenset({"paused", "cancelled"})


def outcome_of(request: DatasetRequest, run_id: str, attempt: int | None, ended: RequestState) -> RequestState | None:
    """The state a request comes to by the end of a run; None where it stays as it is.

    Args:
        request: The request now.
        run_id: The run.
        attempt: The attempt it was launched for; None where it does not say.
        ended: How it ended.
    """
    if request.state in (ended, "deleting") or (request.state in _STANDS and ended != "done"):
        return None
    if request.state == "requested":  # the run has not begun, or is one of before and the set waits for its next
        return ended if (attempt or 0) == request.attempt else None
    return ended if request.run_id == run_id else None


def _outcome_sensor(status: dg.DagsterRunStatus, state: RequestState) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"runs_{state}",
        run_status=status,
        monitored_jobs=[make_dataset],
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Marks a data set as {state} when its run ends so.",
    )
    def note_outcome(context: dg.RunStatusSensorContext, platform: Platform) -> None:
        run = context.dagster_run
        dataset = run.tags.get("dagster/partition")
        row = platform.requests().get(dataset) if dataset else None
        if row is None:
            return
        outcome = outcome_of(row, run.run_id, attempt_of(run), state)
        if outcome is not None:
            platform.requests().set_state(row.dataset, outcome, run_id=run.run_id)

    return note_outcome


run_outcome_sensors = [_outcome_sensor(status, state) for status, state in _OUTCOMES.items()]
