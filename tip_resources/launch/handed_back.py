"""A step that is told to stop although its run goes on, or whose database or disk went away, is handed back, not
failed: it will be done again.

The first is what a machine being shut down looks like: everything gets SIGTERM. Dagster records a failure of the step,
so that the run fails at its next start although nothing was wrong. A step of a cancelled or failed run fails as ever.
The others happen to Dagster's own part of a step: its queries, which connect with patience but are not asked again,
and the files it hands from op to op. What our part meets is in step_failures.py.
"""

from typing import TYPE_CHECKING, Any

from dagster import DagsterEvent, DagsterRunStatus
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.plan import execute_plan
from dagster._core.execution.plan.objects import StepRetryData, step_failure_event_from_exc_info
from dagster._utils.error import serializable_error_info_from_exc_info

from tip_resources.database.trouble import is_database_away
from tip_resources.launch.step_failures import TRIES, WAIT_SECONDS
from tip_resources.upkeep.disk_trouble import disk_trouble

if TYPE_CHECKING:
    from dagster._core.execution.context.system import StepExecutionContext


def hand_back_blameless_steps() -> None:
    """From now on a step of this process is put up for retry when it is interrupted while its run is STARTED, and when
    it fails because the database went away or the disk takes nothing.

    Raises:
        AttributeError: Dagster has renamed the function; this module is pinned to one version of Dagster.
    """
    if not hasattr(execute_plan, "step_failure_event_from_exc_info"):
        raise AttributeError("dagster's execute_plan has no step_failure_event_from_exc_info any more")
    execute_plan.step_failure_event_from_exc_info = _failed_or_handed_back  # pyright: ignore[reportPrivateImportUsage]


def _failed_or_handed_back(
    step_context: "StepExecutionContext", exc_info: Any, *arguments: Any, **named: Any
) -> DagsterEvent:
    error = exc_info[1]
    if not step_context.retry_mode.disabled:
        info = serializable_error_info_from_exc_info(exc_info)
        if isinstance(error, KeyboardInterrupt | DagsterExecutionInterruptedError):
            run = step_context.instance.get_run_by_id(step_context.run_id)
            if run is not None and run.status == DagsterRunStatus.STARTED:
                return DagsterEvent.step_retry_event(step_context, StepRetryData(error=info, seconds_to_wait=None))
        elif (wait := _seconds_to_wait(error)) is not None and step_context.previous_attempt_count < TRIES:
            return DagsterEvent.step_retry_event(step_context, StepRetryData(error=info, seconds_to_wait=wait))
    return step_failure_event_from_exc_info(step_context, exc_info, *arguments, **named)


def _seconds_to_wait(error: BaseException) -> int | None:
    """Until a step that failed so is done again; None for what does not end by itself."""
    if disk_trouble(error):
        return WAIT_SECONDS
    return 1 if is_database_away(error) else None
