"""A recipe changes how people talk and what the prompt says, and nothing of what happens or who calls."""

from pathlib import Path

import msgspec
import pytest

from tip_assets.generation.glossary import prompt_by, prompt_for
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import call_plan_at
from tip_assets.planning.recipes import PLAIN, HabitChanges, Recipe, read_recipe, weight_lines, write_recipe
from tip_assets.planning.scenario_weights import EVEN, ScenarioWeights
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput

SPEC = DatasetSpec(name="a", count=10, domain="retail")
LIBRARY = load_library("retail", Path("none"))
RECIPE = Recipe(
    name="mine",
    rounds=2,
    prompt=("Most turns are short.",),
    habits=HabitChanges(
        caller_hesitation=2.0,
        agent_hesitation=3.0,
        fillers=("uh",),
        spellings={"going to": "gonna"},
        patience_spread=0.2,
        behaviours=("interrupts", "mishears"),
    ),
)


def test_habits_change_and_facts_do_not() -> None:
    plans = [call_plan_at(SPEC, LIBRARY, index) for index in range(6)]
    changed = [RECIPE.apply(plan) for plan in plans]
    for plan, other in zip(plans, changed, strict=True):
        assert other.scenario == plan.scenario and other.facts == plan.facts
        assert other.customer.habits.hesitation == pytest.approx(2 * plan.customer.habits.hesitation, abs=0.01)
        assert other.agent.habits.hesitation == pytest.approx(3 * plan.agent.habits.hesitation, abs=0.01)
        assert "uh" in other.customer.habits.fillers and other.customer.habits.spellings["going to"] == "gonna"
    assert {other.customer.experience.rsplit("; ")[-1] for other in changed} == {"interrupts", "mishears"}
    pairs = zip(plans, changed, strict=True)
    spread = {round(other.customer.patience - plan.customer.patience, 2) for plan, other in pairs}
    assert {-0.2, 0.2} & spread and 0.0 in spread


def test_the_plain_recipe_changes_nothing() -> None:
    plan = call_plan_at(SPEC, LIBRARY, 0)
    assert PLAIN.apply(plan) == plan
    assert prompt_by(LIBRARY, PLAIN).hash == prompt_for(LIBRARY).hash


def test_the_words_of_a_recipe_are_in_the_prompts_hash() -> None:
    assert prompt_by(LIBRARY, RECIPE).hash != prompt_for(LIBRARY).hash
    renamed = msgspec.structs.replace(RECIPE, name="other", rounds=9)
    assert prompt_by(LIBRARY, renamed).hash == prompt_by(LIBRARY, RECIPE).hash


def test_hesitation_never_fills_every_turn() -> None:
    plan = call_plan_at(SPEC, LIBRARY, 0)
    changed = Recipe(habits=HabitChanges(caller_hesitation=1000.0)).apply(plan)
    assert changed.customer.habits.hesitation < 1


def test_a_recipe_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_recipe(RECIPE, tmp_path)
    assert read_recipe("mine", tmp_path) == RECIPE
    assert read_recipe("", tmp_path) == PLAIN


@pytest.mark.parametrize("content", [None, "prompt: 7", "sparkle: true", "- a list", ":", "habits: {whisper: 1}"])
def test_a_recipe_that_cannot_be_used_is_named(content: str | None, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "recipes"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "mine.yaml").write_text(content)
    with pytest.raises(BadInput, match=r"mine\.yaml"):
        read_recipe("mine", tmp_path)
    with pytest.raises(BadInput):
        read_recipe("../mine", tmp_path)


def test_weights_are_read_as_they_were_written_and_hold_for_their_domain_alone(tmp_path: Path) -> None:
    weights = ScenarioWeights(templates={"order_status": 3}, complications={"none": 2}, resolutions={"case_opened": 0})
    recipe = Recipe(name="mine", weights={"retail": weights})
    write_recipe(recipe, tmp_path)
    assert read_recipe("mine", tmp_path) == recipe
    assert recipe.weights_for("healthcare") == EVEN
    assert call_plan_at(SPEC, LIBRARY, 0, recipe.weights_for("healthcare")) == call_plan_at(SPEC, LIBRARY, 0)
    assert weight_lines(recipe)[0] == "weights, retail, templates: order_status 3"


@pytest.mark.parametrize(
    ("weights", "line", "said"),
    [
        ("{retail: {templates: {order_state: 2}}}", 2, "order_state"),
        (
            "\n  retail:\n    resolutions:\n      case_opened: 21",
            5,
            "resolutions.case_opened: 21 is not between",
        ),
        ("\n  retail:\n    complications:\n      none: 1.5", 5, "complications.none: expected a whole number"),
        ("\n  retail:\n    outcomes: {case_opened: 1}", 4, "outcomes: is not a known field"),
        ("{retial: {templates: {order_status: 2}}}", 2, "retial"),
    ],
)
def test_a_wrong_weight_is_named_with_its_line(weights: str, line: int, said: str, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "recipes"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(f"rounds: 1\nweights: {weights}\n")
    with pytest.raises(BadInput, match=said) as caught:
        read_recipe("mine", tmp_path)
    assert caught.value.where == f"mine.yaml:{line}"
