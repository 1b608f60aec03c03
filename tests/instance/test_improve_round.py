"""A round of feedback as a run on a real instance, written by the rehearsal server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec
import polars as pl
import pytest
from click.testing import CliRunner

from tip_assets.cli.improve import improve
from tip_assets.definitions import build_definitions
from tip_assets.partitions import DATASET_PARTITIONS, RECIPE_PARTITIONS
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.recipes import HabitChanges, Recipe, read_recipe, write_recipe
from tip_assets.planning.scenario_weights import ScenarioWeights
from tip_assets.platform import Platform
from tip_assets.quality.realism.curve import CurvePoint
from tip_assets.quality.realism.reference import built_in_reference
from tip_assets.quality.realism.rounds import Rounds
from tip_resources.domain.codec import to_json
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.set_metric import SetMetric
from tip_resources.storage.sets import read_set


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
    effects = [tried.effect.target for tried in worded if not tried.is_kept]
    assert effects and all(effect is not None and effect.effect == 0 for effect in effects)
    assert len(effects) == len(worded)
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


@pytest.fixture
def project(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own, as `tip` finds it."""
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("TIP_HOME", str(home))
    return home


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "there is no data set 'nosuch'"),
        (["missing.yaml"], "missing.yaml"),
        (["nosuch", "--name", "../up"], "cannot be a data set name"),
    ],
)
def test_the_command_says_in_one_line_why_it_cannot(project: Path, arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(improve, arguments)
    assert result.exit_code == 1 and said in result.stderr and "Traceback" not in result.stderr
    assert not (project / "config" / "recipes").exists()


@pytest.mark.slow
def test_the_command_makes_rounds_and_shows_the_curve(project: Path) -> None:
    (project / "shop.yaml").write_text("name: shop\ndomain: retail\ncount: 500\nseed: 5\n")
    arguments = [str(project / "shop.yaml"), "--rounds", "2", "--calls", "20", "--rehearsal"]
    result = CliRunner().invoke(improve, arguments)
    assert result.exit_code == 0 and "no recordings" in result.stdout and "scripted" in result.stdout
    assert [line.split()[0] for line in result.stdout.splitlines() if line[:1].isdigit()] == ["0", "1", "2"]
    assert read_recipe("shop", project).rounds == 2


@pytest.mark.slow
def test_an_outcome_that_a_recipe_lacks_and_the_reference_has_comes_back(
    home: Path, instance: dg.DagsterInstance
) -> None:
    # The user's own reference: calls that all end unsolved. The recipe plans no such outcome at all.
    end = (
        Turn(speaker="agent", text="No, I can't do that, I'm sorry."),
        Turn(speaker="customer", text="Forget it then."),
        Turn(speaker="agent", text="Goodbye."),
    )
    real = [msgspec.structs.replace(one, turns=one.turns + end) for one in built_in_reference().conversations]
    (home / "config" / "reference").mkdir(parents=True)
    (home / "config" / "reference" / "own.jsonl").write_bytes(b"\n".join(map(to_json, real)))
    poor = [one.name for one in load_library("retail").resolutions.values() if one.satisfaction == "poor"]
    none = ScenarioWeights(resolutions=dict.fromkeys(poor, 0))
    write_recipe(Recipe(name="mine", weights={"retail": none}), home)
    assert make_round(home, instance, calls=40, spec={"domain": "retail", "seed": 5}).success
    (outcome,) = Rounds("mine", home).outcomes()
    (tried,) = (one for one in outcome.tried if one.name == "more calls with an end that solves nothing")
    assert tried.is_kept and tried.effect.target is not None and tried.effect.target.high < 0, tried
    assert outcome.after.happenings["unresolved"] > outcome.before.happenings["unresolved"]
    weights = read_recipe("mine", home).weights_for("retail").resolutions
    assert any(weights[name] > 1 for name in poor)
