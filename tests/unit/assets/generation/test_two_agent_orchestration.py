"""The course of a two-agent call: every step in order, a few moves, one side told at a time."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tip_assets.generation.acceptance import Refusal
from tip_assets.generation.glossary import prompt_for
from tip_assets.generation.two_agent.orchestration import EXTRA_EXCHANGES, cues, cut_short
from tip_assets.generation.two_agent.prompts import brief, turn_request
from tip_assets.generation.two_agent.spoken_line import spoken_line, tidied
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import call_plan_at
from tip_resources.domain.conversation import Turn
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.types import FailureKind, RequestDone
from tip_resources.settings.models import IntRange

RETAIL = load_library("retail")
SPEC = DatasetSpec(name="two", count=20, domain="retail", mode="two_agent")
PLAN = call_plan_at(SPEC, RETAIL, 3)


@given(st.integers(0, 2**31), st.integers(1, 150), st.integers(0, 40))
def test_a_course_alternates_keeps_its_length_and_goes_through_the_path_in_order(
    seed: int, low: int, more: int
) -> None:
    course = cues(PLAN, IntRange(low=low, high=low + more), seed, {})
    assert 2 * low <= len(course) <= 2 * (low + more)
    assert [cue.speaker for cue in course] == ["agent", "customer"] * (len(course) // 2)
    stages = list(dict.fromkeys(cue.stage for cue in course))
    path = list(PLAN.scenario.intent_path)
    assert [path.index(stage) for stage in stages] == sorted(path.index(stage) for stage in stages)
    if low > len(path) + sum(EXTRA_EXCHANGES.values()):
        assert stages == path
    assert course[-1].move is None


def test_the_same_seed_gives_the_same_course_and_seeds_give_every_move() -> None:
    courses = [cues(PLAN, IntRange(low=20, high=40), seed, {}) for seed in range(60)]
    assert courses[7] == cues(PLAN, IntRange(low=20, high=40), 7, {})
    moves = [{cue.move for cue in course if cue.move} for course in courses]
    assert all(2 <= len(found) <= 4 for found in moves)
    assert set().union(*moves) == set(EXTRA_EXCHANGES)


def test_only_the_side_that_moves_is_told_of_it() -> None:
    for seed in range(40):
        for cue in cues(PLAN, IntRange(low=20, high=40), seed, {}):
            if cue.move:
                assert cue.hint
                assert cue.speaker == ("agent" if cue.move in ("hold", "transfer") else "customer")


def prompt_of(role: str) -> str:
    facts_known = prompt_for(RETAIL).facts_known
    cue = next(cue for cue in cues(PLAN, IntRange(low=20, high=40), 1, RETAIL.steps) if cue.speaker == role)
    said = [] if role == "agent" else [Turn(speaker="agent", text="Hello?")]
    request = turn_request(
        brief(PLAN, cue.speaker, SPEC, facts_known),
        cue,
        said,
        request_id="r",
        call_seed=1,
        attempt=1,
        max_output_tokens=100,
        temperature=0.8,
    )
    return "".join(message.content for message in request.messages)


def test_the_agent_is_told_none_of_the_callers_personal_facts_and_must_ask() -> None:
    text = prompt_of("agent")
    for fact in PLAN.customer.facts:
        assert fact.type in text
        assert all(form not in text for form in (fact.value, *fact.spoken))


def test_the_caller_is_told_neither_the_path_nor_the_outcome() -> None:
    text = prompt_of("customer")
    assert all(fact.value in text for fact in PLAN.customer.facts)
    assert "intent_path" not in text
    assert PLAN.scenario.resolution not in text
    assert all(fact.value not in text for fact in PLAN.agent.facts)
    hidden = prompt_for(RETAIL).facts_known.by_agent_alone
    assert all(value not in text for name, value in PLAN.scenario.facts.items() if name in hidden)


def test_turns_of_one_side_share_all_but_the_end_of_their_prompts() -> None:
    course = cues(PLAN, IntRange(low=20, high=40), 1, {})
    said: list[Turn] = []
    before = ""
    for cue in course[:9]:
        if cue.speaker == "agent":
            request = turn_request(
                brief(PLAN, "agent", SPEC, prompt_for(RETAIL).facts_known),
                cue,
                said,
                request_id="r",
                call_seed=1,
                attempt=1,
                max_output_tokens=100,
                temperature=0.8,
            )
            assert [message.role for message in request.messages[1:]][::2] == ["user"] * (len(said) // 2 + 1)
            text = "".join(message.content for message in request.messages)
            assert text.startswith(before)
            before = text.partition("\n\nTURN PLAN")[0]
        said.append(Turn(speaker=cue.speaker, text=f"line {len(said)}"))


def done(text: str, failure: FailureKind | None = None) -> RequestDone:
    return RequestDone(request_id="r", endpoint=None, items=0, attempts=1, raw_text=text, failure=failure)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        ('"Hello, who is this?"', "Hello, who is this?"),
        ("Agent: Hello.\nCustomer: Hi, I need help.", "Hello."),
        ("  One\n  line ", "One line"),
        ("I said: never.", "I said: never."),
    ],
)
def test_a_line_is_the_words_alone(answer: str, line: str) -> None:
    assert tidied(answer) == line


def test_a_line_cut_off_at_the_limit_keeps_its_whole_sentences() -> None:
    cut = spoken_line(done("I can do that. It costs $4.50. Then we wou", "truncated"), "agent")
    assert isinstance(cut, Turn)
    assert cut.text == "I can do that. It costs $4.50."


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (done("", "empty"), "empty"),
        (done("...", "refusal"), "refusal"),
        (done("and then", "truncated"), "truncated"),
        (done("My name is [Name]."), "placeholder"),
        (done("As an AI language model, I cannot do that."), "model_text"),
        (done("", "connect"), "connect"),
    ],
)
def test_what_is_no_line_says_why(answered: RequestDone, reason: str) -> None:
    found = spoken_line(answered, "customer")
    assert isinstance(found, Refusal)
    assert found.reason == reason


def test_an_interrupted_line_ends_in_the_middle() -> None:
    line = "So what we would have to do now is to send the whole thing back."
    cut = cut_short(line, random.Random(1))
    assert cut.endswith(" --")
    assert line.startswith(cut.removesuffix(" --"))
    assert len(cut) < len(line)
    assert cut_short("One moment, please.", random.Random(1)) == "One moment, please."
