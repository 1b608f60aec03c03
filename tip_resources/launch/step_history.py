"""What a run's events say about the earlier starts of a step: where, as which process, and how they ended."""

from collections.abc import Iterator
from dataclasses import dataclass

from dagster import DagsterEvent, DagsterEventType, DagsterInstance

from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.tags import STEP_NODE, STEP_WORKER

_FAILED = {DagsterEventType.STEP_FAILURE, DagsterEventType.STEP_UP_FOR_RETRY}
_ENDED = {DagsterEventType.STEP_SUCCESS, *_FAILED}


@dataclass(frozen=True)
class StepStart:
    """One start of a step on a node; `step_has_ended` says whether its events tell the end."""

    process: ProcessIdentity
    node: str
    step_has_ended: bool


def last_start(instance: DagsterInstance, run_id: str, step_key: str) -> StepStart | None:
    """The newest start of a step; None when it was never started, or by no executor of ours."""
    start = None
    for event in _events(instance, run_id, step_key):
        if event.event_type in _ENDED:
            start = StepStart(start.process, start.node, True) if start else None
        elif process := ProcessIdentity.from_json(_told(event, STEP_WORKER)):
            start = StepStart(process, _told(event, STEP_NODE), False)
    return start


def failed_on(instance: DagsterInstance, run_id: str, step_key: str) -> frozenset[str]:
    """The nodes on which earlier attempts of a step failed in this run."""
    node, failed = "", set[str]()
    for event in _events(instance, run_id, step_key):
        if event.event_type == DagsterEventType.STEP_WORKER_STARTING:
            node = _told(event, STEP_NODE)
        elif event.event_type in _FAILED and node:
            failed.add(node)
    return frozenset(failed)


def _events(instance: DagsterInstance, run_id: str, step_key: str) -> Iterator[DagsterEvent]:
    for entry in instance.all_logs(run_id, of_type={DagsterEventType.STEP_WORKER_STARTING, *_ENDED}):
        event = entry.dagster_event
        if event is not None and event.step_key == step_key:
            yield event


def _told(event: DagsterEvent, key: str) -> str:
    value = event.engine_event_data.metadata.get(key)
    return "" if value is None else str(value.value)
