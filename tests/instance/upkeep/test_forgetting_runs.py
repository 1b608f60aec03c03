"""What Dagster is made to forget, on a real instance in tip's own storage."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from tip_resources.settings.models import Settings
from tip_resources.upkeep.clean_up import chores, clean_up

YAML = """\
telemetry: {enabled: false}
storage:
  custom: {module: tip_resources.database.dagster_storage, class: TipStorage, config: {}}
"""
pytestmark = pytest.mark.slow
SETS = dg.DynamicPartitionsDefinition(name="dataset")
MACHINE = dg.AssetKey(["fleet", "desk"])


@dg.asset(partitions_def=SETS, check_specs=[dg.AssetCheckSpec("is_there", asset="calls")])
def calls(context: dg.AssetExecutionContext):
    context.log.info("a line of the log")
    yield dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(check_name="is_there", passed=True)]
    )


@dg.op
def breaks() -> None:
    raise ValueError("broken")


@dg.job
def broken() -> None:
    breaks()


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    (home / "dagster.yaml").write_text(YAML)
    with dg.DagsterInstance.from_config(str(home)) as opened:
        yield opened


def make(instance: dg.DagsterInstance, dataset: str) -> str:
    instance.add_dynamic_partitions("dataset", [dataset])
    return dg.materialize([calls], instance=instance, partition_key=dataset).run_id


def age(engine: Engine, days: int) -> None:
    """As if everything that is there had happened so many days earlier."""
    interval = f"make_interval(days => {days})"
    with engine.begin() as connection:
        for statement in (
            f"UPDATE tip_dagster.runs SET end_time = end_time - 86400.0 * {days}, "
            f"update_timestamp = update_timestamp - {interval}",
            f"UPDATE tip_dagster.event_logs SET timestamp = timestamp - {interval}",
            f"UPDATE tip_dagster.job_ticks SET timestamp = timestamp - {interval}",
        ):
            connection.execute(text(statement))


def kinds(instance: dg.DagsterInstance, run_id: str) -> set[str]:
    records = instance.get_records_for_run(run_id).records
    return {
        entry.dagster_event.event_type_value if (entry := record.event_log_entry).dagster_event else "a log line"
        for record in records
    }


def forget(engine: Engine, home: Path) -> dict[str, int]:
    done = clean_up(chores(engine, home, Settings()))
    assert done.is_done
    return {name: amount.count for name, amount in done.removed.items()}


def test_an_old_run_keeps_what_an_auditor_asks_for_and_loses_the_rest(
    home: Path, instance: dg.DagsterInstance, fresh_database: Engine
) -> None:
    run_id = make(instance, "clinic")
    assert {"a log line", "STEP_OUTPUT"} <= kinds(instance, run_id)
    age(fresh_database, 400)
    recent = make(instance, "bank")
    before = kinds(instance, recent)
    assert forget(fresh_database, home)["details of old runs"] > 3
    kept = {"ASSET_MATERIALIZATION", "ASSET_CHECK_EVALUATION", "STEP_SUCCESS", "PIPELINE_START", "PIPELINE_SUCCESS"}
    assert kept <= kinds(instance, run_id)
    assert not {"a log line", "STEP_OUTPUT", "ENGINE_EVENT"} & kinds(instance, run_id)
    assert kinds(instance, recent) == before
    run = instance.get_run_by_id(run_id)
    assert run is not None and run.tags["dagster/partition"] == "clinic"
    assert instance.get_materialized_partitions(dg.AssetKey("calls")) == {"clinic", "bank"}
    assert forget(fresh_database, home) == {}


def test_runs_nothing_comes_from_any_more_go_with_all_their_events(
    home: Path, instance: dg.DagsterInstance, fresh_database: Engine
) -> None:
    failed = broken.execute_in_process(instance=instance, raise_on_error=False).run_id
    deleted, kept = make(instance, "deleted"), make(instance, "kept")
    instance.delete_dynamic_partition("dataset", "deleted")
    age(fresh_database, 400)
    assert forget(fresh_database, home)["old runs"] == 2
    assert [instance.get_run_by_id(run_id) is None for run_id in (failed, deleted, kept)] == [True, True, False]
    with fresh_database.connect() as connection:
        for table in ("event_logs", "run_tags", "asset_check_executions"):
            found = connection.scalars(text(f"SELECT DISTINCT run_id FROM tip_dagster.{table}"))
            assert set(found) <= {kept, ""}, table


def test_a_run_under_way_loses_nothing_however_old_it_is(
    home: Path, instance: dg.DagsterInstance, fresh_database: Engine
) -> None:
    run_id = make(instance, "clinic")
    folder = home / ".tip" / "scratch" / run_id
    folder.mkdir(parents=True)
    with fresh_database.begin() as connection:
        connection.execute(text("UPDATE tip_dagster.runs SET status = 'STARTED'"))
    age(fresh_database, 400)
    os.utime(folder, (0, 0))
    before = kinds(instance, run_id)
    assert forget(fresh_database, home) == {}
    assert kinds(instance, run_id) == before and folder.exists()


def test_of_observations_the_newest_of_each_machine_stays(
    home: Path, instance: dg.DagsterInstance, fresh_database: Engine
) -> None:
    for celsius in (50, 60, 70):
        instance.report_runless_asset_event(dg.AssetObservation(MACHINE, metadata={"celsius": celsius}))
    age(fresh_database, 31)
    assert forget(fresh_database, home) == {"old observations": 2}
    (record,) = instance.fetch_observations(MACHINE, limit=5).records
    assert record.asset_observation is not None
    assert record.asset_observation.metadata["celsius"].value == 70


CLEANS_UP = """
import sys
from pathlib import Path
from tip_resources.database.connection import database
from tip_resources.settings.models import Settings
from tip_resources.upkeep.clean_up import chores, clean_up
home = Path(sys.argv[1])
def told(chore, amount):
    print(chore.name, flush=True)
    sys.stdin.readline()
clean_up(chores(database(home), home, Settings()), told)
"""
EVENTS = 30
RUNS = 70


def test_a_killed_clean_up_leaves_whole_runs_and_the_next_does_the_rest(
    home: Path, instance: dg.DagsterInstance, fresh_database: Engine
) -> None:
    with fresh_database.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tip_dagster.runs (run_id, status, run_body, end_time, update_timestamp) "
                "SELECT 'run-' || n, 'FAILURE', '{}', 0, now() FROM generate_series(1, :runs) n"
            ),
            {"runs": RUNS},
        )
        connection.execute(
            text(
                "INSERT INTO tip_dagster.event_logs (run_id, event, dagster_event_type, timestamp) "
                "SELECT 'run-' || n, '{}', 'STEP_FAILURE', now() "
                "FROM generate_series(1, :runs) n, generate_series(1, :events)"
            ),
            {"runs": RUNS, "events": EVENTS},
        )
    child = subprocess.Popen(
        [sys.executable, "-c", CLEANS_UP, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdin is not None
    assert child.stdout.readline() == "old runs\n"
    child.stdin.write("\n")  # one more batch, and the kill meets it wherever it is
    child.stdin.flush()
    child.kill()
    child.wait()
    with fresh_database.connect() as connection:
        left = set(connection.scalars(text("SELECT run_id FROM tip_dagster.runs")))
        events = dict(
            connection.execute(text("SELECT run_id, count(*) FROM tip_dagster.event_logs GROUP BY run_id")).all()
        )
    assert 0 < len(left) < RUNS
    assert events == dict.fromkeys(left, EVENTS)
    assert forget(fresh_database, home) == {"old runs": len(left)}
