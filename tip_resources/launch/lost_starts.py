"""What becomes of a run whose worker has ended before the run began, or while it was being cancelled.

Dagster looks at the workers of runs that have begun only; such a run would wait for the start timeout and fail, or
for the cancel timeout. It has done nothing yet, so it goes back into the queue, as Dagster does it when a code server
cannot be reached.
"""

from collections.abc import Callable

from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.run_watch import worker_of
from tip_resources.launch.stopping import kill_tree
from tip_resources.launch.tags import STEP_WORKER

# As often as a run that has begun is resumed (dagster.yaml): what ends a third worker is not bad luck.
MOST_STARTS = 3


def settle(
    instance: DagsterInstance,
    run_id: str,
    worker: ProcessIdentity | None,
    how: str,
    debug_info: Callable[[DagsterRun], str | None],
) -> None:
    """Called when `worker` has ended, `how` says in which way. Runs that have begun or are over are left alone.

    Args:
        instance: Where the run is on record.
        run_id: The run.
        worker: Its worker on record; another one has taken over when the record says so.
        how: For people.
        debug_info: The end of the worker's log, for a run that is given up.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or worker_of(run) != worker:
        return
    if run.status == DagsterRunStatus.CANCELING:
        kill_steps(instance, run_id)
        instance.report_run_canceled(run, f"The run worker has ended ({how}).")
    elif run.status == DagsterRunStatus.STARTING:
        _start_again(instance, run, how, debug_info)


def _start_again(
    instance: DagsterInstance, run: DagsterRun, how: str, debug_info: Callable[[DagsterRun], str | None]
) -> None:
    starts = len(instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_STARTING))
    what = f"The run worker ended before the run began ({how})"
    if starts >= MOST_STARTS:
        instance.report_run_failed(run, f"{what}, {starts} times.\n{debug_info(run)}")
        return
    instance.report_engine_event(f"{what}; the run goes back into the queue ({starts} of {MOST_STARTS}).", run)
    instance.report_dagster_event(DagsterEvent.job_enqueue(run), run_id=run.run_id)


def kill_steps(instance: DagsterInstance, run_id: str) -> None:
    """Ends what a worker that died has left at work."""
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.STEP_WORKER_STARTING):
        event = entry.dagster_event
        text = event.engine_event_data.metadata.get(STEP_WORKER) if event else None
        identity = ProcessIdentity.from_json(str(text.value)) if text else None
        if identity is not None:
            kill_tree(identity)
