"""Says one turn of a two-agent call, knowing only what that side knows and has heard.

The agent follows a call laid out from its own brief; the customer finds the exchange of the grammar whose agent
line is most like what it heard, and gives that exchange's answer. Moves are in ../grammar/moves.yaml.
"""

import functools
import itertools
import random

import msgspec

from tip_resources.rehearsal.dialogue.call_facts import call_flags, call_slots, canonical_type
from tip_resources.rehearsal.dialogue.library import shipped_grammar
from tip_resources.rehearsal.dialogue.likeness import Heard, heard_exchanges, heard_move
from tip_resources.rehearsal.dialogue.moods import feeling_at, mood_flags
from tip_resources.rehearsal.dialogue.phrases import words_of
from tip_resources.rehearsal.dialogue.plan import PlannedCall, SpokenFact
from tip_resources.rehearsal.dialogue.render import Renderer, SlotValue, UnfillableLine
from tip_resources.rehearsal.dialogue.speech import SpeechStyle
from tip_resources.rehearsal.dialogue.template import Alternative
from tip_resources.rehearsal.dialogue.turn_plan import Brief, TurnAsked
from tip_resources.rehearsal.dialogue.writer import CallWriter

# Stands for a personal detail that the agent does not know; a line that would say one is left out.
_UNKNOWN = "\ue002"
_UNKNOWN_TO_AGENT = frozenset({"first", "name", "their_name"})
# Exchanges laid out besides those asked for, because some hold what the agent does not know.
_SPARE_EXCHANGES = 4
_TRIES_FOR_NEW_WORDS = 12
_CANDIDATES = 8
# Calls whose agent lines are kept between two turns.
_CALLS_REMEMBERED = 64
_ANYTHING = "Okay."


def next_line(asked: TurnAsked) -> str:
    """What this side says now; the same prompt gives the same line."""
    side = _Side(asked)
    if asked.plan.move:
        suffix = f"_{asked.plan.part}" if asked.plan.role == "agent" else ""
        return side.of_rule(f"move_{asked.plan.move}{suffix}")
    if asked.plan.line >= asked.plan.lines - 1:
        return side.of_rule("farewell_unnamed" if asked.plan.role == "agent" else "bye")
    if asked.plan.role == "customer":
        return side.answer()
    if asked.plan.is_reaction:
        return side.of_rule(f"move_{heard_move(asked.heard)}_answer")
    return _agent_line(asked, side)


def _agent_line(asked: TurnAsked, side: "_Side") -> str:
    lines = _agent_lines(asked.brief_text, asked.plan.variation, asked.plan.lines)
    if asked.plan.line < len(lines) and lines[asked.plan.line] not in asked.said:
        return lines[asked.plan.line]
    return side.of_rule("small_talk_agent")


@functools.lru_cache(_CALLS_REMEMBERED)
def _agent_lines(brief_text: str, variation: int, lines: int) -> tuple[str, ...]:
    """All lines of the agent, from a call with an unknown customer."""
    brief = msgspec.json.decode(brief_text, type=Brief, strict=False)
    facts = tuple(SpokenFact(kind, _UNKNOWN, (_UNKNOWN,)) for kind in brief.policy.ask_the_caller_for)
    plan = PlannedCall(
        call=1,
        scenario=brief.scenario,
        customer=msgspec.structs.replace(brief.customer, facts=facts),
        agent=brief.agent,
        exchanges=(lines, lines + _SPARE_EXCHANGES),
        emotional_tone=brief.emotional_tone,
        caller_type=brief.caller_type,
        variation=variation,
    )
    writer = CallWriter(plan, "two_agent", shipped_grammar(), unknown_slots=_UNKNOWN_TO_AGENT)
    return tuple(agent for agent, _ in writer.exchanges() if _UNKNOWN not in agent)


class _Side:
    """One speaker at one moment of a call."""

    def __init__(self, asked: TurnAsked) -> None:
        self._asked, self._grammar = asked, shipped_grammar()
        grammar = self._grammar
        brief, plan = asked.brief, asked.plan
        self._rng = random.Random(f"{plan.variation}/{plan.role}/{plan.turn}/{plan.attempt}")
        call = PlannedCall(
            call=1,
            scenario=brief.scenario,
            customer=brief.customer,
            agent=brief.agent,
            emotional_tone=brief.emotional_tone,
            caller_type=brief.caller_type,
            variation=plan.variation,
        )
        slots = call_slots(call, random.Random(plan.variation), grammar.tables)
        if plan.role == "agent":
            slots = {name: value for name, value in slots.items() if name not in _UNKNOWN_TO_AGENT}
        feeling = feeling_at(brief.customer.emotion_arc, brief.emotional_tone, plan.position)
        flags = call_flags(call, grammar.tables) | mood_flags(feeling, grammar.tables["moods"])
        self._renderer = Renderer(grammar, self._rng, slots, flags)
        self._renderer.speaker = plan.role
        self._renderer.knows_name = True
        is_agent = plan.role == "agent"
        self._style = SpeechStyle(
            brief.agent if is_agent else brief.customer,
            self._rng,
            is_agent=is_agent,
            openers=frozenset(grammar.tables["openers"]),
            interjections={} if is_agent else grammar.tables["interjections"],
        )

    def of_rule(self, name: str) -> str:
        """A line of one of the grammar's rules."""
        return self._said_anew(self._grammar.rules[name], {}) or _ANYTHING

    def answer(self) -> str:
        """What this customer says to what it heard."""
        scenario = self._asked.brief.scenario
        likely = heard_exchanges(self._asked.heard, scenario.domain, scenario.template)
        candidates = list(itertools.islice(likely, _CANDIDATES))
        # A question for a detail that this caller has is that question, however alike others sound.
        candidates.sort(key=lambda exchange: exchange.kind.partition("@")[0] not in self._verifying_kinds())
        for exchange in candidates:
            line = self._said_anew(exchange.answers, self._detail_asked_for(exchange))
            if line:
                return line
        return self.of_rule("small_talk_customer")

    def _verifying_kinds(self) -> set[str]:
        """Kinds of scenes about the personal details that the heard line names and asks for."""
        heard = self._asked.heard.lower()
        if "?" not in heard:
            return set()
        types = [fact.type for fact in self._asked.brief.customer.facts if words_of(fact.type.lower()) in heard]
        aliases = self._grammar.tables["personal_aliases"]
        return {f"verify_{canonical_type(kind, aliases)}" for kind in types}

    def _detail_asked_for(self, exchange: Heard) -> dict[str, SlotValue]:
        """The personal detail that an exchange of the verification is about."""
        aliases = self._grammar.tables["personal_aliases"]
        heard = self._asked.heard.lower()
        slots: dict[str, SlotValue] = {"step_topic": "this", "complication": "it"}
        for fact in self._asked.brief.customer.facts:
            kind = canonical_type(fact.type, aliases)
            label = words_of(fact.type.lower())
            if exchange.kind.partition("@")[0] == f"verify_{kind}" or label in heard:
                value = self._renderer.slots[f"my_{kind}"]
                return slots | {"detail_label": label, "detail": value, "detail_written": fact.value}
        return slots

    def _said_anew(self, alternatives: tuple[Alternative, ...], slots: dict[str, SlotValue]) -> str:
        """A line this side has not said yet; "" when none of the alternatives can be said."""
        line = ""
        with self._renderer.bound(slots):
            for _ in range(_TRIES_FOR_NEW_WORDS):
                try:
                    line = self._style.speak(self._renderer.say(alternatives))
                except UnfillableLine:
                    return ""
                if line not in self._asked.said:
                    break
        return line
