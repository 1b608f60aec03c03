"""Nothing leaves the run queue without the gate: the limit of the pool of runs follows the state of the fleet.

How many is decided in tip_resources/fleet/gate.py. A limit of 0 holds the queue, by whatever door a run came in; runs
that have begun go on. (`dg launch` and other ways to run in one's own process ask no queue, and so no gate.)
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from tip_assets.catalogue import RUN_POOL
from tip_assets.fleet.figures import GATE_KEY, gate_figures
from tip_assets.platform import Platform
from tip_resources.database.fleet_gate import GateRow, GateStore
from tip_resources.fleet.gate import GateDecision, decide
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.launch.tags import STARTED, WAITS_TAG
from tip_resources.upkeep.holding import why_nothing_starts

# Dagster's own limit of a pool; what it takes where dagster.yaml sets no limit of runs.
_LARGEST_POOL = 1000
# Queued runs that say why they wait; the oldest ones.
_MARKED_RUNS = 50
# Changing a run's tags rewrites all of them, so it must not meet the launch of that run, which adds the worker's to
# them. A launch that began before the queue was held has long ended after this.
_SETTLED_SECONDS = 15.0


def look(
    instance: dg.DagsterInstance,
    store: GateStore,
    fleet: KnownFleet,
    before: GateRow | None,
    now_unix_seconds: float,
    held: str | None = None,
) -> GateDecision:
    """Decides and puts the decision in force: in Dagster's pool first, then where everybody reads the reason.

    `held` says why nothing may start, whatever the machines are.
    """
    settings = fleet.settings.gate
    decision = decide(
        fleet.states(),
        settings,
        now_unix_seconds,
        None if before is None else before.memory,
        run_on=settings.run_on or (fleet.own_name,),
        most=most_runs(instance),
        held=held,
    )
    pools = instance.event_log_storage
    # Compared with Dagster's own figure, not with ours: somebody may have changed it in the web UI.
    if {pool.name: pool.limit for pool in pools.get_pool_limits()}.get(RUN_POOL) != decision.limit:
        pools.set_concurrency_slots(RUN_POOL, decision.limit)
    store.write(decision)
    return decision


def most_runs(instance: dg.DagsterInstance) -> int:
    """The limit of runs that dagster.yaml sets for whatever reason."""
    queue = instance.get_concurrency_config().run_queue_config
    return _LARGEST_POOL if queue is None or queue.max_concurrent_runs < 0 else queue.max_concurrent_runs


def may_mark(before: GateRow | None, decision: GateDecision) -> bool:
    """Whether tags of queued runs may be changed now: the queue has been held for a while and still is."""
    return decision.limit == 0 and before is not None and before.is_closed and before.held_seconds >= _SETTLED_SECONDS


def unmarked(queued: Sequence[dg.DagsterRun], *, same_kind: bool) -> list[str]:
    """Runs that do not say why they wait, or say another kind of reason. "started" comes from a run that was redone."""
    return [run.run_id for run in queued if not same_kind or run.tags.get(WAITS_TAG, STARTED) == STARTED]


@dg.sensor(
    name="fleet_gate",
    minimum_interval_seconds=2,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sets how many runs may go on at once, from the state of the machines; none holds the queue.",
)
def fleet_gate_sensor(context: dg.SensorEvaluationContext, platform: Platform) -> dg.SensorResult:
    """Reads the states, decides, sets the pool, tells the runs that wait."""
    platform.watch_if_nobody_does()
    now = datetime.now(UTC)
    store = platform.gate()
    before = store.read()
    held = why_nothing_starts(platform.folder, platform.fleet().settings, os.environ)
    decision = look(context.instance, store, platform.fleet(), before, now.timestamp(), held)
    marked = context.cursor
    if may_mark(before, decision):
        waiting = dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED])
        queued = context.instance.get_runs(waiting, limit=_MARKED_RUNS, ascending=True)
        for run_id in unmarked(queued, same_kind=marked == decision.kind):
            tag = {WAITS_TAG: f"{decision.reason} (as of {now:%H:%M} UTC)"}
            context.instance.add_run_tags(run_id, tag)
        marked = decision.kind
    changed = before is None or before.run_limit != decision.limit
    seen = dg.AssetObservation(GATE_KEY, metadata=gate_figures(decision.limit, decision.reason))
    return dg.SensorResult(skip_reason=decision.reason, cursor=marked, asset_events=[seen] if changed else [])
