"""deduped_conversations on a real Dagster instance and a real database, with planted duplicates."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from sqlalchemy import Engine

from benchmarks.quality.paraphrases import paraphrase
from tests.unit.assets.generation.test_acceptance import call
from tests.unit.assets.quality.conftest import read_good_calls
from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS
from tip_assets.platform import Platform
from tip_assets.quality.duplicates.comparison import sketched
from tip_assets.quality.duplicates.removed import DUPLICATES, RemovedCall
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.sets import read_set, write_set


@pytest.fixture
def platform(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Platform:
    # By words whatever this machine has: opening a sentence model takes seconds.
    monkeypatch.setenv("TIP_QUALITY__SEMANTIC_VECTORS", "words")
    return Platform(home=str(tmp_path))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions(DATASET_PARTITIONS, ["spring"])
        yield ephemeral


def deduped(
    platform: Platform, instance: dg.DagsterInstance, calls: Sequence[Conversation], scratch: Path
) -> dg.ExecuteInProcessResult:
    """Materializes the asset from `calls` as the raw set."""
    platform.store_set("raw_conversations", "spring", write_set(calls, Conversation, scratch / "a"), scratch / "b")
    job = build_definitions({"platform": platform}).resolve_implicit_global_asset_job_def()
    subset = job.get_subset(asset_selection={dg.AssetKey("deduped_conversations")})
    return subset.execute_in_process(instance=instance, partition_key="spring")


def stored(platform: Platform, name: str, kind: type) -> list:
    return list(read_set(pl.scan_parquet(str(platform.layout().set_file(name, "spring"))), kind))


def test_planted_duplicates_in_the_set_and_of_another_set_are_removed_and_explained(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    [winter] = sketched([call("w1", 10), call("w2", 11)])
    [mine] = sketched([call("a", 1)])
    platform.delivered().replace_dataset("winter", [sketch for _, sketch in winter])
    platform.delivered().replace_dataset("spring", [sketch for _, sketch in mine])  # as delivered last time
    calls = [
        call("a", 1), call("b", 2), call("a edited", 1, is_edited=True), call("b again", 2),
        call("of winter", 10), call("of winter, edited", 11, is_edited=True), call("c", 3),
    ]  # fmt: skip
    result = deduped(platform, instance, calls, tmp_path / "scratch")

    assert [one.id for one in stored(platform, "deduped_conversations", Conversation)] == ["a", "b", "c"]
    rows = stored(platform, DUPLICATES, RemovedCall)
    assert [(row.id, row.duplicate_of, row.dataset_of, row.method) for row in rows] == [
        ("a edited", "a", "", "near"),
        ("b again", "b", "", "exact"),
        ("of winter", "w1", "winter", "exact"),
        ("of winter, edited", "w2", "winter", "near"),
    ]
    [materialization] = result.asset_materializations_for_node("deduped_conversations")
    metadata = {name: value.value for name, value in materialization.metadata.items()}
    by_method = materialization.metadata["removed_by_method"]
    assert isinstance(by_method, dg.TableMetadataValue)
    assert {row.data["method"]: row.data["calls"] for row in by_method.records} == {"exact": 2, "near": 2}
    assert (metadata["duplicates_removed"], metadata["of_other_sets"]) == (4, 2)
    assert metadata["duplicate_share"] == pytest.approx(4 / 7, abs=1e-4)
    assert metadata["meaning"] == "no pair of calls was alike enough to ask for its meaning"
    assert all(row.id in str(metadata["least_alike"]) for row in rows)
    [check] = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.metadata["duplicates"].value) == ("no_duplicates_left", True, 0)
    events = "\n".join(str(record.event_log_entry) for record in instance.get_records_for_run(result.run_id).records)
    assert calls[0].turns[0].text not in events


def test_what_words_leave_open_is_decided_by_meaning_and_told(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that no paraphrase is a duplicate by its words.
    monkeypatch.setenv("TIP_QUALITY__NEAR_DUPLICATE_THRESHOLD", "0.95")
    monkeypatch.setenv("TIP_QUALITY__MASKED_DUPLICATE_THRESHOLD", "1.0")
    rng = random.Random(4)
    calls = read_good_calls()
    copies = [paraphrase(one, rng, 0.5) for one in calls]
    result = deduped(platform, instance, [*calls, *copies], tmp_path / "scratch")

    rows = stored(platform, DUPLICATES, RemovedCall)
    assert [(row.id, row.duplicate_of, row.method) for row in rows] == [
        (copy.id, one.id, "semantic") for copy, one in zip(copies, calls, strict=True)
    ]
    [materialization] = result.asset_materializations_for_node("deduped_conversations")
    said = str(materialization.metadata["meaning"].value)
    assert said.endswith(f"pairs of calls compared, {len(calls)} say the same; by words")
    [check] = result.get_asset_check_evaluations()
    assert check.passed


def test_a_set_that_another_delivered_whole_leaves_an_empty_set(
    platform: Platform, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    [winter] = sketched([call("w1", 10)])
    platform.delivered().replace_dataset("winter", [sketch for _, sketch in winter])
    result = deduped(platform, instance, [call("a", 10)], tmp_path / "scratch")
    assert result.success
    assert stored(platform, "deduped_conversations", Conversation) == []
