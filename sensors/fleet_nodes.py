"""Machines as Dagster shows them: observed when their status changes and every 15 minutes, never once per poll.

A machine that is lost or back, and one that was drained and has nothing of ours left, is put on record as well.
Watching the machines is tip_resources/fleet's work; here it is only told.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
import msgspec

from tip_assets.fleet.figures import GATE_KEY, gate_figures, node_figures, node_key
from tip_assets.fleet.plots import history_markdown
from tip_assets.platform import Platform
from tip_resources.database import audit
from tip_resources.database.node_reports import NodeReportStore
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.noted_names import note_names
from tip_resources.fleet.under_way import NOTHING, UnderWay

# 50 machines at this rate are 4,800 observations a day, some 25 MB of Dagster's event log with their pictures.
OBSERVE_EVERY_SECONDS = 900.0
_HISTORY_HOURS = 24
DRAINED = "drained: nothing of ours runs there any more"


class Seen(msgspec.Struct, frozen=True):
    """What one look leaves to the next: when all machines were observed, and the status of each."""

    observed_at: float
    statuses: dict[str, str]


class Look(msgspec.Struct, frozen=True):
    """Names of machines: to observe now, lost since the last look, and back."""

    observe: tuple[str, ...]
    lost: tuple[str, ...]
    back: tuple[str, ...]
    is_of_all: bool
    seen: Seen


def decide(states: Sequence[NodeState], seen: Seen | None, now_unix_seconds: float) -> Look:
    """What changed. A machine seen for the first time is neither lost nor back."""
    before = {} if seen is None else seen.statuses
    statuses: dict[str, str] = {state.node: state.status for state in states}
    changed = tuple(node for node, status in statuses.items() if before.get(node) != status)
    # A clock that was set back must not silence them until it has caught up.
    is_of_all = seen is None or not 0 <= now_unix_seconds - seen.observed_at < OBSERVE_EVERY_SECONDS
    return Look(
        observe=tuple(statuses) if is_of_all else changed,
        lost=tuple(node for node in changed if node in before and statuses[node] == "lost"),
        back=tuple(node for node in changed if before.get(node) == "lost"),
        is_of_all=is_of_all,
        seen=Seen(now_unix_seconds if is_of_all or seen is None else seen.observed_at, statuses),
    )


def what_happened(node: str, look: Look, work: UnderWay) -> str:
    """For example "lost; it held write_shard[all] (1f0c6a52)"; empty where it was only looked at."""
    if node in look.lost:
        return f"lost; it held {', '.join(work.steps)}" if work.steps else "lost; it held no step of ours"
    return "back" if node in look.back else ""


@dg.sensor(
    name="node_states",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Observes each machine when its status changes and every 15 minutes; puts lost ones on record.",
)
def node_states_sensor(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    """Reads the states, decides, observes."""
    states = {state.node: state for state in platform.fleet().states()}
    note_names(platform.folder, states)
    seen = msgspec.json.decode(context.cursor, type=Seen) if context.cursor else None
    look = decide(list(states.values()), seen, time.time())
    if not look.observe:
        return dg.SkipReason("No machine has changed its status.")
    work = platform.under_way()
    events = []
    for node in look.observe:
        said = what_happened(node, look, work.get(node, NOTHING))
        if said:
            action = "node.lost" if node in look.lost else "node.back"
            detail = {"reason": states[node].reason, "steps": work.get(node, NOTHING).steps}
            audit.append(platform.database(), "tip", action, node, detail)
        figures = node_figures(states[node], work.get(node, NOTHING), said)
        history = {"history": dg.MetadataValue.md(history_of(platform, node))}
        events.append(dg.AssetObservation(node_key(node), metadata={**figures, **history}))
    gate = platform.gate().read() if look.is_of_all else None
    if gate is not None:
        events.append(dg.AssetObservation(GATE_KEY, metadata=gate_figures(gate.run_limit, gate.reason)))
    words = "; ".join(states[node].described(time.time()) for node in look.observe[:10])
    rest = f"; and {len(look.observe) - 10} more" if len(look.observe) > 10 else ""
    return dg.SensorResult(
        skip_reason=words + rest, cursor=msgspec.json.encode(look.seen).decode(), asset_events=events
    )


def history_of(platform: Platform, node: str) -> str:
    """The temperatures of a machine over the last day, as a picture."""
    thermal = platform.fleet().settings.thermal
    points = NodeReportStore(platform.database()).history(node, datetime.now(UTC) - timedelta(hours=_HISTORY_HOURS))
    return history_markdown(
        points, cpu_limit_celsius=thermal.cpu_limit_celsius, gpu_limit_celsius=thermal.gpu_limit_celsius
    )


def newly_drained(
    draining: Sequence[NodeState], work: Mapping[str, UnderWay], told: Mapping[str, float]
) -> list[NodeState]:
    """Machines under an order that have nothing of ours left. `told`: since when those told of were under theirs."""
    return [
        state
        for state in draining
        if work.get(state.node, NOTHING).is_nothing and told.get(state.node) != state.since_unix_seconds
    ]


@dg.sensor(
    name="drained_nodes",
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Says when a machine that was paused or drained has nothing of ours left.",
)
def drained_nodes_sensor(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult | dg.SkipReason:
    """Reads who is under an order, looks what is left there, tells."""
    states = [state for state in platform.fleet().states() if state.status == "draining"]
    if not states:
        return dg.SensorResult(skip_reason="No machine is paused or drained.", cursor="{}")
    work = platform.under_way()
    told: dict[str, float] = msgspec.json.decode(context.cursor or "{}", type=dict[str, float])
    new = newly_drained(states, work, told)
    # Of a machine that goes on under the same order it has been told; under another one it is told anew.
    told = {
        state.node: state.since_unix_seconds
        for state in states
        if state in new or told.get(state.node) == state.since_unix_seconds
    }
    events = []
    for state in new:
        audit.append(platform.database(), "tip", "node.drained", state.node, {"reason": state.reason})
        figures = node_figures(state, work.get(state.node, NOTHING), DRAINED)
        events.append(dg.AssetObservation(node_key(state.node), metadata=figures))
    words = "; ".join(f"{state.node}: {_left(work.get(state.node, NOTHING))}" for state in states)
    return dg.SensorResult(skip_reason=words, cursor=msgspec.json.encode(told).decode(), asset_events=events)


def _left(work: UnderWay) -> str:
    return DRAINED if work.is_nothing else f"{work.words} of ours are still there"
