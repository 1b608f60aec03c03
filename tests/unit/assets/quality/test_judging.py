"""What a judge is asked and shown, what its answers amount to, and what becomes of a call it cannot grade."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from upath import UPath

from tests.unit.assets.quality.conftest import call_of
from tests.unit.assets.quality.judge_server import VERDICT, judging_settings, serving
from tests.unit.resources.llm.scripted_server import answers
from tip_assets.quality.judge_answers import JudgeAnswers
from tip_assets.quality.judge_panel import ask_panel, grade_of, overall_points
from tip_assets.quality.judge_rubric import judge_rubric, judge_rubric_version
from tip_assets.quality.judged_calls import Judged, find_judges, judged_calls
from tip_assets.quality.judging import JudgeAnswer, NotForJudges, answer_schema, question_for
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import Persona, PersonalFact
from tip_resources.domain.scenario import Scenario
from tip_resources.llm.failures import CallFailed, CallImpossible
from tip_resources.settings.models import ModelSettings, Settings

PLAN = CallPlan(
    index=0,
    scenario=Scenario(
        id="s",
        index=0,
        domain="healthcare",
        template="refill",
        title="Refill for Zelda Quist",
        intent_path=("greet", "verify identity", "request refill"),
        facts={"medicine": "lisinopril", "caller": "Zelda Quist"},
        complications=("no refills left",),
        resolution="bridge supply",
        difficulty=2,
    ),
    customer=Persona(
        id="c",
        index=0,
        role="customer",
        name="Zelda Quist",
        facts=(PersonalFact(type="NAME", value="Zelda Quist"), PersonalFact(type="PHONE", value="212-555-0143")),
        emotion_arc=("worried", "relieved"),
    ),
    agent=Persona(id="a", index=0, role="agent", name="Omar"),
)


def asked(call: Conversation, plan: CallPlan | None = None, sample: int = 0) -> tuple[str, str]:
    system, user = question_for(call, plan, sample).messages
    return system.content, user.content


def judged(
    calls: list[Conversation], says_of: object, *, samples: int = 1, kept: JudgeAnswers | None = None
) -> list[Judged]:
    with serving(says_of) as server:
        judges = find_judges("network", judging_settings(server.url), environ={})
        return list(judged_calls(((call, None) for call in calls), judges, samples=samples, answers=kept))


def test_a_judge_sees_the_plan_and_the_call_with_personal_data_replaced() -> None:
    call = call_of("Who is this?", "Zelda Quist, 212-555-0143, about my lisinopril.")
    _, text = asked(msgspec.structs.replace(call, domain="healthcare"), PLAN)
    assert "[NAME]" in text and "lisinopril" in text
    assert "verify identity; request refill" in text
    assert "worried, relieved" in text
    assert not any(secret in text for secret in ("Zelda", "Quist", "212", "0143"))


def test_facts_that_travel_with_a_call_are_replaced_too() -> None:
    facts = [{"type": "MEMBER_ID", "value": "KX 99812", "spoken": ["kilo x-ray"]}]
    call = call_of("Which one?", "kilo x-ray I think")
    call = msgspec.structs.replace(call, annotations=msgspec.structs.replace(
        call.annotations, extra={"personal_facts": facts}))  # fmt: skip
    assert "kilo" not in asked(call)[1]


def test_healthcare_is_asked_for_medical_accuracy_by_its_own_anchors() -> None:
    call = call_of("Hello.", "Hi.")
    medical = judge_rubric().criteria["domain_accuracy"].domains["healthcare"]
    assert medical.anchors[2] in asked(msgspec.structs.replace(call, domain="healthcare"))[0]
    assert medical.anchors[2] not in asked(msgspec.structs.replace(call, domain="retail"))[0]
    answer = JudgeAnswer(
        model="m", sample=0, is_reversed=False, scores=dict.fromkeys(judge_rubric().criteria, 4.0), rationale=""
    )
    assert grade_of([answer], tier="network", domain="healthcare").metrics["medical_accuracy"] == 0.8
    assert "medical_accuracy" not in grade_of([answer], tier="network", domain="retail").metrics


def test_every_second_sample_has_criteria_and_anchors_in_the_other_order() -> None:
    call = call_of("Hello.", "Hi.")
    questions = [question_for(call, None, sample) for sample in range(3)]
    assert [one.is_reversed for one in questions] in ([True, False, True], [False, True, False])
    for one in questions:
        text = one.messages[0].content
        realism, completeness = text.index("realism: "), text.index("completeness: ")
        best = judge_rubric().criteria["realism"].anchors
        assert (realism > completeness) == one.is_reversed
        assert (text.index(best[0]) < text.index(best[5])) == one.is_reversed
    assert list(answer_schema(is_reversed=True)["properties"])[:2] == ["rationale", "completeness"]
    assert len({one.key("m") for one in questions}) == 3


def test_single_samples_of_a_set_are_asked_in_both_orders_about_equally() -> None:
    turned = [question_for(call_of("Hello.", f"Call {number}."), None, 0).is_reversed for number in range(60)]
    assert 15 < sum(turned) < 45


def test_the_key_of_an_answer_changes_with_call_model_and_sample_alone() -> None:
    call = call_of("Hello.", "Hi.")
    one = question_for(call, None, 0)
    assert one.key("m") == question_for(msgspec.structs.replace(call, id="other"), None, 0).key("m")
    assert one.key("m") != one.key("n")
    assert one.key("m") != question_for(call_of("Hello.", "Hey."), None, 0).key("m")
    assert one.key("m") != question_for(call, PLAN, 0).key("m")


@pytest.mark.parametrize("call", [call_of(), call_of("", "  ")], ids=["no turns", "empty turns"])
def test_a_call_without_words_is_not_shown_to_a_judge(call: Conversation) -> None:
    with pytest.raises(NotForJudges, match="no words"):
        question_for(call, None, 0)


def answers_of(*overalls: float) -> list[JudgeAnswer]:
    return [
        JudgeAnswer(
            model="m",
            sample=number,
            is_reversed=False,
            scores=dict.fromkeys(judge_rubric().criteria, value),
            rationale=f"sample {number}",
        )
        for number, value in enumerate(overalls)
    ]


@pytest.mark.parametrize(
    ("overalls", "samples", "used", "grade"),
    [
        ((4.0, 4.5, 1.0), 2, 2, 4.25),
        ((4.0, 1.0, 4.5), 2, 3, 4.0),
        ((4.0, 4.0, 0.5, 4.5), 3, 4, 4.0),
        ((2.0,), 1, 1, 2.0),
    ],
)
def test_samples_far_apart_are_settled_by_one_more(
    overalls: tuple[float, ...], samples: int, used: int, grade: float
) -> None:
    prepared = answers_of(*overalls)

    async def ask(sample: int) -> JudgeAnswer:
        return prepared[sample]

    given = list(asyncio.run(ask_panel(ask, samples)))
    assert len(given) == used
    made = grade_of(given, tier="network", domain="retail")
    assert made.overall == grade
    assert made.rubric_version == judge_rubric_version()
    assert made.metrics.get("samples_count") == (used if used > 1 else None)


def test_a_sample_that_fails_is_not_made_up_from_the_others() -> None:
    async def ask(sample: int) -> JudgeAnswer:
        if sample == 1:
            raise CallFailed("refusal", "no")
        return answers_of(4.0)[0]

    with pytest.raises(CallFailed):
        asyncio.run(ask_panel(ask, 3))


def test_the_overall_grade_is_held_down_by_the_weakest_side() -> None:
    (answer,) = answers_of(5.0)
    weak = msgspec.structs.replace(answer, scores={**answer.scores, "coherence": 1.0})
    assert overall_points(weak) == pytest.approx(((5 + 1 + 5) / 3 + 1) / 2)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("What a lovely call! I would give it a five.", "invalid_output"),
        (json.dumps({**VERDICT, "realism": 7}), "invalid_output"),
        (json.dumps({**VERDICT, "realism": "high"}), "invalid_output"),
        (json.dumps({name: value for name, value in VERDICT.items() if name != "flow"}), "invalid_output"),
        ("[]", "invalid_output"),
        ("", "empty"),
    ],
    ids=["prose", "out of range", "no number", "one missing", "a list", "nothing"],
)
def test_an_answer_that_is_no_grade_is_an_outcome_with_a_reason(answer: str, kind: str) -> None:
    (one,) = judged([call_of("Hello.", "Hi.")], answer)
    assert one.grade is None
    assert one.why_not_kind == kind
    assert one.why_not


def test_odd_calls_are_judged_or_said_and_the_order_is_kept() -> None:
    calls = [
        call_of("Hello."),
        call_of(),
        msgspec.structs.replace(call_of(), turns=(Turn(speaker="agent", text="Hm."),) * 3),
        call_of("Привет, 你好", "مرحبا \U0001f600\u0007"),
        call_of("a" * 20_000, "b"),
    ]  # fmt: skip
    found = judged(calls, json.dumps(VERDICT))
    assert [one.conversation for one in found] == calls
    assert [one.grade is not None for one in found] == [True, False, True, True, True]
    assert found[1].why_not_kind == "no_words"


def test_a_set_of_one_and_of_none() -> None:
    assert judged([], json.dumps(VERDICT)) == []
    (one,) = judged([call_of("Hello.", "Hi.")], json.dumps(VERDICT), samples=3)
    assert one.grade is not None
    assert one.grade.metrics["samples_count"] == 3.0
    assert one.asked == 3


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    kept = JudgeAnswers(UPath(tmp_path / "judged"))
    calls = [call_of("Hello.", f"Number {number}.") for number in range(4)]
    first = judged(calls[:2], json.dumps(VERDICT), samples=2, kept=kept)
    assert [one.asked for one in first] == [2, 2]
    again = judged(calls, json.dumps({**VERDICT, "realism": 1.0}), samples=2, kept=kept)
    assert [one.asked for one in again] == [0, 0, 2, 2]
    assert [one.grade.realism for one in again if one.grade] == [4.0, 4.0, 1.0, 1.0]
    kept.clear()
    assert [one.asked for one in judged(calls[:1], json.dumps(VERDICT), kept=kept)] == [1]


def test_an_endpoint_that_is_of_no_use_is_passed_over_for_another_of_the_same_model() -> None:
    refuses = answers(401, {"error": {"message": "who are you?"}})
    with serving(refuses) as first, serving(json.dumps(VERDICT)) as second:
        models = ModelSettings.model_validate(
            {"endpoints": [{"url": one.url, "model": "judge"} for one in (first, second)], "probe_localhost": False}
        )
        judges = find_judges("network", Settings(models=models), environ={})
        found = list(judged_calls([(call_of("Hello.", f"Call {number}."), None) for number in range(4)], judges))
        assert [one.grade is not None for one in found] == [True] * 4
        assert first.asked and len(second.asked) == 4


def test_a_judge_that_lets_nobody_in_ends_it_with_words_instead_of_a_call_without_a_grade() -> None:
    refuses = answers(401, {"error": {"message": "who are you?"}})
    with pytest.raises(CallImpossible, match="No key was sent"):
        judged([call_of("Hello.", "Hi.")], refuses)
