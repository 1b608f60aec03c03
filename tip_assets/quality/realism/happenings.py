"""What happens in a call as far as it can be heard: holds, transfers, ends that solve nothing. English only.

The same rules are put to our calls and to the reference, so shares can be compared, though either is heard only in
part. Each names what a scenario has to hold for it to happen: a step of its complications or outcomes.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec

from tip_assets.planning.library.types import DomainLibrary
from tip_resources.domain.conversation import Conversation, Speaker

_CURLY = str.maketrans({"\u2019": "'", "\u2018": "'"})
# What a person says in one breath; imports hold turns of up to 10 MB.
_READ_CHARACTERS = 2_000
_LAST_TURNS = 10


class Heard(msgspec.Struct, frozen=True):
    """A rule: who has to say which words; with `at_end`, in the last ten turns."""

    speaker: Speaker
    words: str
    at_end: bool = False


class Happening(msgspec.Struct, frozen=True):
    """`steps` of an intent path that bring it; with `poor_end`, every outcome that leaves the caller unhappy does."""

    noun: str
    rules: tuple[Heard, ...]
    steps: frozenset[str] = frozenset()
    poor_end: bool = False

    def brought_by(self, library: DomainLibrary) -> dict[str, tuple[str, ...]]:
        """Names of complications and resolutions that bring it, by field of the weights; empty where none do."""
        found = {
            "complications": tuple(
                event.name for event in library.complications.values() if self.steps & {*event.steps}
            ),
            "resolutions": tuple(
                event.name
                for event in library.resolutions.values()
                if self.steps & {*event.steps} or (self.poor_end and event.satisfaction == "poor")
            ),
        }
        return {field: names for field, names in found.items() if names}


HAPPENINGS: dict[str, Happening] = {
    "hold": Happening(
        "a hold",
        (
            Heard(
                "agent",
                r"\bon (?:a )?(?:\w+ )?hold\b|\b(?:thank you|thanks) for (?:holding|waiting)"
                r"|\b(?:hold|stay) on the line|\b(?:can|could|would|will) you (?:please )?hold\b"
                r"|\bmind (?:holding|waiting)\b",
            ),
        ),
        frozenset({"wait_on_hold"}),
    ),
    "transfer": Happening(
        "a transfer",
        (
            Heard(
                "agent",
                r"\b(?:transfer|transferring|connect|connecting|put|putting|hand|handing|pass|passing) you (?:\w+ )?"
                r"(?:to|with|through|over|on)\b(?! (?:a )?(?:\w+ )?hold)",
            ),
        ),
        frozenset({"transfer_to_supervisor", "transfer_to_department"}),
    ),
    "supervisor": Happening(
        "a caller who asks for a supervisor",
        (Heard("customer", r"\b(?:supervisor|manager|your boss)\b|\bsomeone (?:higher|above)\b"),),
        frozenset({"ask_for_supervisor"}),
    ),
    "callback": Happening(
        "a call back that is promised",
        (Heard("agent", r"\bcall(?:s|ing)? you (?:\w+ )?back\b|\bcall ?back\b|\bgives? you a (?:call|ring)\b"),),
        frozenset({"schedule_callback"}),
    ),
    "case": Happening(
        "a case that is opened",
        (
            Heard(
                "agent",
                r"\b(?:case|ticket|trace) (?:number|id)\b|\b(?:open|opened|opening) (?:up )?a (?:case|ticket)\b",
            ),
        ),
        frozenset({"open_case"}),
    ),
    "bad_line": Happening(
        "a bad line",
        tuple(
            Heard(
                speaker,
                r"\b(?:breaking up|broke up|cut(?:ting)? out|can you hear me|bad (?:line|connection)|lost you)\b",
            )
            for speaker in ("agent", "customer")
        ),
        frozenset({"recover_from_bad_line"}),
    ),
    "repeat_call": Happening(
        "a caller who has called before",
        (
            Heard(
                "customer",
                r"\b(?:second|third|fourth|fifth|sixth) time (?:that )?i(?:'ve| have)? ?(?:been )?call"
                r"|\bi(?:'ve| have)? (?:already )?called (?:\w+ ){0,3}(?:times|before|already|yesterday|last)\b",
            ),
        ),
        frozenset({"hear_earlier_calls"}),
    ),
    "unresolved": Happening(
        "an end that solves nothing",
        (
            Heard(
                "agent",
                r"\b(?:can't|cannot|couldn't|can not|not able to|unable to|won't be able)\b"
                r"|\bnothing (?:more |else )?(?:i|we) can|\bnot what you (?:wanted|hoped)"
                r"|\bwish i (?:had|could)|\bthat's a no\b",
                at_end=True,
            ),
            Heard(
                "customer",
                r"\b(?:forget it|never ?mind|i give up|somewhere else)\b"
                r"|\b(?:waste of|no help|doesn't help|is that a no|not happy)\b",
                at_end=True,
            ),
        ),
        poor_end=True,
    ),
}
_COMPILED = {
    name: tuple((rule, re.compile(rule.words)) for rule in happening.rules) for name, happening in HAPPENINGS.items()
}


def happenings_of(call: Conversation) -> frozenset[str] | None:
    """Names of what is heard to happen; None where it cannot be told: another language, or nothing said."""
    if not call.turns or not call.language.lower().startswith("en"):
        return None
    said = [(turn.speaker, turn.text[:_READ_CHARACTERS].translate(_CURLY).lower()) for turn in call.turns]
    return frozenset(
        name
        for name, rules in _COMPILED.items()
        if any(
            speaker == rule.speaker and pattern.search(text)
            for rule, pattern in rules
            for speaker, text in (said[-_LAST_TURNS:] if rule.at_end else said)
        )
    )


def heard_in(calls: Sequence[Conversation]) -> list[frozenset[str]]:
    """Of every call of which it can be told."""
    return [heard for call in calls if (heard := happenings_of(call)) is not None]


def shares(heard: Sequence[frozenset[str]]) -> Mapping[str, float]:
    """The share of calls in which each happens; empty for no calls."""
    return {name: sum(name in one for one in heard) / len(heard) for name in HAPPENINGS} if heard else {}
