"""Dagster's table of runs with one rule more: a run that is over, or being cancelled, never begins.

Dagster sets a run to STARTED whatever it was. A worker that was stopped for a while just before that moment would
bring a run back to life that was failed, and perhaps retried, in the meantime.
"""

from datetime import datetime

from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus
from dagster._core.storage.runs.schema import RunsTable
from dagster._serdes import serialize_value
from dagster._time import get_current_datetime
from dagster_postgres import PostgresRunStorage

_NEVER_BEGIN = (
    DagsterRunStatus.SUCCESS,
    DagsterRunStatus.FAILURE,
    DagsterRunStatus.CANCELED,
    DagsterRunStatus.CANCELING,
)


class RunIsOver(BaseException):
    """The run must not begin. No Exception: Dagster would report those as a failure of the run."""


class TipRunStorage(PostgresRunStorage):
    """PostgresRunStorage that decides in one statement whether a run begins."""

    def handle_run_event(self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None) -> None:
        """Called for every event of a run.

        Raises:
            RunIsOver: The event would begin a run that is over or being cancelled; the run stays as it is.
        """
        run = self._get_run_by_id(run_id) if event.event_type == DagsterEventType.RUN_START else None
        if run is None:
            return super().handle_run_event(run_id, event, update_timestamp)
        when = update_timestamp or get_current_datetime()
        begin = (
            RunsTable.update()
            .where(RunsTable.c.run_id == run_id, RunsTable.c.status.not_in([status.value for status in _NEVER_BEGIN]))
            .values(
                run_body=serialize_value(run.with_status(DagsterRunStatus.STARTED)),
                status=DagsterRunStatus.STARTED.value,
                update_timestamp=when,
                start_time=when.timestamp(),
            )
        )
        with self.connect() as connection:
            if connection.execute(begin).rowcount == 0:
                raise RunIsOver(f"run {run_id} was over before it began")
        return None
