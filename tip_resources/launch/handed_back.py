"""A step that is told to stop although its run goes on is handed back, not failed: it will be done again.

That is what a machine being shut down looks like: everything gets SIGTERM. Dagster records a failure of the step, so
that the run fails at its next start although nothing was wrong. A step of a cancelled or failed run fails as ever.
"""

from typing import TYPE_CHECKING, Any

from dagster import DagsterEvent, DagsterRunStatus
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.plan import execute_plan
from dagster._core.execution.plan.objects import StepRetryData, step_failure_event_from_exc_info
from dagster._utils.error import serializable_error_info_from_exc_info

if TYPE_CHECKING:
    from dagster._core.execution.context.system import StepExecutionContext


def hand_back_when_interrupted() -> None:
    """From now on a step of this process that is interrupted while its run is STARTED is put up for retry.

    Raises:
        AttributeError: Dagster has renamed the function; this module is pinned to one version of Dagster.
    """
    if not hasattr(execute_plan, "step_failure_event_from_exc_info"):
        raise AttributeError("dagster's execute_plan has no step_failure_event_from_exc_info any more")
    execute_plan.step_failure_event_from_exc_info = _failed_or_handed_back  # pyright: ignore[reportPrivateImportUsage]


def _failed_or_handed_back(
    step_context: "StepExecutionContext", exc_info: Any, *arguments: Any, **named: Any
) -> DagsterEvent:
    is_interrupt = isinstance(exc_info[1], KeyboardInterrupt | DagsterExecutionInterruptedError)
    if is_interrupt and not step_context.retry_mode.disabled:
        run = step_context.instance.get_run_by_id(step_context.run_id)
        if run is not None and run.status == DagsterRunStatus.STARTED:
            error = serializable_error_info_from_exc_info(exc_info)
            return DagsterEvent.step_retry_event(step_context, StepRetryData(error=error, seconds_to_wait=None))
    return step_failure_event_from_exc_info(step_context, exc_info, *arguments, **named)
