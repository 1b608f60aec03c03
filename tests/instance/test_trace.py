"""From a line of an exported file back to everything behind it, on a real Dagster instance and database."""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from tip_assets.cli.main import main
from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.planning.plan_sets import read_plans
from tip_assets.platform import Platform
from tip_resources.domain.dataset_spec import DatasetSpec

DATASET, COUNT, QUERY = "clinic", 4, "calls about bills"
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIP_QUALITY__SEMANTIC_VECTORS", "words")
    folder = tmp_path / "a home with spaces"
    folder.mkdir()
    shutil.copy(PROJECT / "dagster.yaml", folder)
    monkeypatch.setenv("TIP_HOME", str(folder))
    return folder


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The one that the home's dagster.yaml describes, which is the one that `tip trace` asks."""
    with dg.DagsterInstance.from_config(str(home)) as real:
        yield real


def make_set(home: Path, instance: dg.DagsterInstance) -> str:
    """Makes the data set; gives the run's id."""
    spec = DatasetSpec(
        name=DATASET, count=COUNT, domain="healthcare", query="calls about bills", rehearsal=True, seed=3
    )
    Platform(home=str(home)).requests().add(spec, source="cli")
    instance.add_dynamic_partitions(DATASET_PARTITIONS, [DATASET])
    job = build_definitions({"platform": Platform(home=str(home))}).resolve_job_def("make_dataset")
    return job.execute_in_process(instance=instance, partition_key=DATASET).run_id


def trace(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["trace", *map(str, arguments)])


def test_a_line_leads_back_to_model_prompt_seed_machine_run_versions_and_checks(
    home: Path, instance: dg.DagsterInstance
) -> None:
    run_id = make_set(home, instance)
    exports = home / ".tip" / "data" / "exports" / DATASET
    line = json.loads((exports / "jsonl" / "conversations.jsonl").read_bytes().splitlines()[2])
    result = trace(exports / "jsonl" / "conversations.jsonl", 3, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    written = told["call"]["provenance"]
    assert written == line["provenance"] and written["model"] == "rehearsal" and written["seed"] is not None
    assert told["call"]["scenario"]["id"] == line["scenario_id"]
    assert [speaker["role"] for speaker in told["call"]["speakers"]] == ["customer", "agent"]
    assert told["asked"]["query"] == QUERY
    assert told["run"]["run_id"] == run_id and told["run"]["status"] == "SUCCESS"
    versions = {one["asset"]: one for one in told["run"]["assets"]}
    assert list(versions)[3:] == [
        *("raw_conversations", "deduped_conversations", "graded_conversations", "scrubbed_conversations"),
        "jsonl_export",
    ]
    assert all(one["stored"] == "as made" and one["code_version"] for one in versions.values())
    graded = Platform(home=str(home)).layout().set_file("graded_conversations", DATASET)
    assert versions["graded_conversations"]["data_version"] == sha256(graded.read_bytes()).hexdigest()
    assert versions["scrubbed_conversations"]["checks"] == {"no_known_facts_left": True}
    assert any("not by a language model" in note for note in told["notes"])
    # By its row in the tables, by its id, and in words, it is the same call; nobody's data is told.
    row = next(n for n, text in enumerate((exports / "csv" / "calls.csv").open(), start=1) if line["id"] in text)
    assert json.loads(trace(exports / "csv" / "calls.csv", row, "--json").stdout)["call"]["call"] == line["id"]
    words = trace(line["id"], "--prompt").stdout
    assert "You write telephone calls between a customer" in words and "GLOSSARY" in words
    assert written["request_hash"] in words and "raw_conversations" in words
    layout = Platform(home=str(home)).layout()
    assert _facts(layout, line["index"])
    assert not [fact for fact in _facts(layout, line["index"]) if fact in words + result.stdout]


def test_a_prompt_that_was_changed_is_not_shown(home: Path, instance: dg.DagsterInstance) -> None:
    make_set(home, instance)
    line = home / ".tip" / "data" / "exports" / DATASET / "jsonl" / "conversations.jsonl"
    [file] = (home / ".tip" / "data" / "prompts").iterdir()
    assert file.stem == json.loads(line.read_bytes().splitlines()[0])["provenance"]["prompt_hash"]
    file.write_bytes(file.read_bytes().replace(b"telephone", b"telegraph"))
    told = trace(line, 1, "--prompt")
    assert told.exit_code == 1 and "the prompt's file was changed" in told.output
    file.unlink()
    told = trace(line, 1, "--prompt")
    assert told.exit_code == 1 and "were not kept" in told.output
    records = instance.get_records_for_run(
        instance.get_runs()[0].run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    made = [record.asset_materialization for record in records if record.asset_materialization]
    shown = {one.asset_key.to_user_string(): one.metadata for one in made}
    _pages_tell_what_an_auditor_asks(shown)


def _pages_tell_what_an_auditor_asks(shown: dict) -> None:
    """Every asset has a row count, columns, a sample, and figures that Dagster can plot."""
    assert set(shown) >= {"dataset_specs", "raw_conversations", "graded_conversations", "lex_export", "jsonl_export"}
    for asset, metadata in shown.items():
        assert len(str(metadata["data_version"].value)) == 12 and metadata["data_version_by"].value, asset
        numbers = [value for value in metadata.values() if isinstance(value.value, int | float)]
        assert numbers, asset
        if asset != "dataset_report":
            assert {"dagster/row_count", "dagster/column_schema"} <= set(metadata), asset
    for export in ("lex_export", "csv_export", "jsonl_export"):
        [*behind] = (row.data["asset"] for row in shown[export]["made_from"].value.records)
        assert behind[0] == "dataset_specs" and behind[-1] == "scrubbed_conversations"
        assert {"calls_written_in_run", "dagster/column_lineage", "origin_of_calls", "sample"} <= set(shown[export])
    assert {"prompt_hash", "prompt_words", "sample", "tokens_out", "seconds"} <= set(shown["raw_conversations"])


def test_a_changed_file_a_deleted_set_and_an_unknown_call_are_told(home: Path, instance: dg.DagsterInstance) -> None:
    make_set(home, instance)
    file = home / ".tip" / "data" / "exports" / DATASET / "jsonl" / "conversations.jsonl"
    with file.open("ab") as lines:
        lines.write(b"\n")
    shutil.rmtree(home / ".tip" / "data" / "sets")
    told = trace(file, 1)
    assert (
        told.exit_code == 0 and "NOT as it was exported" in told.stdout and "deleted, or made elsewhere" in told.stdout
    )
    stored = {one["asset"]: one["stored"] for one in json.loads(trace(file, 1, "--json").stdout)["run"]["assets"]}
    assert stored.pop("jsonl_export") == "CHANGED since" and set(stored.values()) == {"gone"}
    unknown = trace("11111111-1111-4111-8111-111111111111")
    assert unknown.exit_code == 1 and "no data set here delivered a call with this id" in unknown.output


def _facts(layout, index: int) -> list[str]:
    import polars as pl

    frames = (pl.scan_parquet(str(layout.set_file(name, DATASET))) for name in ("scenarios", "personas"))
    plan = next(read_plans(*frames, start=index, stop=index + 1))
    return [fact.value for fact in plan.facts if len(fact.value) > 5]
