"""`node_executor`: runs each step in a process of its own, on a node with a free slot, from a warm fork server.

What happens to a single step is in step_handler.py. This is the executor of all our jobs.
"""

import logging
from collections.abc import Generator, Sequence
from typing import Any

from dagster import (
    DagsterEvent,
    DagsterInstance,
    DagsterRunStatus,
    Enum,
    EnumValue,
    Field,
    InitExecutorContext,
    Int,
    Noneable,
    executor,
    multiple_process_executor_requirements,
)
from dagster._core.execution.context.system import IStepContext, PlanOrchestrationContext
from dagster._core.execution.plan.objects import StepRetryData
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.retries import RetryMode, get_retries_config
from dagster._core.executor.step_delegating import StepDelegatingExecutor
from dagster_postgres.utils import DagsterPostgresException
from dagster_shared.error import SerializableErrorInfo
from sqlalchemy.exc import SQLAlchemyError

from tip_resources.database.connection import database
from tip_resources.database.step_leases import StepLeaseStore
from tip_resources.domain.failures import TransientFailure
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.home import state_folder
from tip_resources.launch.step_backend import LocalBackend
from tip_resources.launch.step_handler import NodeStepHandler
from tip_resources.launch.step_process import BEST_START_METHOD, prepare
from tip_resources.launch.step_slots import StepSlots
from tip_resources.settings.live import LiveSettings

_logger = logging.getLogger(__name__)

# Between looks at the event log: short while steps come and go, longer while one works.
_SHORTEST_SLEEP_SECONDS = 0.05
_LONGEST_SLEEP_SECONDS = 0.2
_SLOWING_FACTOR = 1.2
# A look at a process of ours costs microseconds.
_HEALTH_CHECK_SECONDS = 1
# Of a step whose process was killed. What kills it a third time (its memory, as a rule) is not bad luck.
_TRIES_AGAIN = 2

_CONFIG = {
    "retries": get_retries_config(),
    "slots": Field(
        Noneable(Int),
        default_value=None,
        description="Steps at once on a node; none takes its step_slots.",
    ),
    "start_method": Field(
        Enum("StartMethod", [EnumValue("forkserver"), EnumValue("pool"), EnumValue("subprocess")]),
        default_value=BEST_START_METHOD,
        description="How step processes are made. Systems without fork have no forkserver.",
    ),
}


class NodeExecutor(StepDelegatingExecutor):
    """Dagster's delegating loop, with four changes: steps may wait for a slot, it looks often while much
    happens, a step whose process was killed is done again although its op has no retry policy (what it stores is
    whole or not there), and no step outlives a cancelled run (with run resuming on, Dagster leaves them running:
    its `run_will_resume` does not look at CANCELING; dagster-io/dagster issues 33923 and 21476)."""

    def __init__(self, handler: NodeStepHandler, retries: RetryMode | None) -> None:
        self._handler = handler
        self._is_away = False
        super().__init__(
            handler,
            retries or RetryMode.ENABLED,
            sleep_seconds=_SHORTEST_SLEEP_SECONDS,
            check_step_health_interval_seconds=_HEALTH_CHECK_SECONDS,
            # The launcher refuses a second worker for a run and the handler takes over living steps, so a step is
            # never started twice; Dagster's own check would refuse to restart the steps of a dead worker.
            should_verify_step=False,
        )

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Generator[DagsterEvent, Any, None]:
        self._handler.begin(plan_context.instance, plan_context.run_id)
        try:
            for event in super().execute(plan_context, execution_plan):
                if event.is_step_success:
                    self._handler.ended(event.step_key or "", "succeeded")
                elif event.is_step_failure or event.is_step_up_for_retry:
                    self._handler.ended(event.step_key or "", "failed")
                yield event
        finally:
            run = plan_context.instance.get_run_by_id(plan_context.run_id)
            if run is None or run.status != DagsterRunStatus.STARTED:
                self._handler.stop_all()

    def log_failure_or_retry_event_after_error(
        self, step_context: IStepContext, err_info: SerializableErrorInfo, known_state: KnownExecutionState
    ) -> DagsterEvent:
        """Called for a step whose process ended before it said how, and for one that raised before it began."""
        attempts = known_state.get_retry_state().get_attempt_count(step_context.step.key)
        was_killed = err_info.cls_name is None
        if was_killed and attempts < _TRIES_AGAIN and not step_context.retry_mode.disabled:
            return DagsterEvent.step_retry_event(step_context, StepRetryData(error=err_info, seconds_to_wait=None))
        return super().log_failure_or_retry_event_after_error(step_context, err_info, known_state)

    def _pop_events(self, instance: DagsterInstance, run_id: str, seen_storage_ids: set[int]) -> Sequence[DagsterEvent]:
        """Called once per round of the loop."""
        self._handler.look_after()
        events = self._new_events(instance, run_id, seen_storage_ids)
        slower = min(self._sleep_seconds * _SLOWING_FACTOR, _LONGEST_SLEEP_SECONDS)
        self._sleep_seconds = _SHORTEST_SLEEP_SECONDS if events else slower
        return events

    def _new_events(self, instance: DagsterInstance, run_id: str, seen: set[int]) -> Sequence[DagsterEvent]:
        """None while the database is away: an exception here would end the run's worker."""
        try:
            events = super()._pop_events(instance, run_id, seen)
        except (SQLAlchemyError, DagsterPostgresException, TransientFailure) as error:
            if not self._is_away:
                _logger.warning("Steps that run go on, and what they did is read later: %s", error)
            self._is_away = True
            return ()
        self._is_away = False
        return events


@executor(name="tip_node", config_schema=_CONFIG, requirements=multiple_process_executor_requirements())
def node_executor(init_context: InitExecutorContext) -> NodeExecutor:
    """Runs each step in a process of its own on a node with a free slot."""
    config: Any = init_context.executor_config
    # A run worker of ours has prepared the best one long since (worker.py); `dg launch` and others have not.
    job: Any = init_context.job
    pointer = job.get_python_origin().get_repo_pointer()
    module = getattr(pointer, "module", None)
    folder = getattr(pointer, "working_directory", None)
    prepare(config["start_method"], state_folder(), [module] if module else [], folder)
    engine = database()
    fleet = KnownFleet(engine, LiveSettings().current)
    backend = LocalBackend(fleet, config["start_method"], state_folder())
    handler = NodeStepHandler(fleet, backend, StepSlots(StepLeaseStore(engine)), config["slots"])
    return NodeExecutor(handler, RetryMode.from_config(config["retries"]))
