"""The Dagster runs of a data set: finding them, and stopping those under way.

In Dagster cancelling is asking: a run worker ends when its steps have put away what they were at.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tip_assets.jobs import IMPROVE_ROUND
from tip_resources.domain.failures import TransientFailure

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

# A step has 10 s to put its things away, and a machine may be busy.
STOP_SECONDS = 45.0
_LOOK_SECONDS = 0.5
# The daemon makes a run and queues it a moment later; one that is still not queued then belongs to a daemon that died.
_UNQUEUED_SECONDS = 5.0


def runs_of(instance: "DagsterInstance", dataset: str) -> "Sequence[DagsterRun]":
    """All runs of a data set, whoever launched them. Recipes have partitions too, which may be called the same."""
    import dagster as dg

    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": dataset}))
    return [run for run in runs if run.job_name != IMPROVE_ROUND]


def unfinished_runs(instance: "DagsterInstance", dataset: str) -> "Sequence[DagsterRun]":
    """Those that wait, go on, or are just ending."""
    return [run for run in runs_of(instance, dataset) if not run.is_finished]


def stop_runs(instance: "DagsterInstance", dataset: str, *, seconds: float = STOP_SECONDS) -> int:
    """Stops all runs of a data set and returns when they have ended; how many they were.

    Raises:
        TransientFailure: One was told to stop and has not ended in time. It still will.
    """
    import dagster as dg

    told: set[str] = set()
    begun = time.monotonic()
    while runs := unfinished_runs(instance, dataset):
        waited = time.monotonic() - begun
        if waited > seconds:
            raise TransientFailure(f"{dataset}: the run was told to stop and has not ended after {seconds:.0f} s.")
        for run in runs:
            if run.status is dg.DagsterRunStatus.NOT_STARTED and waited > _UNQUEUED_SECONDS:
                instance.report_run_canceled(run)
            elif run.run_id not in told and run.status is not dg.DagsterRunStatus.NOT_STARTED:
                # One that is stopping already would be killed by being told again.
                if run.status is not dg.DagsterRunStatus.CANCELING:
                    instance.run_coordinator.cancel_run(run.run_id)
                told.add(run.run_id)
        time.sleep(_LOOK_SECONDS)
    return len(told)
