"""Starts a run's steps on nodes with a free slot, watches their processes, and takes over those of a dead worker.

The loop around it is Dagster's (executor.py); a single process is in step_process.py.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, MetadataValue
from dagster._core.events import EngineEventData
from dagster._core.executor.step_delegating import CheckStepHealthResult, StepHandler, StepHandlerContext
from dagster._serdes import serialize_value

from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.placement import Placement, WorkRequest, place
from tip_resources.fleet.this_machine import ThisMachine
from tip_resources.launch.orders import Orders
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.step_process import AdoptedStep, StartMethod, StepProcess, start_step
from tip_resources.launch.stopping import kill_all
from tip_resources.launch.tags import NODE_TAG, REQUIRES_TAG, STEP_NODE, STEP_WHY, STEP_WORKER

NODE_VARIABLE = "TIP_NODE"
# A process may be seen to have ended before its last events are read.
_LAST_EVENTS_SECONDS = 2.0
# Dagster gives a step no limit for its clean-up after an interrupt; a person waits about this long.
_STOP_SECONDS = 10.0
_END_OF_STEP = {DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE, DagsterEventType.STEP_UP_FOR_RETRY}


class NodeStepHandler(StepHandler):
    """The steps of one run.

    Args:
        machine: Where they run.
        start_method: How their processes are made.
        folder: Where they run, in the sense of cwd; holds no `.env`.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        machine: ThisMachine,
        start_method: StartMethod,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._machine = machine
        self._start_method: StartMethod = start_method
        self._folder = folder
        self._clock = clock
        self._waiting: dict[str, StepHandlerContext] = {}
        self._started: dict[str, StepProcess] = {}
        self._ended_at: dict[str, float] = {}
        self._why_waiting: dict[str, str] = {}
        super().__init__()

    @property
    def name(self) -> str:
        return "NodeStepHandler"

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Takes the step in; it starts now or as soon as a slot is free."""
        self._waiting[_key(step_handler_context)] = step_handler_context
        self.start_waiting()
        return iter(())

    def start_waiting(self) -> None:
        """Starts what fits now, in the order it came. Called from the executor's loop."""
        for key, context in list(self._waiting.items()):
            state = self._node_state()
            placement = self._place(context.step_tags[key], state)
            if placement.node is not None:
                del self._waiting[key]
                self._start(key, context, placement)
            elif not state.accepts_work or state.slots_free:
                self._say_why_waiting(key, context, placement)  # a taken slot is not worth a word, all else is

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Healthy while it waits, runs, or has just ended; a step that ended without saying so is not."""
        key = _key(step_handler_context)
        if key in self._waiting:
            return CheckStepHealthResult.healthy()
        if key not in self._started and not self._take_over(key, step_handler_context):
            return CheckStepHealthResult.unhealthy("no process works on it")
        how = self._started[key].how_ended()
        if how is None:
            return CheckStepHealthResult.healthy()
        now = self._clock()
        if now - self._ended_at.setdefault(key, now) < _LAST_EVENTS_SECONDS:
            return CheckStepHealthResult.healthy()
        self.forget(key)
        return CheckStepHealthResult.unhealthy(f"its process ended before the step did: {how}")

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        key = _key(step_handler_context)
        self._waiting.pop(key, None)
        if key in self._started:
            self._started[key].stop()
        return iter(())

    def forget(self, step_key: str) -> None:
        """The step is over."""
        self._started.pop(step_key, None)
        self._ended_at.pop(step_key, None)
        self._why_waiting.pop(step_key, None)

    def stop_all(self) -> None:
        """Ends every step: first asks, then kills with all descendants. Returns when none is left."""
        self._waiting.clear()
        running = [process for process in self._started.values() if process.how_ended() is None]
        families = [family for process in running for family in _family(process.identity)]
        for process in running:
            process.stop()
        _, left = psutil.wait_procs(families, timeout=_STOP_SECONDS)
        kill_all(left)

    def _node_state(self) -> NodeState:
        used = sum(process.how_ended() is None for process in self._started.values())
        return self._machine.state(slots_used=used, queue_depth=len(self._waiting) - 1)

    def _place(self, tags: Mapping[str, str], state: NodeState) -> Placement:
        requires = frozenset(filter(None, (part.strip() for part in tags.get(REQUIRES_TAG, "").split(","))))
        settings = self._machine.settings
        request = WorkRequest(pinned_node=tags.get(NODE_TAG), requires=requires)
        return place(request, [state], settings.placement, settings.thermal)

    def _say_why_waiting(self, key: str, context: StepHandlerContext, placement: Placement) -> None:
        """In the run's events, once for each step and reason."""
        if self._why_waiting.get(key) == placement.why:
            return
        self._why_waiting[key] = placement.why
        DagsterEvent.engine_event(context.get_step_context(key), f"Waits: {placement.why}.", EngineEventData())

    def _start(self, key: str, context: StepHandlerContext, placement: Placement) -> None:
        node = placement.node or ""
        process = start_step(self._start_method, {NODE_VARIABLE: node}, self._folder)
        # On record before it may begin, so that a worker which takes the run over knows what already runs.
        DagsterEvent.step_worker_starting(
            context.get_step_context(key),
            message=f"Step {key} goes to {node} as process {process.identity.pid}.",
            metadata={
                STEP_NODE: MetadataValue.text(node),
                STEP_WHY: MetadataValue.text(placement.why),
                STEP_WORKER: MetadataValue.text(process.identity.to_json()),
            },
        )
        self._started[key] = process
        self._ended_at.pop(key, None)
        try:
            process.give_orders(Orders("execute_step", serialize_value(context.execute_step_args)))
        except BrokenPipeError:
            return  # Killed already: the health check finds it ended and says how.

    def _take_over(self, key: str, context: StepHandlerContext) -> bool:
        """Whether a process started by an earlier worker of this run still works on the step, or has ended it."""
        identity, ended = _on_record(context.instance, context.execute_step_args.run_id, key)
        if identity is None or not (ended or identity.is_alive()):
            return False
        self._started[key] = AdoptedStep(identity)
        return True


def _key(context: StepHandlerContext) -> str:
    keys = context.execute_step_args.step_keys_to_execute
    assert keys and len(keys) == 1, "the executor hands over one step at a time"
    return keys[0]


def _on_record(instance: DagsterInstance, run_id: str, key: str) -> tuple[ProcessIdentity | None, bool]:
    """The process last started for a step, and whether the step has ended since."""
    identity, ended = None, False
    for entry in instance.all_logs(run_id, of_type={DagsterEventType.STEP_WORKER_STARTING, *_END_OF_STEP}):
        event = entry.dagster_event
        if event is None or event.step_key != key:
            continue
        ended = event.event_type in _END_OF_STEP
        if not ended:
            text = event.engine_event_data.metadata.get(STEP_WORKER)
            identity = ProcessIdentity.from_json(str(text.value)) if text else None
    return identity, ended


def _family(identity: ProcessIdentity) -> list[psutil.Process]:
    """A step's process with all its descendants, as they are now."""
    try:
        process = psutil.Process(identity.pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
