"""Rewrites calls by rule, for measuring: other words, reordered sentences, merged or split turns, new openings.

The classes of phrases are in paraphrases.txt. No model is asked, so the same seed gives the same calls anywhere.
"""

import random
import re
from functools import cache
from pathlib import Path

from tip_assets.quality.flow.moves import move_of
from tip_resources.domain.conversation import Conversation, Speaker, Turn

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\d'\"])")
# At most this many sentences of a turn are put in another order; longer turns tell a story that has one.
_REORDERED_AT_MOST = 3


def paraphrase(call: Conversation, rng: random.Random, strength: float) -> Conversation:
    """The call said otherwise; `strength` (0-1) is the chance that a phrase with synonyms is replaced.

    Of every call also: sentences within turns in another order (a quarter of turns), some turns cut in two or
    joined, fillers (a tenth of turns), and in half of the calls a new opening and closing line.
    """
    turns: list[Turn] = []
    for turn in call.turns:
        sentences = _SENTENCE.split(turn.text)
        if 1 < len(sentences) <= _REORDERED_AT_MOST and rng.random() < 0.25:
            rng.shuffle(sentences)
        text = _reworded(" ".join(sentences), rng, strength)
        if rng.random() < 0.1:
            text = f"{rng.choice(_section('fillers'))} {text}"
        turns.append(Turn(speaker=turn.speaker, text=text))
    if rng.random() < 0.5:
        turns[0] = _with_other_courtesies(turns[0], "openings", "greet", rng)
        turns[-1] = _with_other_courtesies(turns[-1], "closings", "close", rng)
    return Conversation(id=f"{call.id}-paraphrase", turns=tuple(_recut(turns, rng)), domain=call.domain)


def splice(one: Conversation, other: Conversation, rng: random.Random) -> Conversation:
    """The beginning of one call and the end of another, 40 to 60 % of each: a new call that resembles both."""
    share = rng.uniform(0.4, 0.6)
    head, tail = one.turns[: round(len(one.turns) * share)], other.turns[round(len(other.turns) * share) :]
    return Conversation(id=f"{one.id}+{other.id}", turns=head + tail, domain=one.domain)


def crossed(one: Conversation, other: Conversation) -> Conversation:
    """What the agent says in one call and the customer in another: a new call that resembles both."""
    theirs = iter([turn for turn in other.turns if turn.speaker != "agent"])
    turns = tuple(turn if turn.speaker == "agent" else next(theirs, turn) for turn in one.turns)
    return Conversation(id=f"{one.id}x{other.id}", turns=turns, domain=one.domain)


def _recut(turns: list[Turn], rng: random.Random) -> list[Turn]:
    recut: list[Turn] = []
    for turn in turns:
        sentences = _SENTENCE.split(turn.text)
        if recut and recut[-1].speaker == turn.speaker:
            recut[-1] = Turn(speaker=turn.speaker, text=f"{recut[-1].text} {turn.text}")
        elif len(sentences) > 1 and rng.random() < 0.15:
            other: Speaker = "agent" if turn.speaker == "customer" else "customer"
            recut += [
                Turn(speaker=turn.speaker, text=sentences[0]),
                Turn(speaker=other, text=rng.choice(("Okay.", "Mm-hm.", "Right.", "Sure."))),
                Turn(speaker=turn.speaker, text=" ".join(sentences[1:])),
            ]
        else:
            recut.append(turn)
    return recut


def _reworded(text: str, rng: random.Random, strength: float) -> str:
    pattern, others = _phrases()

    def instead(found: re.Match[str]) -> str:
        said = found.group()
        if rng.random() >= strength:
            return said
        chosen = rng.choice(others[said.lower()])
        return chosen[0].upper() + chosen[1:] if said[0].isupper() else chosen

    return pattern.sub(instead, text)


def _with_other_courtesies(turn: Turn, section: str, move: str, rng: random.Random) -> Turn:
    """A turn that only greets or takes leave is replaced; one that says more keeps it, after or before a courtesy."""
    lines = [line.split(" | ", 1) for line in _section(section)]
    said = rng.choice([text for who, text in lines if who == turn.speaker] or [text for _, text in lines])
    if move_of(turn) != move:
        said = f"{said} {turn.text}" if section == "openings" else f"{turn.text} {said}"
    return Turn(speaker=turn.speaker, text=said)


@cache
def _phrases() -> tuple[re.Pattern[str], dict[str, list[str]]]:
    others: dict[str, list[str]] = {}
    for line in (*_section("phrases"), *_section("words"), *_section("contractions")):
        members = line.split(" | ")
        for member in members:
            others.setdefault(member, []).extend(other for other in members if other != member)
    longest_first = sorted(others, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE), others


@cache
def _section(name: str) -> list[str]:
    text = Path(__file__).with_name("paraphrases.txt").read_text(encoding="utf-8")
    section = text.split(f"== {name}\n", 1)[1].split("\n==", 1)[0]
    return [line for line in section.splitlines() if line]
