"""The screen behind scrubbed_conversations: what it holds back, counts, and says."""

from collections.abc import Callable

import msgspec
import pytest

from tip_assets.planning.domain_library import load_libraries
from tip_assets.planning.persona_generator import personas_for
from tip_assets.planning.scenario_engine import scenario_at
from tip_assets.quality.assets import scrub_metadata, scrub_verdict
from tip_assets.quality.screening import ScrubScreen
from tip_assets.quality.scrubbing import redact, with_spans
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import PersonalFact

MakeCall = Callable[..., Conversation]
KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def plan() -> CallPlan:
    spec, library = DatasetSpec(name="screen", count=5, domain="retail", seed=2), load_libraries()["retail"]
    scenario = scenario_at(spec, library, 0)
    customer, agent = personas_for(spec, scenario, library)
    return CallPlan(index=0, scenario=scenario, customer=customer, agent=agent)


def unscrubbable(plan: CallPlan) -> Conversation:
    """A last name spelled so slowly, eight turns between two letters, that only the check reads it."""
    letters = plan.customer.name.split()[-1].upper()
    waits = (Turn(speaker="agent", text="Go on."),) * 8
    turns = tuple(turn for letter in letters for turn in (*waits, Turn(speaker="customer", text=letter)))
    return Conversation(id="bad", turns=turns)


def test_a_call_whose_facts_cannot_be_scrubbed_is_held_back_with_their_kind(make_call: MakeCall, plan: CallPlan):
    screen = ScrubScreen(("type_tag",), KEY)
    good, bad = make_call(f"I am {plan.customer.name}.", id="good"), unscrubbable(plan)
    passed = list(screen.screen([(good, plan), (bad, plan)]))
    assert [call.id for call in passed] == ["good"]
    assert set(screen.held_back) == {"bad"} and all("NAME" in reason for reason in screen.held_back["bad"])
    assert plan.customer.name not in str(scrub_metadata(screen)) + scrub_verdict(screen, 0.05)


def test_the_text_stays_as_it_is_and_every_style_finds_the_same_spans(make_call: MakeCall, plan: CallPlan):
    call = make_call(f"I am {plan.customer.name}.")
    [found] = ScrubScreen(("type_tag", "surrogate", "hash"), KEY).screen([(call, plan)])
    assert found.turns == call.turns
    (span,) = list(found.annotations.spans or ())
    for style in ("type_tag", "surrogate", "hash"):
        assert plan.customer.name not in redact(found, style, key=KEY).turns[0].text
    assert (span.type, span.source, span.entity) == ("NAME", "persona", 0)


def test_a_surrogate_that_is_another_fact_by_chance_is_drawn_again(make_call: MakeCall, plan: CallPlan):
    call = make_call("My name is Mortimer Quimby.")
    by_chance = redact(with_spans(call), "surrogate", key=KEY).turns[0].text.removeprefix("My name is ").rstrip(".")
    other = msgspec.structs.replace(plan.agent, facts=(PersonalFact(type="NAME", value=by_chance),))
    screen = ScrubScreen(("surrogate",), KEY)
    [found] = screen.screen([(call, msgspec.structs.replace(plan, agent=other))])
    exported = redact(found, "surrogate", key=KEY)
    assert by_chance.split()[-1] not in exported.turns[0].text
    assert "Quimby" not in exported.turns[0].text
    assert exported.annotations.extra == {}
    assert screen.held_back == {}


@pytest.mark.parametrize(
    ("passed", "held_back", "said"),
    [(0, 0, "no call to scrub"), (0, 3, "any of the 3 calls"), (90, 10, "Blocked: 10 of 100 calls (10.0%)"),
     (99, 1, "1 of 100 calls held back")],
)  # fmt: skip
def test_the_verdict_says_in_words_why_a_set_is_blocked(passed: int, held_back: int, said: str):
    screen = ScrubScreen()
    screen.passed = passed
    screen.held_back = {str(number): ("NAME",) for number in range(held_back)}
    assert said in scrub_verdict(screen, 0.05)
