"""A round of feedback as a run on a real instance, written by the rehearsal server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from sqlalchemy import Engine

from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS, RECIPE_PARTITIONS
from tip_assets.planning.recipes import HabitChanges, Recipe, read_recipe, write_recipe
from tip_assets.platform import Platform
from tip_assets.quality.realism.curve import CurvePoint
from tip_assets.quality.realism.rounds import Rounds
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.sets import read_set


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine) -> Path:
    folder = tmp_path / "a home with spaces"
    folder.mkdir()
    return folder


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def make_round(home: Path, instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions(RECIPE_PARTITIONS, ["mine"])
    definitions = build_definitions({"platform": Platform(home=str(home))})
    return definitions.resolve_job_def("improve_round").execute_in_process(
        instance=instance,
        partition_key="mine",
        run_config={"ops": {"feedback_rounds": {"config": {"rehearsal": True, **config}}}},
        raise_on_error=False,
    )


def make_set(home: Path, instance: dg.DagsterInstance, name: str, count: int) -> None:
    Platform(home=str(home)).requests().add(
        DatasetSpec(name=name, count=count, domain="retail", rehearsal=True, seed=5), source="cli"
    )
    instance.add_dynamic_partitions(DATASET_PARTITIONS, [name])
    definitions = build_definitions({"platform": Platform(home=str(home))})
    job = definitions.resolve_job_def("make_dataset")
    assert job.execute_in_process(instance=instance, partition_key=name).success


def stored(home: Path, asset: str, partition: str, kind: type) -> list:
    file = Platform(home=str(home)).layout().set_file(asset, partition)
    return list(read_set(pl.scan_parquet(str(file)), kind))


def words_of_set(home: Path, name: str) -> Iterator[str]:
    for call in stored(home, "raw_conversations", name, Conversation):
        yield from (turn.text.lower() for turn in call.turns)


@pytest.mark.slow
def test_two_rounds_make_a_curve_whose_points_go_on(home: Path, instance: dg.DagsterInstance) -> None:
    for _ in range(2):
        assert make_round(home, instance, calls=24, spec={"domain": "retail", "seed": 5}).success
    outcomes = Rounds("mine", home).outcomes()
    assert [outcome.number for outcome in outcomes] == [1, 2] and all(outcome.tried for outcome in outcomes)
    # A round begins where the last one ended, on the scenarios that one was measured on.
    assert outcomes[0].after == outcomes[1].before and outcomes[0].recipe_after == outcomes[1].recipe_before
    # The script does not read the words of a prompt: no such change may be said to have had an effect.
    worded = [tried for outcome in outcomes for tried in outcome.tried if tried.name == "short turns"]
    assert worded and all(not tried.is_kept and tried.effect.target.effect == 0 for tried in worded)
    points = stored(home, "feedback_rounds", "mine", CurvePoint)
    assert [point.round for point in points] == [0, 1, 2] and all(point.scripted for point in points)
    assert all(point.accuracy_low <= point.accuracy <= point.accuracy_high for point in points)
    assert read_recipe("mine", home).rounds == 2
    other = make_round(home, instance, calls=25, spec={"domain": "retail", "seed": 5})
    assert not other.success and len(Rounds("mine", home).outcomes()) == 2


def test_a_round_of_too_few_calls_tries_nothing_and_says_why(home: Path, instance: dg.DagsterInstance) -> None:
    result = make_round(home, instance, calls=1, spec={"domain": "retail"})
    assert result.success
    (made,) = result.asset_materializations_for_node("feedback_rounds")
    assert "too few" in str(made.metadata["not_measured"].value) and "accuracy" not in made.metadata
    assert "Nothing is shown" in str(made.metadata["shown"].value)
    (outcome,) = Rounds("mine", home).outcomes()
    assert outcome.tried == () and "too few" in outcome.note


@pytest.mark.slow
def test_habits_of_a_recipe_change_what_is_written(home: Path, instance: dg.DagsterInstance) -> None:
    make_set(home, instance, "plain", 6)
    write_recipe(Recipe(name="chatty", habits=HabitChanges(caller_hesitation=20.0, fillers=("erm",))), home)
    (home / "config" / "development.yaml").write_text("generation:\n  recipe: chatty\n")
    make_set(home, instance, "other", 6)
    said = {name: " ".join(words_of_set(home, name)) for name in ("plain", "other")}
    assert said["other"].count("erm,") > 5 > said["plain"].count("erm,")
    callers = [person for person in stored(home, "personas", "other", Persona) if person.role == "customer"]
    assert max(person.habits.hesitation for person in callers) == 0.95
    rows = stored(home, "realism_discriminator", "plain", SetMetric)
    assert rows and all(row.value is None and "too few" in row.detail for row in rows)
