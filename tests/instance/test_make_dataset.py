"""The whole job on a real Dagster instance and a real database, written by the rehearsal server."""

import csv
import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from sqlalchemy import Engine

from tip_assets.definitions import build_definitions
from tip_assets.generation import room, stopping
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.platform import Platform
from tip_assets.quality.leaks import leaked_facts
from tip_resources.database.requests import RequestStore
from tip_resources.domain.codec import conversation_from_json
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.sets import read_set
from tip_resources.upkeep import disk_room

COUNT = 6
QUERY = f"Generate {COUNT} healthcare transcripts with frustrated callers"


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    # By words whatever this machine has: opening a sentence model takes seconds.
    monkeypatch.setenv("TIP_QUALITY__SEMANTIC_VECTORS", "words")
    return tmp_path / "a home with spaces"


def run(
    home: Path, instance: dg.DagsterInstance, dataset: str, config: dict | None = None, *, raise_on_error: bool = True
) -> dg.ExecuteInProcessResult:
    home.mkdir(exist_ok=True)
    instance.add_dynamic_partitions(DATASET_PARTITIONS, [dataset])
    definitions = build_definitions({"platform": Platform(home=str(home))})
    return definitions.resolve_job_def("make_dataset").execute_in_process(
        instance=instance,
        partition_key=dataset,
        run_config={"ops": {"dataset_specs": {"config": config}}} if config else None,
        raise_on_error=raise_on_error,
    )


def asked_for(home: Path, dataset: str = "clinic") -> DatasetSpec:
    spec = DatasetSpec(
        name=dataset, count=COUNT, domain="healthcare", query=QUERY, emotional_tone="frustrated", rehearsal=True, seed=7
    )
    Platform(home=str(home)).requests().add(spec, source="cli")
    return spec


def exports(home: Path, dataset: str = "clinic") -> Path:
    return home / ".tip" / "data" / "exports" / dataset


