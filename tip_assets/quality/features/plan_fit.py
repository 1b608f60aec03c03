"""What a call took over from its plan, and whether it speaks of its domain at all."""

import re
from collections.abc import Iterable

from tip_assets.quality.features.measured_call import MeasuredCall
from tip_assets.quality.pii.spoken import read_numbers
from tip_assets.quality.word_lists import word_list
from tip_resources.domain.call_plan import CallPlan

_STOPWORDS = word_list("features", "stopwords")
_KNOWN_DOMAINS = {
    name: word_list("features", f"domain_{name}") for name in ("healthcare", "retail", "telecommunications")
}
_PART = re.compile(r"[^\W\d_]+|\d+")
_STEM = 5
_SHORTEST_WORD = 3
# A fact counts as mentioned when this share of its words and numbers is said.
_MENTIONED_SHARE = 0.6


def plan_fit(call: MeasuredCall, plan: CallPlan) -> dict[str, float]:
    """`facts_mentioned`: share of the scenario's facts that are said; `scenario_words` as `domain_words`."""
    features: dict[str, float] = {}
    mentioned = mentioned_facts(call, plan)
    if mentioned:
        features["facts_mentioned"] = sum(mentioned.values()) / len(mentioned)
    wanted = _parts_of(" ".join((plan.scenario.title, plan.scenario.template, *plan.scenario.facts.values())))
    if wanted:
        features["scenario_words"] = _share_of_turns(call, {part for part in wanted if part.isalpha()})
    return features


def mentioned_facts(call: MeasuredCall, plan: CallPlan) -> dict[str, bool]:
    """For each fact of the scenario that has words or numbers to look for, whether it is said."""
    said = _said(call.words)
    facts = {slot: parts for slot, value in plan.scenario.facts.items() if (parts := _parts_of(value))}
    return {slot: len(parts & said) >= _MENTIONED_SHARE * len(parts) for slot, parts in facts.items()}


def domain_words(call: MeasuredCall) -> dict[str, float]:
    """Share of turns that hold a word of the call's domain; nothing when the domain is not a built-in one."""
    stems = _KNOWN_DOMAINS.get(call.domain)
    if stems is None or not call.turns:
        return {}
    prefixes = tuple(stems)
    hits = sum(any(word.startswith(prefixes) for word in turn.words if len(word) > 2) for turn in call.turns)
    return {"domain_words": hits / len(call.turns)}


def _share_of_turns(call: MeasuredCall, stems: set[str]) -> float:
    hits = sum(any(word[:_STEM] in stems for word in turn.words) for turn in call.turns)
    return hits / len(call.turns)


def _said(words: Iterable[str]) -> set[str]:
    """Stems and numbers of the call, number words read as digits."""
    parts = [part for word in words for part in _PART.findall(word)]
    numbers = {token.text for token in read_numbers(parts, [" "] * len(parts))}
    return numbers | {number.lstrip("0") for number in numbers} | {part[:_STEM] for part in parts}


def _parts_of(value: str) -> set[str]:
    """What must be said of a fact: its numbers, and the stems of its words."""
    parts = _PART.findall(value.lower())
    numbers = {part.lstrip("0") for part in parts if part.isdigit() and part.strip("0")}
    return numbers | {
        part[:_STEM] for part in parts if not part.isdigit() and part not in _STOPWORDS and len(part) >= _SHORTEST_WORD
    }
