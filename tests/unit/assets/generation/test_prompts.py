"""Requests of one set begin alike, byte for byte, so that a model server reads the common part once."""

import itertools

import pytest

from tip_assets.generation.glossary import prompt_for
from tip_assets.generation.prompts import PLANS_MARKER, SYSTEM_TEXT, PlannedAttempt
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import plan_calls
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.rehearsal.dialogue.plan import call_plans
from tip_resources.settings.models import IntRange

HEALTHCARE = load_library("healthcare")


def common_prefix(one: str, other: str) -> int:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in same)


def prompts(batch: int, *, whole: bool, templates: tuple[str, ...] = ()) -> list[str]:
    spec = DatasetSpec(name="d", count=60, domain="healthcare", scenario_templates=templates)
    attempts = [PlannedAttempt(plan, 1) for plan in plan_calls(spec, HEALTHCARE)]
    requests = [
        prompt_for(HEALTHCARE).request(
            attempts[start : start + batch],
            spec,
            request_id=str(start),
            exchanges=IntRange(low=20, high=40),
            max_output_tokens=1_000,
            temperature=0.8,
            tells_whole_glossary=whole,
        )
        for start in range(0, 60, batch)
    ]
    return ["".join(message.content for message in request.messages) for request in requests]


@pytest.mark.parametrize("templates", [(), ("insurance_denial",)])
def test_any_two_requests_of_a_set_share_everything_before_their_plans(templates: tuple[str, ...]) -> None:
    texts = [*prompts(15, whole=True, templates=templates), *prompts(4, whole=True, templates=templates)]
    for one, other in itertools.combinations(texts, 2):
        before_plans = one.index(f"{PLANS_MARKER}\n")
        assert common_prefix(one, other) > before_plans + len('{"all":{"exchanges":[20,40]')


def test_a_small_window_still_shares_instructions_and_the_steps_of_most_calls() -> None:
    texts = prompts(1, whole=False)
    for one, other in itertools.combinations(texts, 2):
        shared = common_prefix(one, other)
        assert shared > len(SYSTEM_TEXT)
        assert shared > 0.5 * min(one.index(f"{PLANS_MARKER}\n"), other.index(f"{PLANS_MARKER}\n"))


def test_every_word_of_a_plan_is_explained_once_in_either_form() -> None:
    for whole in (True, False):
        for text in prompts(1, whole=whole):
            before = text.partition(f"{PLANS_MARKER}\n")[0]
            plans = call_plans(text[text.index("The calls are") :])
            assert plans
            for step in plans[0].scenario.intent_path:
                assert before.count(f"\n- {step}: ") == 1


def test_what_all_calls_share_stands_once_and_reaches_every_call() -> None:
    [text] = prompts(60, whole=True)
    assert text.count('"exchanges":[20,40]') == 1
    plans = call_plans(text[text.index("The calls are") :]) or ()
    assert len(plans) == 60
    assert {plan.exchanges for plan in plans} == {(20, 40)}
    assert len({plan.variation for plan in plans}) == 60