def test_asked_six_exported_six_with_every_check_passed(home: Path, instance: dg.DagsterInstance) -> None:
    asked_for(home)
    result = run(home, instance, "clinic")
    summary = json.loads((exports(home) / "report" / "summary.json").read_text())
    assert (summary["requested"], summary["delivered"], summary["exported"]) == (COUNT, COUNT, COUNT)
    assert summary["scripted"] is True and summary["model"] == "rehearsal" and summary["run_id"] == result.run_id
    assert len(list((exports(home) / "lex").glob("*/*/*/*.json"))) == COUNT
    with (exports(home) / "csv" / "calls.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == COUNT
    assert not list((home / ".tip" / "scratch").iterdir())
    stored = Platform(home=str(home)).layout().set_file("dataset_metrics", "clinic")
    measured = {metric.name: metric for metric in read_set(pl.scan_parquet(str(stored)), SetMetric)}
    assert measured["plans_delivered"].value == 1 and measured["turns"].distance is not None
    assert {"diversity", "style", "coverage", "flow"} == {metric.group for metric in measured.values()}
    shown = result.asset_materializations_for_node("dataset_metrics")[0].metadata
    assert shown["vendi_score"].value == pytest.approx(measured["vendi_score"].value, abs=1e-4)
    assert "data:image/svg+xml" in str(shown["distances"].value)
    checks = result.get_asset_check_evaluations()
    assert len(checks) == len(build_definitions().resolve_asset_graph().asset_check_keys)
    failed = [check for check in checks if not check.passed]
    # Six calls are too few turns for the Lex designer, and that check says so.
    assert {check.check_name for check in failed} <= {"enough_turns_for_lex"}


def test_no_persona_fact_reaches_an_export_the_report_or_the_event_log(
    home: Path, instance: dg.DagsterInstance
) -> None:
    asked_for(home)
    result = run(home, instance, "clinic")
    layout = Platform(home=str(home)).layout()
    people = list(read_set(pl.scan_parquet(str(layout.set_file("personas", "clinic"))), Persona))
    report = (exports(home) / "report" / "report.html").read_text(encoding="utf-8")
    events = "\n".join(str(record.event_log_entry) for record in instance.get_records_for_run(result.run_id).records)
    for line in (exports(home) / "jsonl" / "conversations.jsonl").read_bytes().splitlines():
        conversation = conversation_from_json(line)
        mine = [fact for person in people if person.id in conversation.persona_ids for fact in person.facts]
        assert mine and leaked_facts(conversation, mine) == ()
    long_facts = {fact.value for person in people for fact in person.facts if len(fact.value) > 8}
    assert long_facts
    assert not [value for value in long_facts if value in report or value in events]


def test_a_second_run_asks_no_model_for_what_is_there(home: Path, instance: dg.DagsterInstance) -> None:
    asked_for(home)
    first = run(home, instance, "clinic")
    second = run(home, instance, "clinic")
    for result, reused in ((first, 0), (second, COUNT)):
        metadata = result.asset_materializations_for_node("raw_conversations.collect_shards")[0].metadata
        assert metadata["reused_from_checkpoint"].value == reused
    assert metadata["model_calls"].value == 0


def test_two_sets_never_deliver_the_same_call(home: Path, instance: dg.DagsterInstance) -> None:
    asked_for(home, "one")
    asked_for(home, "two")  # same seed: the same plan, and so the same first answers
    run(home, instance, "one")
    result = run(home, instance, "two")
    texts = [
        {
            tuple(turn.text for turn in conversation_from_json(line).turns)
            for line in (exports(home, name) / "jsonl" / "conversations.jsonl").read_bytes().splitlines()
        }
        for name in ("one", "two")
    ]
    assert len(texts[0]) == len(texts[1]) == COUNT
    assert not texts[0] & texts[1]
    assert result.success


def test_the_launchpad_may_ask_for_a_new_set_in_plain_words(home: Path, instance: dg.DagsterInstance) -> None:
    config = {"request": "3 retail calls with angry customers", "overrides": {"rehearsal": True}}
    assert run(home, instance, "from-ui", config).success
    row = Platform(home=str(home)).requests().get("from-ui")
    assert row is not None and row.source == "launchpad"
    assert (row.spec.count, row.spec.domain, row.spec.emotional_tone) == (3, "retail", "angry")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (None, "nobody asked for data set"),
        ({"request": "generate minus five calls"}, "minus five"),
        ({"overrides": {"count": 3, "domain": "astronomy"}}, "no domain 'astronomy'"),
        ({"overrides": {"count": 0, "domain": "retail"}}, "$.count"),
        ({"overrides": {"count": 3, "domain": "retail", "colour": "red"}}, "colour"),
    ],
)
def test_a_launchpad_request_that_cannot_be_used_says_why_and_adds_nothing(
    home: Path, instance: dg.DagsterInstance, config: dict | None, said: str
) -> None:
    result = run(home, instance, "bad", config, raise_on_error=False)
    failure = next(event for event in result.all_events if event.is_step_failure).step_failure_data
    assert failure.user_failure_data is not None
    assert said in str(failure.user_failure_data.description)
    assert Platform(home=str(home)).requests().get("bad") is None


def test_a_launchpad_config_that_contradicts_the_row_is_an_error(home: Path, instance: dg.DagsterInstance) -> None:
    asked_for(home)
    result = run(home, instance, "clinic", {"overrides": {"count": 99}}, raise_on_error=False)
    assert not result.success
    row = RequestStore.get(Platform(home=str(home)).requests(), "clinic")
    assert row is not None and row.spec.count == COUNT


@pytest.mark.slow
def test_without_room_on_the_disk_writing_waits_and_goes_on_where_it_stopped(
    home: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_GENERATION__BATCH_SIZE_SIMPLE", '{"low": 1, "high": 1}')
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.01)
    asked_for(home)
    looks = []

    def free(folder: Path) -> int:
        """Room for two requests; then short, until it was looked at three times while waiting."""
        if folder.name == ".tip":
            looks.append(folder)
        return 0 if 2 < len(looks) <= 6 else 10**12

    monkeypatch.setattr(disk_room, "free_bytes", free)
    result = run(home, instance, "clinic")
    lines = [record.event_log_entry.user_message for record in instance.get_records_for_run(result.run_id).records]
    assert any("0.0 GB are free" in line and "goes on when there is room" in line for line in lines)
    assert any("there is room on the disk again" in line for line in lines)
    usages = Platform(home=str(home)).checkpoint("clinic").usages().values()
    assert sorted(usage.items for usage in usages) == [1] * COUNT, "no call was asked for twice"
    assert json.loads((exports(home) / "report" / "summary.json").read_text())["exported"] == COUNT
