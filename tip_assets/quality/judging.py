"""One question to a judge about one call, and its answer: what is asked, in which order, what comes back.

The judge sees redacted text only. The rubric is in judge_rubric.yaml; who is asked, how often and how many at once in
judged_calls.py; what the answers to one call amount to in judge_panel.py.
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from tip_assets.quality.judge_rubric import BEST, JudgeRubric, judge_rubric, judge_rubric_version
from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.personal_data import personal_facts
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import to_json
from tip_resources.domain.conversation import Annotations, Conversation, Turn
from tip_resources.domain.failures import BadInput
from tip_resources.llm.types import Endpoint, Message, RequestDone
from tip_resources.settings.models import EngineSettings

_MOST_RATIONALE_CHARACTERS = 600
MOST_OUTPUT_TOKENS = 700
# The first two samples differ by the order of the criteria; from the third on only chance makes a difference.
_ORDERS = 2
_TEMPERATURE_OF_FURTHER_SAMPLES = 0.4


class JudgeQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What one sample asks about one call. `is_reversed`: criteria and anchors come in the opposite order."""

    call_id: str
    sample: int
    is_reversed: bool
    domain: str
    messages: tuple[Message, ...]

    def key(self, model: str) -> str:
        """Identity of the answer: the words asked (redacted call, plan, rubric), the model and the sample number."""
        asked = (judge_rubric_version(), model, self.sample, [(one.role, one.content) for one in self.messages])
        return hashlib.sha256(to_json(asked)).hexdigest()[:32]


class JudgeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One sample's numbers, 0-5 by criterion, and its reasons.

    `endpoint` and the tokens are of all requests that the answer took; None where the server did not count them.
    """

    model: str
    sample: int
    is_reversed: bool
    scores: dict[str, float]
    rationale: str
    endpoint: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


class NotForJudges(BadInput):
    """The call cannot be shown to a judge; the message says why and never quotes it. `kind` is a word to count by."""

    def __init__(self, kind: str, what: str) -> None:
        self.kind = kind
        super().__init__(what)


def question_for(conversation: Conversation, plan: CallPlan | None, sample: int) -> JudgeQuestion:
    """What the `sample`-th sample (from 0) asks about a call.

    Every second sample, and the only sample of every second call, has the criteria and their anchors reversed, so that
    what a judge makes of their order cancels out over a set.

    Raises:
        NotForJudges: The call has no words, or holds a personal fact that could not be replaced.
    """
    facts = plan.facts if plan is not None else personal_facts(conversation)
    bare = msgspec.structs.replace(conversation, annotations=Annotations(spans=conversation.annotations.spans))
    redacted = redact(bare, facts=facts)
    if not any(turn.text.strip() for turn in redacted.turns):
        raise NotForJudges("no_words", "the call has no words.")
    if leaked := leaked_facts(redacted, facts):
        raise NotForJudges(
            "not_scrubbed", f"personal data could not be replaced ({', '.join(leaked)}), so no judge is shown it."
        )
    transcript = "\n".join(f"{turn.speaker}: {turn.text}" for turn in redacted.turns)
    known = f"PLAN\n{_plan_text(plan)}\n" if plan is not None else ""
    text = (
        f"Domain: {conversation.domain or 'not known'}\nTurns: {len(redacted.turns)}\n{known}TRANSCRIPT\n{transcript}"
    )
    is_reversed = (hashlib.sha256(transcript.encode()).digest()[0] + sample) % _ORDERS == 1
    system = _prompt(judge_rubric(), conversation.domain, has_plan=plan is not None, is_reversed=is_reversed)
    return JudgeQuestion(
        call_id=conversation.id,
        sample=sample,
        is_reversed=is_reversed,
        domain=conversation.domain,
        messages=(Message("system", system), Message("user", text)),
    )


async def ask_judge(
    question: JudgeQuestion,
    endpoint: Endpoint,
    settings: EngineSettings,
    on_done: Callable[[RequestDone], None] = lambda done: None,
) -> JudgeAnswer:
    """Asks one model once; `on_done` is told of every request that this took.

    Raises:
        CallFailed: The endpoint or its model could not answer with numbers in range; trying later may help.
        CallImpossible: Only a person can mend it; the message says how.
    """
    from tip_resources.llm.ask import ask_json

    took: list[RequestDone] = []

    def count(done: RequestDone) -> None:
        took.append(done)
        on_done(done)

    answer = await ask_json(
        endpoint,
        question.messages,
        answer_schema(is_reversed=question.is_reversed),
        settings,
        max_output_tokens=MOST_OUTPUT_TOKENS,
        temperature=0.0 if question.sample < _ORDERS else _TEMPERATURE_OF_FURTHER_SAMPLES,
        on_done=count,
    )
    return JudgeAnswer(
        model=endpoint.model,
        sample=question.sample,
        is_reversed=question.is_reversed,
        scores={name: float(answer[name]) for name in judge_rubric().criteria},
        rationale=answer["rationale"][:_MOST_RATIONALE_CHARACTERS],
        endpoint=endpoint.url,
        tokens_in=_sum(done.tokens_in for done in took),
        tokens_out=_sum(done.tokens_out for done in took),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def answer_schema(*, is_reversed: bool) -> dict[str, Any]:
    """The JSON schema of an answer: the rationale first, so that the numbers follow from it; then the criteria."""
    names = list(judge_rubric().criteria)
    names = names[::-1] if is_reversed else names
    number = {"type": "number", "minimum": 0, "maximum": BEST}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["rationale", *names],
        "properties": {"rationale": {"type": "string"}, **dict.fromkeys(names, number)},
    }


def _prompt(rubric: JudgeRubric, domain: str, *, has_plan: bool, is_reversed: bool) -> str:
    blocks = []
    for name, criterion in rubric.criteria.items():
        asked = criterion.in_domain(domain)
        levels = sorted(asked.anchors, reverse=not is_reversed)
        anchors = "\n".join(f"  {level}: {asked.anchors[level]}" for level in levels)
        blocks.append(f"{name}: {asked.about}\n{anchors}")
    order = blocks[::-1] if is_reversed else blocks
    no_plan = "" if has_plan else "\n\nNo plan is known of this call: judge what a call of its kind needs."
    return f"{rubric.instructions.strip()}\n\n" + "\n".join(order) + no_plan


def _plan_text(plan: CallPlan) -> str:
    """What was to happen and to be felt, with the personal data of both speakers replaced."""
    scenario = plan.scenario
    lines = [
        f"What it is about: {scenario.title}",
        f"Steps in order: {'; '.join(scenario.intent_path)}",
        f"Facts: {'; '.join(f'{name}: {value}' for name, value in scenario.facts.items()) or 'none'}",
        f"Complications: {'; '.join(scenario.complications) or 'none'}",
        f"Outcome: {scenario.resolution}",
        f"The customer's feelings in order: {', '.join(plan.customer.emotion_arc) or 'not planned'}",
    ]
    alone = Conversation(id="", turns=tuple(Turn(speaker="system", text=line) for line in lines))
    redacted = redact(alone, facts=plan.facts)
    if leaked := leaked_facts(redacted, plan.facts):
        raise NotForJudges(
            "not_scrubbed", f"the plan holds personal data that could not be replaced ({', '.join(leaked)})."
        )
    return "\n".join(turn.text for turn in redacted.turns)
