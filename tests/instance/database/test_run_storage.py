"""Which runs may begin, decided by the database in one statement."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterRunStatus
from sqlalchemy import Engine

from tests.instance.database.test_dagster_storage import DAGSTER_YAML
from tip_resources.database.run_storage import RunIsOver


@dg.op
def nothing() -> None:
    """Never run."""


@dg.job
def idle():
    nothing()


@pytest.fixture
def instance(
    fresh_database: Engine, database_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    assert fresh_database
    monkeypatch.setenv("TIP_HOME", str(database_home))
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def happens(instance: dg.DagsterInstance, run_id: str, kind: DagsterEventType) -> None:
    instance.report_dagster_event(DagsterEvent(event_type_value=kind.value, job_name="idle"), run_id=run_id)


def status(instance: dg.DagsterInstance, run_id: str) -> DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def test_a_run_that_is_starting_begins_and_says_when(instance: dg.DagsterInstance) -> None:
    run_id = instance.create_run_for_job(idle, tags={"why": "kept"}).run_id
    happens(instance, run_id, DagsterEventType.RUN_STARTING)
    happens(instance, run_id, DagsterEventType.RUN_START)
    record = instance.get_run_record_by_id(run_id)
    assert record is not None
    assert record.dagster_run.status == DagsterRunStatus.STARTED
    assert record.dagster_run.tags["why"] == "kept"
    assert record.start_time is not None
    happens(instance, run_id, DagsterEventType.RUN_SUCCESS)
    assert status(instance, run_id) == DagsterRunStatus.SUCCESS


@pytest.mark.parametrize(
    ("end", "stays"),
    [
        (DagsterEventType.RUN_FAILURE, DagsterRunStatus.FAILURE),
        (DagsterEventType.RUN_CANCELING, DagsterRunStatus.CANCELING),
        (DagsterEventType.RUN_CANCELED, DagsterRunStatus.CANCELED),
        (DagsterEventType.RUN_SUCCESS, DagsterRunStatus.SUCCESS),
    ],
)
def test_a_run_that_is_over_never_begins(
    instance: dg.DagsterInstance, end: DagsterEventType, stays: DagsterRunStatus
) -> None:
    run_id = instance.create_run_for_job(idle).run_id
    happens(instance, run_id, DagsterEventType.RUN_STARTING)
    happens(instance, run_id, end)
    with pytest.raises(RunIsOver):
        happens(instance, run_id, DagsterEventType.RUN_START)
    assert status(instance, run_id) == stays
