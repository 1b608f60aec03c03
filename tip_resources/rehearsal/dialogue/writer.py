"""Writes one call: lays it out, says every exchange, and lets the two speakers talk in their own way.

Deterministic: the same plan and seed give the same turns. The words are in ../grammar.
"""

import random
import re
from collections.abc import Iterator

from tip_resources.rehearsal.dialogue.call_facts import call_flags, call_slots, scenario_facts
from tip_resources.rehearsal.dialogue.casting import Casting, PlacedScene, Setting
from tip_resources.rehearsal.dialogue.layout import UNSAID_FACT, Layout
from tip_resources.rehearsal.dialogue.library import Beat, Grammar, shipped_grammar
from tip_resources.rehearsal.dialogue.phrases import words_of
from tip_resources.rehearsal.dialogue.plan import PlannedCall
from tip_resources.rehearsal.dialogue.render import Renderer, SlotValue, UnfillableLine
from tip_resources.rehearsal.dialogue.speech import SpeechStyle
from tip_resources.rehearsal.dialogue.template import Alternative

Exchange = tuple[str, str]

_WORDS = re.compile(r"[a-z0-9']+")
# Shorter answers than this may come again in a call: "Okay.", "Yes, please."
_LONGEST_REPEATABLE_WORDS = 3
_TRIES_FOR_NEW_WORDS = 12
# How often an agent's line that opens a section is tied to what the caller just said.
_BRIDGED_SHARE = 0.5


def write_call(plan: PlannedCall, seed: str, grammar: Grammar | None = None) -> list[dict[str, str]]:
    """The turns of one call: `{"speaker": "agent" | "customer", "text": ...}`, agent first, alternating.

    Args:
        plan: What the call is about and who speaks.
        seed: Any text; together with the plan it decides every word.
        grammar: Another grammar than the shipped one.
    """
    turns: list[dict[str, str]] = []
    for agent, customer in CallWriter(plan, seed, grammar or shipped_grammar()).exchanges():
        turns.append({"speaker": "agent", "text": agent})
        turns.append({"speaker": "customer", "text": customer})
    return turns


class CallWriter:
    """The state of one call while it is written; `unknown_slots` are values that no line may say."""

    def __init__(
        self, plan: PlannedCall, seed: str, grammar: Grammar, *, unknown_slots: frozenset[str] = frozenset()
    ) -> None:
        self._rng = random.Random(f"{seed}/{plan.variation}")
        slots = call_slots(plan, self._rng, grammar.tables)
        slots = {name: value for name, value in slots.items() if name not in unknown_slots}
        self._plan = plan
        self._renderer = Renderer(grammar, self._rng, slots, call_flags(plan, grammar.tables))
        casting = Casting(grammar, self._renderer, Setting(plan.scenario.domain, plan.scenario.template))
        self._layout = Layout(plan, self._renderer, casting)
        openers = frozenset(grammar.tables["openers"])
        interjections = grammar.tables["interjections"]
        self._agent = SpeechStyle(plan.agent, self._rng, is_agent=True, openers=openers, interjections={})
        self._customer = SpeechStyle(
            plan.customer, self._rng, is_agent=False, openers=openers, interjections=interjections
        )
        self._said: set[str] = set()

    def exchanges(self) -> Iterator[Exchange]:
        """Agent and customer lines in pairs."""
        sections = self._layout.build()
        missing = self._plan.exchanges[0] - sum(section.exchanges for section in sections)
        for number, section in enumerate(sections):
            self._layout.enter(number)
            is_last = number == len(sections) - 1
            while is_last and missing > 0:
                # Lines that turned out unsayable are made up for before the goodbye.
                yield self._small_exchange()
                missing -= 1
            for placed in section.scenes:
                for place, number_of_beat in enumerate(sorted(placed.beats)):
                    beat = placed.scene.beats[number_of_beat]
                    is_bridged = place == 0 and number > 0
                    exchange = self._exchange(beat, placed, bridge=_bridge_rule(placed) if is_bridged else "")
                    if exchange is None:
                        missing += 1
                    else:
                        yield exchange
                if placed.scene.kind == "verify_name":
                    self._renderer.knows_name = True

    def _exchange(self, beat: Beat, placed: PlacedScene, *, bridge: str) -> Exchange | None:
        slots = placed.slots
        if placed.scene.kind == UNSAID_FACT:
            slots = self._unsaid_fact(placed)
            if not slots:
                return None
        with self._renderer.bound(slots):
            try:
                self._renderer.speaker = "agent"
                agent = self._new_line(beat.agent, bridge=bridge)
                self._renderer.speaker = "customer"
                customer = self._new_line(beat.customer)
            except UnfillableLine:
                return None
        return self._agent.speak(agent), self._customer.speak(customer)

    def _unsaid_fact(self, placed: PlacedScene) -> dict[str, SlotValue]:
        """Binds a fact that no line has said so far; the same one for all exchanges of the scene."""
        if not placed.slots["fact_label"]:
            skipped = self._renderer.grammar.tables["facts_not_read_out"]
            ending = re.compile(self._renderer.grammar.tables["ending_facts"])
            waiting = [
                name
                for name in scenario_facts(self._plan)
                if name not in skipped
                and not ending.search(name)
                and not self._renderer.filled & {name, f"{name}_the", f"{name}_bare"}
            ]
            if not waiting:
                return {}
            name = self._rng.choice(waiting)
            self._renderer.filled.add(name)
            placed.slots = {"fact_label": words_of(name), "fact_value": self._renderer.slots[name]}
        return placed.slots

    def _small_exchange(self) -> Exchange:
        self._renderer.speaker = "agent"
        lines = self._renderer.grammar.rules["small_talk_agent"]
        try:
            agent = self._new_line(lines)
        except UnfillableLine:
            # Everything small has been said; a call of the length asked for matters more.
            agent = self._renderer.say(lines)
        self._renderer.speaker = "customer"
        return self._agent.speak(agent), self._customer.speak(self._renderer.say_rule("small_talk_customer"))

    def _new_line(self, alternatives: tuple[Alternative, ...], *, bridge: str = "") -> str:
        """A line not yet said in this call; short ones may come again."""
        line = ""
        for _ in range(_TRIES_FOR_NEW_WORDS):
            line = self._renderer.say(alternatives)
            if bridge:
                line = self._bridge(line, bridge)
            words = _WORDS.findall(line.lower())
            key = " ".join(words)
            if len(words) <= _LONGEST_REPEATABLE_WORDS or key not in self._said:
                self._said.add(key)
                return line
        raise UnfillableLine

    def _bridge(self, line: str, rule: str) -> str:
        first = line.split(" ", 1)[0].strip(",.!?-").lower()
        if first in self._renderer.grammar.tables["acknowledging_words"] or self._rng.random() > _BRIDGED_SHARE:
            return line
        return f"{self._renderer.say_rule(rule)} {line}"


def _bridge_rule(placed: PlacedScene) -> str:
    is_answer_before = placed.scene.kind.startswith("verify_") and not placed.scene.kind.startswith("verify_opening")
    return "bridge_thanks" if is_answer_before else "bridge"
