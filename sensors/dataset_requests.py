"""A row in dataset_requests becomes a partition and a run, exactly once.

The row's id with its attempt is the run key, so a tick that dies between adding the partition and launching the run
is simply repeated: adding a partition twice changes nothing, and Dagster launches a run key once. A set that is paused
does not wait; a run that was launched for it in that very moment is refused when it begins (`RequestStore.begin`).
"""

from collections.abc import Sequence

import dagster as dg
import msgspec

from tip_assets.jobs import MAKE_DATASET
from tip_assets.partitions import datasets
from tip_assets.platform import Platform
from tip_resources.database.fleet_gate import GateRow
from tip_resources.database.requests import DatasetRequest
from tip_resources.domain.priority import PRIORITY_TAG, QUEUE_PRIORITY
from tip_resources.launch.tags import ATTEMPT_TAG

# A tick launches at most this many; the next one, a second later, takes the next.
LAUNCHES_PER_TICK = 25


class Launch(msgspec.Struct, frozen=True):
    """One run to ask for."""

    run_key: str
    dataset: str
    tags: dict[str, str]


class Skip(msgspec.Struct, frozen=True):
    """Nothing to do, and why, in words an operator would use."""

    reason: str


def decide(waiting: Sequence[DatasetRequest], gate: GateRow | None = None) -> list[Launch] | Skip:
    """One launch for every request that waits, unless the gate is closed."""
    if not waiting:
        return Skip("No data set waits to be made. Ask for one with `tip request`.")
    if gate is not None and gate.is_closed:
        count = "1 data set waits" if len(waiting) == 1 else f"{len(waiting)} data sets wait"
        return Skip(f"{count}: {gate.reason}")
    return [
        Launch(
            # A set that is asked for again needs a run of its own.
            run_key=f"{request.id}/{request.attempt}" if request.attempt else request.id,
            dataset=request.dataset,
            tags={
                "tip/request": request.id,
                "tip/requested_by": request.spec.requested_by or "unknown",
                ATTEMPT_TAG: str(request.attempt),
                PRIORITY_TAG: str(QUEUE_PRIORITY[request.spec.priority]),
            },
        )
        for request in waiting
    ]


@dg.sensor(
    name="dataset_requests",
    job_name=MAKE_DATASET,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Launches a run for every data set that was asked for.",
)
def dataset_requests_sensor(platform: Platform) -> dg.SensorResult | dg.SkipReason:
    """Reads what waits, decides, launches."""
    decision = decide(platform.requests().waiting(LAUNCHES_PER_TICK), platform.gate().read())
    if isinstance(decision, Skip):
        return dg.SkipReason(decision.reason)
    return dg.SensorResult(
        dynamic_partitions_requests=[datasets.build_add_request([launch.dataset for launch in decision])],
        run_requests=[
            dg.RunRequest(run_key=launch.run_key, partition_key=launch.dataset, tags=launch.tags) for launch in decision
        ],
    )
