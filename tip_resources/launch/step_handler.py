"""Starts a run's steps on nodes with a free slot, watches their processes, and takes over those of a dead worker.

The loop around it is Dagster's (executor.py); a single process is in step_process.py.
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import psutil
from dagster import DagsterEvent, DagsterInstance, MetadataValue
from dagster._core.events import EngineEventData
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.executor.step_delegating import CheckStepHealthResult, StepHandler, StepHandlerContext
from dagster._serdes import serialize_value
from dagster_shared.error import SerializableErrorInfo

from tip_resources.database.step_leases import Outcome
from tip_resources.domain.failures import BadInput
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.placement import Placement, WorkRequest, place
from tip_resources.launch.orders import Orders
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.step_backend import StepBackend
from tip_resources.launch.step_history import failed_on, still_running
from tip_resources.launch.step_process import AdoptedStep, StepProcess
from tip_resources.launch.step_slots import DatabaseAway, StepSlots, Usage
from tip_resources.launch.step_wishes import never_met, wishes
from tip_resources.launch.stopping import kill_all
from tip_resources.launch.tags import STEP_NODE, STEP_WHY, STEP_WORKER

NODE_VARIABLE = "TIP_NODE"
# A process may be seen to have ended before its last events are read.
_LAST_EVENTS_SECONDS = 2.0
# Dagster gives a step no limit for its clean-up after an interrupt; a person waits about this long.
_STOP_SECONDS = 10.0
# Between two questions whether a waiting step may start; each costs a query.
_ASK_SECONDS = 0.5
# Of a thousand steps that wait for the same, so many say what for.
_SAYING = 20


@dataclass
class _Waiting:
    """A step that has not started. `told` is what it said last that it waits for."""

    context: StepHandlerContext
    request: WorkRequest
    told: frozenset[tuple[str, str]] = frozenset()


class NodeStepHandler(StepHandler):
    """The steps of one run.

    Args:
        fleet: The state of all nodes.
        backend: Where steps can be started.
        slots: Agrees with other runs on the slots of each node.
        slots_per_node: Steps at once on a node that is not throttled; None takes what its settings say.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        fleet: KnownFleet,
        backend: StepBackend,
        slots: StepSlots,
        slots_per_node: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fleet = fleet
        self._backend = backend
        self._slots = slots
        self._slots_per_node = slots_per_node
        self._clock = clock
        self._waiting: dict[str, _Waiting] = {}
        self._started: dict[str, StepProcess] = {}
        self._ended_at: dict[str, float] = {}
        self._ask_at = 0.0
        super().__init__()

    @property
    def name(self) -> str:
        return "NodeStepHandler"

    def begin(self, instance: DagsterInstance, run_id: str) -> None:
        """Before the first step of a run; takes over the living steps of an earlier worker with their slots, before
        any other step could take these."""
        self._slots.begin(run_id)
        for key, start in still_running(instance, run_id).items():
            self._started[key] = AdoptedStep(start.process)
            self._slots.adopt(key, start.node, start.process.pid)

    def launch_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        """Takes the step in; it starts now or as soon as a slot is free. One with a bad tag fails."""
        key = _key(step_handler_context)
        try:
            request = _request(key, step_handler_context)
        except BadInput as error:
            failure = StepFailureData(SerializableErrorInfo(str(error), [], None), user_failure_data=None)
            DagsterEvent.step_failure_event(step_handler_context.get_step_context(key), failure, str(error))
            return iter(())
        if not self._waiting:  # else those before it are asked for soon, and it with them
            self._ask_at = self._clock()
        self._waiting[key] = _Waiting(step_handler_context, request)
        self.look_after()
        return iter(())

    def look_after(self) -> None:
        """Keeps the slots of what runs and starts what may. Called from the executor's loop, often."""
        self._slots.renew()
        if self._waiting and self._clock() >= self._ask_at:
            self._ask_at = self._clock() + _ASK_SECONDS
            self._start_waiting()

    def _start_waiting(self) -> None:
        """Starts what fits now, in the order it came, and stands in line for what does not."""
        try:
            usage = self._slots.usage()
        except DatabaseAway:
            return
        fleet, settings = self._fleet.states(), self._fleet.settings
        nodes = {state.node: state for state in self._as_places(self._backend.reachable(fleet), usage)}
        first_in_line: dict[str, str] = {}
        left = 0
        for key, step in list(self._waiting.items()):
            if left >= _SAYING and not any(node.accepts_work and node.slots_free for node in nodes.values()):
                break
            placement = place(step.request, list(nodes.values()), settings.placement, settings.thermal)
            node = None if placement.node is None else nodes[placement.node]
            if node is None:
                left += 1
                for name in _full(placement):
                    first_in_line.setdefault(name, key)
                if left <= _SAYING:
                    self._say_why_waiting(
                        key, step, placement, usage, never_met(step.request, [*nodes.values()], fleet)
                    )
            elif self._slots.take(key, node.node, node.slots):
                del self._waiting[key]
                self._start(key, step.context, placement)
                nodes[node.node] = replace(node, slots_used=node.slots_used + 1)
            else:  # another run was faster, or has waited longer
                first_in_line.setdefault(node.node, key)
                nodes[node.node] = replace(node, slots_used=node.slots)
        for name, key in first_in_line.items():
            self._slots.wait(key, name)

    def _as_places(self, states: Sequence[NodeState], usage: Usage) -> list[NodeState]:
        """The nodes with their slots, what all runs hold of them, and how many steps wait for them."""
        used = Counter(lease.node for lease in usage.held)
        others = Counter(lease.node for lease in usage.waiting)
        ours = len(self._waiting) - 1
        return [
            replace(
                state,
                slots=self._slots_of(state),
                slots_used=used[state.node],
                queue_depth=ours + others[state.node],
            )
            for state in states
        ]

    def _slots_of(self, state: NodeState) -> int:
        if self._slots_per_node is None:
            return state.slots
        if state.status != "throttled":
            return self._slots_per_node
        return max(1, math.floor(self._slots_per_node * self._fleet.settings.thermal.throttle_factor))

    def check_step_health(self, step_handler_context: StepHandlerContext) -> CheckStepHealthResult:
        """Healthy while it waits, runs, or has just ended; a step that ended without saying so is not."""
        key = _key(step_handler_context)
        if key in self._waiting:
            return CheckStepHealthResult.healthy()
        if key not in self._started:
            return CheckStepHealthResult.unhealthy("no process works on it")
        how = self._started[key].how_ended()
        if how is None:
            return CheckStepHealthResult.healthy()
        now = self._clock()
        if now - self._ended_at.setdefault(key, now) < _LAST_EVENTS_SECONDS:
            return CheckStepHealthResult.healthy()
        return CheckStepHealthResult.unhealthy(f"its process ended before the step did: {how}")

    def terminate_step(self, step_handler_context: StepHandlerContext) -> Iterator[DagsterEvent]:
        key = _key(step_handler_context)
        self._waiting.pop(key, None)
        if key in self._started:
            self._started[key].stop()
        return iter(())

    def ended(self, step_key: str, outcome: Outcome) -> None:
        """The step is over; its slot is free for the next, of whichever run."""
        self._started.pop(step_key, None)
        self._ended_at.pop(step_key, None)
        self._slots.release(step_key, outcome)
        self._ask_at = self._clock()

    def stop_all(self) -> None:
        """Ends every step: first asks, then kills with all descendants. Returns when none is left and no slot held."""
        self._waiting.clear()
        running = [process for process in self._started.values() if process.how_ended() is None]
        families = [family for process in running for family in _family(process.identity)]
        for process in running:
            process.stop()
        _, left = psutil.wait_procs(families, timeout=_STOP_SECONDS)
        kill_all(left)
        self._slots.release_all()

    def _say_why_waiting(self, key: str, step: _Waiting, placement: Placement, usage: Usage, never: str | None) -> None:
        """In the run's events, once for each step and kind of reason: not again when only a figure changed.

        A slot taken by this very run is not worth a word, all else is.
        """
        full, run_id = _full(placement), step.context.execute_step_args.run_id
        others = Counter(lease.run_id[:8] for lease in usage.held if lease.node in full and lease.run_id != run_id)
        if full and not others:
            return
        kinds = placement.kinds if never is None else frozenset({("", "never")})
        if step.told == kinds:
            return
        step.told = kinds
        by = ", ".join(f"run {run} holds {count}" for run, count in sorted(others.items()))
        why = never or placement.why + (f" ({by})" if by else "")
        DagsterEvent.engine_event(step.context.get_step_context(key), f"Waits: {why}.", EngineEventData())

    def _start(self, key: str, context: StepHandlerContext, placement: Placement) -> None:
        node = placement.node or ""
        process = self._backend.start(node, {NODE_VARIABLE: node})
        self._slots.works(key, process.identity.pid)
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


def _key(context: StepHandlerContext) -> str:
    keys = context.execute_step_args.step_keys_to_execute
    assert keys and len(keys) == 1, "the executor hands over one step at a time"
    return keys[0]


def _full(placement: Placement) -> frozenset[str]:
    """Nodes that could take the work but for a free slot."""
    return frozenset(node for node, kind in placement.kinds if kind == "full")


def _request(key: str, context: StepHandlerContext) -> WorkRequest:
    """What the step asks of its node, which is not to be one where it failed.

    Raises:
        BadInput: A tag with a value that cannot be used.
    """
    arguments = context.execute_step_args
    known = arguments.known_state
    is_retry = known is not None and known.get_retry_state().get_attempt_count(key) > 0
    avoid = failed_on(context.instance, arguments.run_id, key) if is_retry else frozenset()
    return wishes(context.step_tags[key], key=f"{arguments.run_id} {key}", avoid=avoid)


def _family(identity: ProcessIdentity) -> list[psutil.Process]:
    """A step's process with all its descendants, as they are now."""
    try:
        process = psutil.Process(identity.pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
