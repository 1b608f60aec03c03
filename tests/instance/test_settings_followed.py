"""A set that is being written follows `tip config` and `tip priority`, without being paused."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select

from tip_assets.cli.main import main
from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.platform import Platform
from tip_resources.database.tables import endpoint_leases
from tip_resources.domain.dataset_spec import DatasetSpec

COUNT = 16
STEPS = ["dataset_specs", "scenarios", "personas", "raw_conversations"]


def tip(*words: str) -> None:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 0, result.output


def until(is_so: Callable[[], bool], running: threading.Thread) -> None:
    while not is_so():
        assert running.is_alive(), "it was written before the change counted"
        time.sleep(0.05)


@pytest.mark.slow
def test_concurrency_and_priority_change_while_a_set_is_written_and_the_set_is_whole(
    tmp_path: Path, fresh_database: Engine, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    platform = Platform(home=str(tmp_path))
    # One call at a time, each of some 2 s: the rest of the set would take half a minute.
    for key in ("generation.concurrency.low", "generation.concurrency.high", "engine.max_concurrency"):
        tip("config", "set", key, "1")
    tip("config", "set", "generation.batch_size_simple", "1-1")
    tip("config", "set", "models.rehearsal_options", '["--tokens-per-second", "1000"]')
    spec = DatasetSpec(name="clinic", count=COUNT, domain="healthcare", rehearsal=True, seed=7)
    platform.requests().add(spec, source="cli")
    instance.add_dynamic_partitions(DATASET_PARTITIONS, ["clinic"])
    job = build_definitions({"platform": platform}).resolve_job_def("make_dataset")
    results: list[dg.ExecuteInProcessResult] = []

    def write() -> None:
        selected = [dg.AssetKey(step) for step in STEPS]
        results.append(job.execute_in_process(instance=instance, partition_key="clinic", asset_selection=selected))

    def lease() -> tuple[int, int]:
        """The weight of the writing engine's lease, and its calls in flight; zeros before it has one."""
        with fresh_database.connect() as connection:
            row = connection.execute(select(endpoint_leases.c.weight, endpoint_leases.c.in_flight)).first()
        return (0, 0) if row is None else (row.weight, row.in_flight)

    running = threading.Thread(target=write)
    running.start()
    try:
        until(lambda: lease() == (2, 1), running)
        tip("priority", "clinic", "high")
        until(lambda: lease()[0] == 4, running)
        assert lease()[1] <= 1
        tip("config", "set", "engine.max_concurrency", "8")
        tip("config", "set", "generation.concurrency", "4-8")
        until(lambda: lease()[1] > 1, running)
    finally:
        running.join()
    (result,) = results
    assert result.success
    collected = result.asset_materializations_for_node("raw_conversations.collect_shards")[0].metadata
    assert len(platform.checkpoint("clinic").finished()) == COUNT
    # No call was broken off by the change: only what could not be used was asked for again.
    assert collected["model_calls"].value == COUNT + collected["rejected_answers"].value  # pyright: ignore[reportOperatorIssue]
