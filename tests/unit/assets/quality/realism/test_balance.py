"""Re-balancing goes toward what is missing, and counts only when the share comes nearer by more than noise."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.unit.assets.quality.realism.calls import call
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.recipes import Recipe
from tip_assets.planning.scenario_engine import plan_scenarios
from tip_assets.planning.scenario_weights import ScenarioWeights
from tip_assets.quality.realism.balance import Rebalancing, rebalancings
from tip_assets.quality.realism.balance_effects import measure_rebalancing
from tip_assets.quality.realism.happenings import happenings_of
from tip_assets.quality.realism.sampling import Sample
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec

RETAIL = load_library("retail", Path("none"))
SCENARIOS = tuple(plan_scenarios(DatasetSpec(name="a", count=60, domain="retail", seed=2), RETAIL))
HOLD = ("Can I put you on hold?", "Sure.", "Thanks for holding.", "Okay.")


def calls(count: int, holds: int) -> list[Conversation]:
    return [call(f"call {place}", *(HOLD if place < holds else ())) for place in range(count)]


def sample(written: Sequence[Conversation], **given: Any) -> Sample:
    fields = {"grades": dict.fromkeys(range(len(written)), 4.5), "scenarios": SCENARIOS, **given}
    return Sample(
        asked=60,
        calls=dict(enumerate(written)),
        rejected=0,
        duplicates=0,
        models=("m",),
        is_scripted=True,
        least_grade=4.25,
        **fields,
    )


def proposed(ours: Sample, reference: Sequence[Conversation], *tried: str) -> tuple[Rebalancing, ...]:
    return rebalancings(ours, reference, RETAIL, tried=tried, most=3)


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("hold", HOLD),
        ("transfer", ("I'll transfer you to billing.", "Okay.")),
        ("supervisor", ("Hello.", "Get me your manager.")),
        ("callback", ("I\u2019ll call you back on Monday.", "Fine.")),
        ("case", ("I've opened a ticket for that.", "Okay.")),
        ("bad_line", ("Hello?", "You're breaking up.")),
        ("repeat_call", ("Hello.", "This is the third time I've called.")),
        ("unresolved", ("I'm afraid I can't do that.", "Forget it.")),
    ],
)
def test_what_happens_is_heard_and_only_that(name: str, texts: tuple[str, ...]) -> None:
    assert happenings_of(call("a", *texts)) == {name}
    assert happenings_of(msgspec.structs.replace(call("a", *texts), language="es")) is None


def test_an_early_refusal_is_no_end_that_solves_nothing() -> None:
    assert happenings_of(call("a", "I can't find it.", *["Okay.", "There it is."] * 6)) == frozenset()


def test_what_the_reference_has_and_ours_lack_is_weighed_more() -> None:
    (found,) = proposed(sample(calls(60, 0)), calls(40, 16))
    assert found.mends == "hold" and found.wanted == 0.4 and found.names == {"complications": ("agent_must_check",)}
    recipe = found.apply(Recipe(name="mine"), "retail")
    assert recipe.weights == {"retail": ScenarioWeights(complications={"agent_must_check": 4})}
    assert not proposed(sample(calls(60, 0)), calls(40, 16), found.name)


def test_a_difference_that_chance_makes_is_left_alone() -> None:
    assert not proposed(sample(calls(60, 20)), calls(40, 16))
    assert not proposed(sample(calls(60, 16)), calls(40, 8))
    assert not proposed(sample(calls(60, 0)), calls(19, 19))


def test_what_is_not_good_enough_to_deliver_is_planned_more_often() -> None:
    grades = {one.index: 4.0 if one.template == "order_status" else 4.5 for one in SCENARIOS}
    found = proposed(sample(calls(60, 0), grades=grades), calls(40, 0))
    assert found[0].names == {"templates": ("order_status",)} and found[0].wanted == pytest.approx(0.1)
    assert "0 of 6 planned are good enough" in found[0].why


def holds_wanted() -> Rebalancing:
    (found,) = proposed(sample(calls(60, 0)), calls(40, 16))
    return found


def test_a_share_that_comes_nearer_is_kept_and_one_that_stays_is_not() -> None:
    reference, before = calls(40, 16), sample(calls(60, 0))
    nearer = measure_rebalancing(before, sample(calls(60, 20)), reference, holds_wanted(), tried=4)
    assert nearer.target is not None and nearer.target.effect == pytest.approx(-1 / 3)
    assert nearer.target.high < 0 and not nearer.is_paired
    same = measure_rebalancing(before, sample(calls(60, 0)), reference, holds_wanted(), tried=4)
    assert same.target is not None and same.target.effect == 0 and not same.is_kept
    chance = measure_rebalancing(sample(calls(60, 3)), sample(calls(60, 5)), reference, holds_wanted(), tried=4)
    assert not chance.is_kept


def test_a_lower_grade_fewer_calls_or_other_happenings_gone_astray_drop_it() -> None:
    reference, before, change = calls(40, 16), sample(calls(60, 0)), holds_wanted()
    lower = sample(calls(60, 20), grades=dict.fromkeys(range(60), 4.3))
    assert any("grade" in why for why in measure_rebalancing(before, lower, reference, change, tried=1).worse)
    fewer = measure_rebalancing(before, sample(calls(50, 20)), reference, change, tried=1)
    assert not fewer.is_kept and "10 fewer calls could be kept" in fewer.worse
    astray = [*calls(30, 20), *(call(f"case {place}", "I opened a ticket.", "Okay.") for place in range(30))]
    gone = measure_rebalancing(before, sample(astray), reference, change, tried=1)
    assert not gone.is_kept and any("other happenings" in why for why in gone.worse)


def test_too_few_calls_have_no_figure_and_say_so() -> None:
    effect = measure_rebalancing(sample(calls(19, 0)), sample(calls(60, 9)), calls(40, 16), holds_wanted(), tried=1)
    assert effect.target is None and "too few calls" in effect.reason and not effect.is_kept
