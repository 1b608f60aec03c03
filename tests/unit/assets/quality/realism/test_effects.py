"""A change counts when it mends what it was meant to by more than noise, and spoils nothing else."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.unit.assets.quality.realism.calls import stiff
from tip_assets.planning.recipes import HabitChanges, Recipe
from tip_assets.quality.features.style_figures import TELLING_FIGURES
from tip_assets.quality.realism.changes import CHANGES, proposals
from tip_assets.quality.realism.curve import conclusion, curve_markdown, curve_points
from tip_assets.quality.realism.discriminator import Telling, Verdict
from tip_assets.quality.realism.effects import measure_effect
from tip_assets.quality.realism.reference import built_in_reference
from tip_assets.quality.realism.rounds import Point, RoundOutcome, Rounds, TriedChange
from tip_assets.quality.realism.sampling import Sample
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput

REAL = built_in_reference().conversations
MENDS = {"short_turn_share", "agent_turn_words", "customer_turn_words"}


def sample(calls: Sequence[Conversation], **given: Any) -> Sample:
    fields = {"grades": dict.fromkeys(range(len(calls)), 4.5), "rejected": 0, "duplicates": 0, **given}
    return Sample(asked=len(calls), calls=dict(enumerate(calls)), models=("m",), is_scripted=True, **fields)


def test_what_brings_ours_nearer_is_kept() -> None:
    effect = measure_effect(sample(stiff(REAL)), sample(REAL), REAL, mends=MENDS, tried=4)
    assert effect.is_kept and effect.target is not None and effect.target.high < 0 and effect.pairs == 40


def test_what_takes_ours_further_away_is_dropped_and_said_to_be_worse() -> None:
    effect = measure_effect(sample(REAL), sample(stiff(REAL)), REAL, mends=MENDS, tried=4)
    assert not effect.is_kept and any("distance" in what for what in effect.worse)


def test_a_change_that_does_nothing_is_dropped() -> None:
    effect = measure_effect(sample(stiff(REAL)), sample(stiff(REAL)), REAL, mends=MENDS, tried=1)
    assert effect.target is not None and effect.target.effect == 0 and not effect.is_kept and not effect.worse


@pytest.mark.parametrize(
    ("after", "what"),
    [
        ({"grades": dict.fromkeys(range(40), 4.0)}, "grade"),
        ({"rejected": 60}, "rejected"),
        ({"duplicates": 30}, "duplicates"),
    ],
)
def test_a_change_that_spoils_something_else_is_dropped(after: dict[str, Any], what: str) -> None:
    effect = measure_effect(sample(stiff(REAL)), sample(REAL, **after), REAL, mends=MENDS, tried=1)
    assert not effect.is_kept and any(what in reason for reason in effect.worse)


def test_fewer_calls_kept_is_worse_and_too_few_pairs_have_no_figure() -> None:
    effect = measure_effect(sample(stiff(REAL)), sample(REAL[:30]), REAL, mends=MENDS, tried=1)
    assert not effect.is_kept and "10 fewer calls" in effect.worse[0]
    effect = measure_effect(sample(stiff(REAL)), sample(REAL[:5]), REAL, mends=MENDS, tried=1)
    assert effect.target is None and not effect.is_kept and "too few pairs: 5" in effect.reason


def telling(name: str, ours: float, reference: float) -> Telling:
    return Telling(name=name, ours=ours, reference=reference, distance=1.0, weight=0.1)


def test_proposals_mend_the_side_on_which_ours_are_and_are_not_made_twice() -> None:
    found = [telling("hedges_per_100_words", 0.6, 1.6), telling("backchannel_share", 0.02, 0.08)]
    first = proposals(found, Recipe(), frozenset(), 4)
    assert [change.name for change in first] == ["callers hesitate more", "agents hesitate more", "listening noises"]
    again = proposals(found, Recipe(), frozenset({"callers hesitate more"}), 1)
    assert [change.name for change in again] == ["agents hesitate more"]
    (other,) = proposals([telling("hedges_per_100_words", 3.0, 1.6)], Recipe(), frozenset(), 4)
    assert other.name == "everybody hesitates less"
    in_it = first[2].apply(Recipe())
    assert "listening noises" not in [change.name for change in proposals(found, in_it, frozenset(), 4)]


def test_every_change_mends_features_that_are_measured_and_changes_something() -> None:
    assert {feature for change in CHANGES for feature, _ in change.mends} <= set(TELLING_FIGURES)
    assert len({change.name for change in CHANGES}) == len(CHANGES)
    assert all(change.apply(Recipe()) != Recipe() for change in CHANGES)


def outcome(number: int, before: float, after: float, **given: Any) -> RoundOutcome:
    def point(accuracy: float) -> Point:
        verdict = Verdict(
            calls=40, accuracy=accuracy, low=accuracy - 0.05, high=accuracy + 0.05, auc=accuracy,
            style_distance=accuracy, style_distance_error=0.05,
        )  # fmt: skip
        return Point(verdict=verdict, grade=4.5, rejected=1, kept=40)

    fields = {
        "reference": "mine", "is_built_in": False, "is_scripted": False, "models": ("m",), "tried": (),
        "spec": DatasetSpec(name="a", count=40, domain="retail"), "recipe_before": Recipe(name="a"),
        "recipe_after": Recipe(name="a"), "before": point(before), "after": point(after), **given,
    }  # fmt: skip
    return RoundOutcome(number=number, **fields)


@pytest.mark.parametrize(
    ("end", "said"),
    [(0.93, "No improvement is shown"), (0.6, "harder to tell apart"), (0.93, "did not change by more than noise")],
)
def test_nothing_is_claimed_that_the_curve_does_not_show(end: float, said: str) -> None:
    assert said in conclusion(curve_points([outcome(1, 0.94, 0.9), outcome(2, 0.9, end)]))


def test_the_curve_has_a_point_before_the_first_round_and_names_what_was_tried() -> None:
    effect = measure_effect(sample(stiff(REAL)), sample(REAL[:5]), REAL, mends=MENDS, tried=1)
    tried = (TriedChange(name="short turns", effect=effect, is_kept=False),)
    rounds = [outcome(1, 0.95, 0.9, tried=tried), outcome(2, 0.9, 0.9, note="nothing was tried", is_scripted=True)]
    assert [point.round for point in curve_points(rounds)] == [0, 1, 2]
    shown = curve_markdown(rounds)
    assert shown.startswith("![curve") and "short turns" in shown and "too few pairs" in shown
    assert "nothing was tried" in shown and "scripted" in shown and "mine" in shown
    assert curve_markdown([]) == "No round has been made."


def test_a_round_is_kept_once_and_its_recipe_with_it(tmp_path) -> None:
    rounds = Rounds("a", tmp_path)
    made = outcome(1, 0.9, 0.9, recipe_after=Recipe(name="a", rounds=1, habits=HabitChanges(caller_hesitation=2.0)))
    rounds.keep(made)
    assert rounds.outcomes() == [made]
    assert "caller_hesitation: 2.0" in (tmp_path / "config" / "recipes" / "a.yaml").read_text()
    with pytest.raises(BadInput, match="meanwhile"):
        rounds.keep(made)
    with pytest.raises(BadInput):
        Rounds("../a", tmp_path)


def test_an_effect_can_be_stored(tmp_path) -> None:
    effect = measure_effect(sample(stiff(REAL)), sample(REAL), REAL, mends=MENDS, tried=1)
    assert msgspec.json.decode(msgspec.json.encode(effect), type=type(effect)) == effect
