"""What a run's events say about the starts of its steps: where, as which process, and how they ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dagster import DagsterEvent, DagsterEventType, DagsterInstance

from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.launch.tags import STEP_NODE, STEP_WORKER

_FAILED = {DagsterEventType.STEP_FAILURE, DagsterEventType.STEP_UP_FOR_RETRY}
_ENDED = {DagsterEventType.STEP_SUCCESS, *_FAILED}


@dataclass(frozen=True)
class StepStart:
    """A step's process, and the node it is on."""

    process: ProcessIdentity
    node: str


def still_running(instance: DagsterInstance, run_id: str) -> Mapping[str, StepStart]:
    """The steps that an earlier worker of the run started and whose processes live, by key."""
    starts: dict[str, StepStart] = {}
    for event in _events(instance, run_id):
        key = event.step_key or ""
        if event.event_type in _ENDED:
            starts.pop(key, None)
        elif process := ProcessIdentity.from_json(_told(event, STEP_WORKER)):
            starts[key] = StepStart(process, _told(event, STEP_NODE))
    return {key: start for key, start in starts.items() if start.process.is_alive()}


def failed_on(instance: DagsterInstance, run_id: str, step_key: str) -> frozenset[str]:
    """The nodes on which earlier attempts of a step failed in this run."""
    node, failed = "", set[str]()
    for event in _events(instance, run_id):
        if event.step_key != step_key:
            continue
        if event.event_type == DagsterEventType.STEP_WORKER_STARTING:
            node = _told(event, STEP_NODE)
        elif event.event_type in _FAILED and node:
            failed.add(node)
    return frozenset(failed)


def _events(instance: DagsterInstance, run_id: str) -> Iterator[DagsterEvent]:
    for entry in instance.all_logs(run_id, of_type={DagsterEventType.STEP_WORKER_STARTING, *_ENDED}):
        if entry.dagster_event is not None:
            yield entry.dagster_event


def _told(event: DagsterEvent, key: str) -> str:
    value = event.engine_event_data.metadata.get(key)
    return "" if value is None else str(value.value)
