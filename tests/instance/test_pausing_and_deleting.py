"""Pausing, taking up again and deleting by the commands, on a real Dagster instance and a real database."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from sqlalchemy import Engine, text

from sensors.dataset_requests import Skip, decide
from tip_assets.cli.dataset_removal import DatasetRemoval
from tip_assets.cli.main import main
from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.platform import Platform
from tip_resources.database.audit import recent
from tip_resources.database.requests import RequestStore
from tip_resources.database.schema import DAGSTER_SCHEMA
from tip_resources.domain.dataset_spec import DatasetSpec

# A queued run must say where its job is; nobody starts these.
WHEREVER = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("nowhere"), "nothing")
INSTANCE = """\
telemetry: {enabled: false}
storage:
  custom: {module: tip_resources.database.dagster_storage, class: TipStorage, config: {}}
compute_logs: {module: tip_resources.database.instance_folders, class: TipComputeLogManager, config: {}}
local_artifact_storage: {module: tip_resources.database.instance_folders, class: TipArtifactStorage, config: {}}
run_coordinator: {module: dagster, class: QueuedRunCoordinator}
"""


@dg.op
def nothing() -> None:
    """Does nothing."""


@dg.job
def make_dataset() -> None:
    nothing()


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a home with spaces"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(INSTANCE)
    monkeypatch.setenv("TIP_HOME", str(folder))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("TIP_QUALITY__SEMANTIC_VECTORS", "words")
    return folder


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as real:
        yield real


@pytest.fixture
def store(home: Path) -> RequestStore:
    return Platform(home=str(home)).requests()


def tip(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=answer)


def ask(store: RequestStore, name: str, count: int = 2) -> None:
    spec = DatasetSpec(
        name=name, count=count, domain="retail", caller_type="shopper", rehearsal=True, seed=7, requested_by="ann"
    )
    store.add(spec, source="cli")


def queued_run(instance: dg.DagsterInstance, name: str) -> str:
    run = instance.create_run_for_job(
        make_dataset,
        status=dg.DagsterRunStatus.QUEUED,
        remote_job_origin=WHEREVER.get_job_origin("make_dataset"),
        tags={"dagster/partition": name},
    )
    return run.run_id


def launched(store: RequestStore) -> list[tuple[str, str]]:
    """What the sensor would launch now: data set and run key."""
    decision = decide(store.waiting())
    return [] if isinstance(decision, Skip) else [(launch.dataset, launch.run_key) for launch in decision]


def make(home: Path, instance: dg.DagsterInstance, name: str) -> None:
    instance.add_dynamic_partitions(DATASET_PARTITIONS, [name])
    definitions = build_definitions({"platform": Platform(home=str(home))})
    job = definitions.resolve_job_def("make_dataset")
    assert job.execute_in_process(instance=instance, partition_key=name).success


def rows_of(engine: Engine, name: str) -> int:
    asked = {"name": name}
    with engine.connect() as connection:
        calls = connection.scalar(text("SELECT count(*) FROM tip.conversations WHERE dataset = :name"), asked)
        requests = connection.scalar(text("SELECT count(*) FROM tip.dataset_requests WHERE dataset = :name"), asked)
    return (calls or 0) + (requests or 0)


def check_results(engine: Engine, run_id: str) -> int:
    query = f"SELECT count(*) FROM {DAGSTER_SCHEMA}.asset_check_executions WHERE run_id = :run_id"
    with engine.connect() as connection:
        return connection.scalar(text(query), {"run_id": run_id}) or 0


def files_of(home: Path, name: str) -> list[Path]:
    data = home / ".tip" / "data"
    return [path for path in data.rglob("*") if name in path.relative_to(data).as_posix()]


def test_a_paused_set_leaves_the_queue_and_is_launched_again_only_when_it_is_resumed(
    home: Path, instance: dg.DagsterInstance, store: RequestStore
) -> None:
    ask(store, "held")
    ((_, first_key),) = launched(store)
    run_id = queued_run(instance, "held")
    said = tip("pause", "held")
    assert said.exit_code == 0, said.output
    run = instance.get_run_by_id(run_id)
    assert run is not None and run.status is dg.DagsterRunStatus.CANCELED
    assert launched(store) == []
    assert "paused by" in tip("list").output and '"state": "paused"' in tip("status", "held", "--json").output
    again = tip("request", "2 retail calls", "--name", "held", "--seed", "7", "--rehearsal")
    assert again.exit_code == 1 and "tip resume held" in again.output
    assert tip("pause", "held").exit_code == 0, "saying it again does no harm"
    assert tip("resume", "held").exit_code == 0
    ((partition, second_key),) = launched(store)
    assert partition == "held" and second_key != first_key, "Dagster launches a run key once"


def test_all_that_wait_can_be_paused_and_resumed_at_once(
    home: Path, instance: dg.DagsterInstance, store: RequestStore
) -> None:
    for name in ("one", "two", "given-up"):
        ask(store, name)
    assert tip("cancel", "given-up").exit_code == 0
    assert tip("pause", "--all").exit_code == 0
    assert launched(store) == []
    assert tip("resume", "--all").exit_code == 0
    assert [name for name, _ in launched(store)] == ["one", "two"]
    assert tip("resume", "given-up").exit_code == 0
    assert len(launched(store)) == 3
    assert tip("pause").exit_code == 2, "by name or --all"
    assert tip("resume", "one").exit_code == 1, "it is not paused"


def test_priority_moves_a_run_in_the_queue(home: Path, instance: dg.DagsterInstance, store: RequestStore) -> None:
    ask(store, "slow")
    ask(store, "urgent")
    run_id = queued_run(instance, "urgent")
    assert tip("priority", "urgent", "high").exit_code == 0
    run = instance.get_run_by_id(run_id)
    assert run is not None and run.tags["dagster/priority"] == "10"
    assert [name for name, _ in launched(store)] == ["urgent", "slow"]


def test_a_set_under_way_is_not_deleted(home: Path, instance: dg.DagsterInstance, store: RequestStore) -> None:
    ask(store, "busy")
    said = tip("delete", "busy", "--yes")
    assert said.exit_code == 1 and "tip cancel busy" in said.output
    store.set_state("busy", "done")
    queued_run(instance, "busy")  # re-executed in the web UI
    said = tip("delete", "busy", "--yes")
    assert said.exit_code == 1 and "under way" in said.output
    row = store.get("busy")
    assert row is not None and row.state == "done"


@pytest.mark.slow
def test_a_deleted_set_leaves_nothing_but_the_audit_log_and_no_other_set_changes(
    home: Path,
    instance: dg.DagsterInstance,
    store: RequestStore,
    fresh_database: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("goes-away", "stays"):
        ask(store, name)
        make(home, instance, name)
    stays = {path: path.read_bytes() for path in files_of(home, "stays") if path.is_file()}
    assert stays and files_of(home, "goes-away")
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": "goes-away"}))
    asked = tip("delete", "goes-away", answer="n\n")
    assert asked.exit_code == 1 and "2 calls in the index" in asked.output and "csv, jsonl, lex, report" in asked.output
    assert rows_of(fresh_database, "goes-away") == 3, "nothing goes before the answer"
    assert check_results(fresh_database, runs[0].run_id) > 0

    with monkeypatch.context() as killed:  # after the files, before the runs
        killed.setattr(DatasetRemoval, "_remove_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert tip("delete", "goes-away", "--yes").exit_code != 0
    row = store.get("goes-away")
    assert row is not None and row.state == "deleting"
    assert launched(store) == []
    assert tip("resume", "goes-away").exit_code == 1
    said = tip("delete", "goes-away", "--yes")
    assert said.exit_code == 0, said.output

    assert rows_of(fresh_database, "goes-away") == 0
    assert files_of(home, "goes-away") == []
    assert [run for run in runs if instance.get_run_by_id(run.run_id)] == []
    assert not [path for path in (home / ".tip").rglob("*") if any(run.run_id in path.name for run in runs)]
    assert not instance.get_records_for_run(runs[0].run_id).records
    assert check_results(fresh_database, runs[0].run_id) == 0
    assert instance.get_dynamic_partitions(DATASET_PARTITIONS) == ["stays"]
    actions = [entry.action for entry in recent(fresh_database, target="goes-away")]
    assert actions[0] == "dataset.deleted" and "dataset.requested" in actions
    assert {path: path.read_bytes() for path in files_of(home, "stays") if path.is_file()} == stays
    assert rows_of(fresh_database, "stays") == 3

    kept = tip("delete", "stays", "--yes", "--keep-exports")
    assert kept.exit_code == 0, kept.output
    left = files_of(home, "stays")
    assert left and all("exports/stays" in path.as_posix() for path in left)
