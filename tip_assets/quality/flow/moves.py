"""The moves of a call: what each turn does (greet, ask, offer, apologise ...), told by rules for English.

How often calls of a set share their order of moves is template_rate.py.
"""

import re
from functools import cache
from importlib.resources import files

from tip_resources.domain.conversation import Conversation, Turn

# A turn that no rule knows tells something: the agent explains, the customer informs.
_OTHERWISE = {"agent": "explain", "customer": "inform", "system": "announce"}
_LETTERS = {"agent": "A", "customer": "C", "system": "S"}
_CURLY = str.maketrans({"\u2019": "'", "\u2018": "'", "\u2013": "-", "\u2014": "-"})
# What a person says in one breath; longer turns (imports hold up to 10 MB) tell their move well before that.
_READ_CHARACTERS = 2_000


def is_told_in(language: str) -> bool:
    """Whether moves can be told in this language (a BCP 47 tag; only English has rules)."""
    return language.split("-", maxsplit=1)[0].split("_", maxsplit=1)[0].lower() == "en"


def move_of(turn: Turn) -> str:
    """What the turn does: a heading of moves.txt, or "explain", "inform" or "announce" where no rule fits."""
    text = turn.text[:_READ_CHARACTERS].translate(_CURLY).strip().lower()
    for move, speaker, pattern in _rules():
        if speaker in ("", turn.speaker) and pattern.search(text):
            return move
    return _OTHERWISE[turn.speaker]


def moves_of(call: Conversation) -> tuple[str, ...]:
    """The call's skeleton: `A:greet`, `C:request` ...; a move right after the same move is not told again.

    Turns without a letter or digit and plain agreement ("Okay.") do not move a call on and are left out.
    """
    moves: list[str] = []
    for turn in call.turns:
        move = move_of(turn)
        if move == "agree" or not any(char.isalnum() for char in turn.text[:_READ_CHARACTERS]):
            continue
        told = f"{_LETTERS[turn.speaker]}:{move}"
        if not moves or moves[-1] != told:
            moves.append(told)
    return tuple(moves)


@cache
def _rules() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Every move with who makes it (empty: anybody) and one pattern of all its rules, in the order of the file."""
    text = (files("tip_assets.quality.flow") / "moves.txt").read_text(encoding="utf-8")
    rules: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            current = rules.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(f"(?:{line})")
    headings = ((heading.partition(" "), lines) for heading, lines in rules.items())
    return tuple((move, speaker, re.compile("|".join(lines))) for (move, _, speaker), lines in headings)
