"""The whole job with everything under the storage root in S3: moto's server over HTTP, a real Dagster instance."""

import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from tests.s3_server import S3Server, forget_connections, s3, s3_server
from tip_assets.cli.main import main
from tip_assets.definitions import build_definitions
from tip_assets.exports.manifest import read_manifest
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.platform import Platform
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.storage.folders import local_folder
from tip_resources.storage.sets import read_set

__all__ = ["s3", "s3_server"]

COUNT = 5


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch, s3: S3Server) -> Path:
    monkeypatch.setenv("TIP_QUALITY__SEMANTIC_VECTORS", "words")
    monkeypatch.setenv("TIP_STORAGE_URL", s3.url)
    folder = tmp_path / "a home with spaces"
    folder.mkdir()
    monkeypatch.setenv("TIP_HOME", str(folder))
    spec = DatasetSpec(name="clinic", count=COUNT, domain="healthcare", rehearsal=True, seed=7)
    Platform(home=str(folder)).requests().add(spec, source="cli")
    return folder


def run(home: Path, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions(DATASET_PARTITIONS, ["clinic"])
    definitions = build_definitions({"platform": Platform(home=str(home))})
    job = definitions.resolve_job_def("make_dataset")
    return job.execute_in_process(instance=instance, partition_key="clinic", raise_on_error=False)


def reused(result: dg.ExecuteInProcessResult) -> object:
    return (
        result.asset_materializations_for_node("raw_conversations.collect_shards")[0]
        .metadata["reused_from_checkpoint"]
        .value
    )


@pytest.mark.slow
def test_a_set_is_made_in_s3_from_the_first_part_to_the_report_and_goes_on_after_the_server_was_gone(
    home: Path, instance: dg.DagsterInstance, s3: S3Server, tmp_path: Path
) -> None:
    def gone_after_two_calls(method: str, path: str) -> bool:
        return len(s3.names("parts/clinic/calls/")) >= 2

    s3.is_away = gone_after_two_calls
    cut_off = run(home, instance)
    failure = next(event for event in cut_off.all_events if event.is_step_failure).step_failure_data
    assert "S3 cannot be used now" in str(failure.error)
    assert not s3.names("exports/")

    s3.is_away = lambda method, path: False
    forget_connections()
    result = run(home, instance)
    assert result.success
    assert reused(result) == 2
    assert all(
        check.passed or check.check_name == "enough_turns_for_lex" for check in result.get_asset_check_evaluations()
    )

    # Everything is there, nothing under .tip/data, and no working file is left.
    assert len(s3.names("parts/clinic/calls/")) == COUNT
    assert "raw_conversations/clinic.parquet" in s3.names("sets/")
    assert {name.partition("/")[0] for name in s3.names("exports/clinic/")} == {"lex", "csv", "jsonl", "report"}
    assert not (home / ".tip" / "data").exists()
    assert [folder.name for folder in (home / ".tip" / "scratch").iterdir()] == [cut_off.run_id]
    assert not list((home / ".tip" / "scratch").rglob("*-clinic.parquet"))  # copies of sets
    stored = build_definitions({"platform": Platform(home=str(home))}).load_asset_value(
        "raw_conversations", partition_key="clinic", instance=instance
    )
    assert isinstance(stored, pl.LazyFrame) and len([*read_set(stored, Conversation)]) == COUNT
    with local_folder(Platform(home=str(home)).layout().exports("clinic", "lex"), tmp_path / "copies") as folder:
        manifest = read_manifest(folder)
        assert manifest is not None and manifest.totals.conversations == COUNT
        assert all((folder / file.path).stat().st_size == file.bytes for file in manifest.files)

    said = CliRunner().invoke(main, ["status", "clinic", "--json"])
    assert said.exit_code == 0, said.output
    summary = json.loads(said.output)["summary"]
    assert (summary["exported"], summary["exports"]) == (COUNT, f"{s3.url}/exports/clinic")
    assert json.loads(CliRunner().invoke(main, ["list", "--json"]).output)[0]["state"] == "done"


def test_a_missing_bucket_ends_the_first_step_with_how_to_mend_it(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_STORAGE_URL", "s3://nowhere/calls")
    result = run(home, instance)
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert len(failures) == 1
    assert failures[0].user_failure_data is not None
    assert "no bucket 'nowhere'. Make it (aws s3 mb s3://nowhere)" in str(failures[0].user_failure_data.description)
