"""The words that ask a model for calls, and the shape of its answer.

What all calls of a set share comes first and byte-identical, what differs comes last, so that servers
reuse their prefix cache. A change here changes the prompt hash, and so which checkpointed calls still
match (docs/architecture.md says what invalidates what).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import to_json
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import Persona
from tip_resources.domain.scenario import Scenario
from tip_resources.llm.types import ChatRequest, Message
from tip_resources.settings.models import IntRange

PROMPT_TEMPLATE = "calls/2"

# The rehearsal server finds the plans by this line, as does anyone reading a stored prompt.
PLANS_MARKER = "CALL PLANS"

# A step that this share of a set's templates has is explained in every request of the set.
_SHARE_OF_TEMPLATES = 0.5

# Forms of a fact a model is offered, the most natural first; scrubbing knows them all.
SPOKEN_FORMS = 3

SYSTEM_TEXT = """\
You write telephone calls between a customer and a contact-centre agent. They will train and test voice
bots, so they must sound like transcripts of real calls, not like essays.

For every call plan you are given, write one call:
- Follow the intent path in order; every step happens, each in its own words. Work the complications in.
- The agent opens the call. The speakers take turns. One exchange is a customer turn and an agent turn;
  keep the number of exchanges within the two numbers given.
- Use the scenario's facts exactly as given, and the same ones throughout the call.
- The customer says their own personal facts when asked to verify who they are, in one of the spoken forms
  given. Invent no other names, numbers, addresses or dates of birth.
- The customer's feelings follow the emotion arc. Hesitations, fillers, self-corrections, short answers and
  interruptions are welcome where the habits say so.
- No two calls may share sentences. No stage directions, no placeholders such as [Name], no summary.

