"""Weights say how often things are planned; without them the plan is the one of a set without a recipe."""

from collections import Counter

import pytest

from tip_assets.planning.draws import balanced
from tip_assets.planning.scenario_engine import plan_key, plan_scenarios, scenario_at
from tip_assets.planning.scenario_weights import ScenarioWeights, raised
from tip_resources.domain.failures import BadInput

WEIGHTS = ScenarioWeights(
    templates={"return_request": 4}, complications={"none": 3, "time_pressure": 0}, resolutions={"caller_gives_up": 5}
)


@pytest.fixture
def spec(make_spec):
    return make_spec(domain="retail", count=600, seed=3)


@pytest.fixture
def library(libraries):
    return libraries["retail"]


def test_weights_of_one_plan_what_is_planned_without_any(spec, library) -> None:
    ones = ScenarioWeights(
        templates=dict.fromkeys(library.templates, 1),
        complications={"none": 1, **dict.fromkeys(library.complications, 1)},
        resolutions=dict.fromkeys(library.resolutions, 1),
    )
    plain = list(plan_scenarios(spec, library))
    assert list(plan_scenarios(spec, library, ones)) == plain
    names = list(library.templates)
    key = (*plan_key(spec), "template")
    assert [one.template for one in plain] == [names[balanced(one.index, len(names), *key)] for one in plain]


def test_what_is_planned_follows_the_weights(spec, library) -> None:
    planned = list(plan_scenarios(spec, library, WEIGHTS))
    counts = Counter(one.template for one in planned)
    others = [count for name, count in counts.items() if name != "return_request"]
    assert set(counts) == set(library.templates) and max(others) - min(others) <= 1
    assert abs(counts["return_request"] - 4 * others[0]) <= 4
    complications = Counter(one.complications for one in planned)
    assert ("time_pressure",) not in complications
    assert any("time_pressure" in template.complications for template in library.templates.values())
    having = [one for one in planned if "caller_gives_up" in library.templates[one.template].resolutions]
    ends = Counter(one.resolution for one in having)
    assert max(ends, key=ends.__getitem__) == "caller_gives_up"


def test_the_same_weights_plan_the_same_calls_in_any_order(spec, library) -> None:
    planned = list(plan_scenarios(spec, library, WEIGHTS))
    assert [scenario_at(spec, library, index, WEIGHTS) for index in reversed(range(spec.count))] == planned[::-1]
    assert len({(one.template, one.complications, one.resolution, *one.facts.items()) for one in planned}) == 600


def test_weights_of_two_complications_multiply(make_spec, library) -> None:
    spec = make_spec(domain="retail", count=400, complexity="complex")
    (name, *_) = next(iter(library.templates.values())).complications
    planned = list(plan_scenarios(spec, library, ScenarioWeights(complications={name: 0})))
    assert all(len(one.complications) == 2 and name not in one.complications for one in planned)


def test_weights_that_leave_nothing_are_refused(spec, library) -> None:
    nothing = ScenarioWeights(resolutions=dict.fromkeys(library.resolutions, 0))
    with pytest.raises(BadInput, match=r"weighs 0") as caught:
        scenario_at(spec, library, 0, nothing)
    assert caught.value.where == "weights.resolutions"


def test_weights_are_raised_up_to_twenty() -> None:
    assert raised({"a": 2, "b": 0, "c": 9}, ["a", "b", "c", "d"], 3) == {"a": 6, "b": 3, "c": 20, "d": 3}