Answer with JSON only, in the order of the plans:
{"calls": [{"call": 1, "turns": [{"speaker": "agent", "text": "..."}, {"speaker": "customer", "text": "..."}]}]}
"""

ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["calls"],
    "properties": {
        "calls": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["call", "turns"],
                "properties": {
                    "call": {"type": "integer"},
                    "turns": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["speaker", "text"],
                            "properties": {
                                "speaker": {"type": "string", "enum": ["agent", "customer"]},
                                "text": {"type": "string"},
                            },
                        },
                    },
                },
            },
        }
    },
}


def words_hash(words: bytes) -> str:
    """The hash by which provenance names a prompt: BLAKE2b with 8 bytes, in hexadecimal digits."""
    return hashlib.blake2b(words, digest_size=8).hexdigest()


class PlannedAttempt(msgspec.Struct, frozen=True):
    """One call to ask for: `attempt` counts from 1 and changes what is asked, so that a retry differs."""

    plan: CallPlan
    attempt: int


class FactsKnown(msgspec.Struct, frozen=True):
    """Names of scenario facts that only one side knows before the call; both know the others."""

    by_agent_alone: frozenset[str] = frozenset()
    by_caller_alone: frozenset[str] = frozenset()


class TemplateWords(msgspec.Struct, frozen=True):
    """The names that plans of one scenario template use: `always`, and all those `possible`."""

    always: frozenset[str]
    possible: frozenset[str]


class CallPrompt:
    """How calls of one domain are asked for.

    Args:
        meanings: A sentence for every step, complication and outcome of the domain, by name.
        words_of_templates: The names that plans of each scenario template use.
        facts_known: Which facts only one of the two speakers knows; for `two_agent` mode.
        system_text: The system message of `batched` mode, for trying other wordings.

    `words` is what all calls of a set are asked with, and `hash` is over it: nothing personal stands there.
    """

    def __init__(
        self,
        meanings: Mapping[str, str],
        *,
        words_of_templates: Mapping[str, TemplateWords] | None = None,
        facts_known: FactsKnown | None = None,
        system_text: str = SYSTEM_TEXT,
    ) -> None:
        self.meanings = meanings
        self.facts_known = facts_known or FactsKnown()
        self._system_text = system_text
        self._words_of_templates = words_of_templates or {}
        self.words = to_json([PROMPT_TEMPLATE, system_text, ANSWER_SCHEMA, meanings])
        self.hash = words_hash(self.words)

    def request(
        self,
        attempts: Sequence[PlannedAttempt],
        spec: DatasetSpec,
        *,
        request_id: str,
        exchanges: IntRange,
        max_output_tokens: int,
        temperature: float,
        tells_whole_glossary: bool = False,
    ) -> ChatRequest:
        """One model call that asks for all of `attempts`.

        Args:
            tells_whole_glossary: Explain every word of the set, so that all its requests begin alike; False
                explains those that most calls of the set use, then this request's: for small context windows.
        """
        calls = [_call(number, attempt, spec) for number, attempt in enumerate(attempts, start=1)]
        shared = self._shared_words(spec, is_whole=tells_whole_glossary)
        own = _words_used(attempt.plan.scenario for attempt in attempts) - shared
        user = "\n".join(
            [
                f"The calls are {spec.domain} calls. What the words of the plans mean:",
                *self._glossary(shared),
                *self._glossary(own),
                "Write one call for each of these plans; what stands under `all` is the same for every one.",
                PLANS_MARKER,
                to_json({"all": _shared_by_all(spec, exchanges), "calls": calls}).decode(),
            ]
        )
        return ChatRequest(
            request_id=request_id,
            messages=(Message("system", self._system_text), Message("user", user)),
            max_output_tokens=max_output_tokens,
            temperature=temperature,
            seed=variation(spec.seed, attempts[0].plan.index, attempts[0].attempt),
            json_schema=ANSWER_SCHEMA,
            items_key="calls",
            expected_items=len(calls),
        )

    def _shared_words(self, spec: DatasetSpec, *, is_whole: bool) -> frozenset[str]:
        """Words that every request of the set explains: all its templates can use, or those most always do."""
        names = spec.scenario_templates or tuple(self._words_of_templates)
        templates = [self._words_of_templates[name] for name in names if name in self._words_of_templates]
        if is_whole:
            return frozenset().union(*(words.possible for words in templates))
        used = Counter(word for words in templates for word in words.always)
        return frozenset(word for word, times in used.items() if times >= _SHARE_OF_TEMPLATES * len(templates))

    def _glossary(self, words: Iterable[str]) -> list[str]:
        return [f"- {word}: {self.meanings[word]}" for word in sorted(words) if word in self.meanings]


def _words_used(scenarios: Iterable[Scenario]) -> set[str]:
    used: set[str] = set()
    for scenario in scenarios:
        used.update(scenario.intent_path, scenario.complications, [scenario.resolution])
    return used


def variation(seed: int, index: int, attempt: int) -> int:
    """A number that differs for every set, call and attempt: 31 bits, which every server accepts as a seed."""
    digest = hashlib.blake2b(f"{seed}/{index}/{attempt}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def _shared_by_all(spec: DatasetSpec, exchanges: IntRange) -> dict[str, Any]:
    return {
        "exchanges": [exchanges.low, exchanges.high],
        "emotional_tone": spec.emotional_tone,
        "caller_type": spec.caller_type,
        "language": spec.language,
    }


def _call(number: int, attempt: PlannedAttempt, spec: DatasetSpec) -> dict[str, Any]:
    plan = attempt.plan
    return {
        "call": number,
        "scenario": without(plan.scenario, "id", "index"),
        "customer": speaker(plan.customer),
        "agent": speaker(plan.agent),
        "variation": variation(spec.seed, plan.index, attempt.attempt),
    }


def speaker(persona: Persona) -> dict[str, Any]:
    """A persona as a prompt tells it."""
    facts = [{"type": fact.type, "value": fact.value, "spoken": fact.spoken[:SPOKEN_FORMS]} for fact in persona.facts]
    return {**without(persona, "id", "index", "role"), "facts": facts}


def without(value: msgspec.Struct, *names: str) -> dict[str, Any]:
    """A value as JSON objects, without the fields named."""
    return {key: item for key, item in msgspec.to_builtins(value).items() if key not in names}
