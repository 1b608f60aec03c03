"""Cuts a call into pieces whose meanings are compared, and finds the facts it names. No model here."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from tip_assets.quality.word_lists import word_list
from tip_assets.quality.words import words_of
from tip_resources.domain.conversation import Conversation, Speaker, Turn

_EMPTY_WORDS = word_list("features", "stopwords")
# A turn weighs as many words as it has that carry a topic, and a fifth of the others: "Okay, sure" hardly counts.
_EMPTY_WORD_WEIGHT = 0.2
# Longer turns (a story, an import without turns) are cut here, well inside a model's window of 256 word pieces.
_LONGEST_PIECE = 80
# Calls of more pieces are not compared: each costs milliseconds, and no call on the phone has as many.
MOST_PIECES = 600
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# The same, without what begins with a small letter or a figure. A class of characters comes first: `re` skips to it.
_PERHAPS_CAPITAL = re.compile(r"[^\W_a-z0-9](?<![^\W_].)(?<![^\W_]'.)[^\W_]*(?:'[^\W_]+)*")
_SENTENCE_END = frozenset('.!?:;"\u2026\u00bf\u00a1')
# Ends the last sentence of a turn before the next one.
_TURN_END = " . "
_PRONOUNS = frozenset({"i", "i'm", "i'd", "i'll", "i've"})
# Figures and dates as they are spoken; "one", "second" and "may" mean something else too often.
_FIGURES = """
zero three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million january february april
june july august september october november december monday tuesday wednesday thursday friday saturday sunday
"""
_SPOKEN_FIGURES = frozenset(_FIGURES.split())


class Piece(msgspec.Struct, frozen=True):
    """What one speaker says at a stretch, or a part of it where it is long; `weight` grows with its words."""

    speaker: Speaker
    text: str
    weight: float


def pieces_of(call: Conversation) -> list[Piece]:
    """The call in order; at most MOST_PIECES + 1, which says that it has more.

    Neighbouring turns of one speaker are joined first, so how a call is cut into turns makes no difference; what
    has no words is left out.
    """
    pieces: list[Piece] = []
    for _, run in groupby(call.turns, key=lambda turn: turn.speaker):
        turns = list(run)
        for text in _cut(" ".join(turn.text for turn in turns)):
            words = words_of(text)
            if words:
                empty = sum(word in _EMPTY_WORDS for word in words)
                pieces.append(Piece(turns[0].speaker, text, len(words) - empty + _EMPTY_WORD_WEIGHT * empty))
            if len(pieces) > MOST_PIECES:
                return pieces
    return pieces


class Named(msgspec.Struct, frozen=True):
    """What a call names: each speaker's `facts` (names, figures, dates), and all its `words`, in lower case."""

    facts: dict[str, frozenset[str]]
    words: frozenset[str]


def named_in(turns: Sequence[Turn]) -> Named:
    """Facts are words with a digit, spoken figures, and words with a capital inside a sentence."""
    texts: dict[str, list[str]] = {}
    for turn in turns:
        texts.setdefault(turn.speaker, []).append(turn.text)
    facts: dict[str, frozenset[str]] = {}
    words: set[str] = set()
    for speaker, spoken in texts.items():
        text = _TURN_END.join(spoken).replace("\u2019", "'")
        said = {word.lower() for word in set(_TOKEN.findall(text))}
        words |= said
        figures = {word for word in said if not word.isalpha() and any(map(str.isdigit, word))}
        facts[speaker] = frozenset(figures.union(said & _SPOKEN_FIGURES, _capitalised(text)))
    return Named(facts, frozenset(words))


def _capitalised(text: str) -> Iterator[str]:
    """Words with a capital that does not come from beginning a sentence or a turn, in lower case."""
    for found in _PERHAPS_CAPITAL.finditer(text):
        word = found.group()
        if word[0].isupper() and (folded := word.lower()) not in _PRONOUNS:
            end = found.start()
            while end and not text[end - 1].isalnum():
                end -= 1
            if end and _SENTENCE_END.isdisjoint(text[end : found.start()]):
                yield folded


def _cut(text: str) -> Iterator[str]:
    """The text in runs of at most _LONGEST_PIECE words."""
    if text.count(" ") < _LONGEST_PIECE:
        yield text
        return
    most = MOST_PIECES * _LONGEST_PIECE
    words = text.split(None, most)
    if len(words) > most:
        words[most] = words[most].split(None, 1)[0]  # One word stands for the rest: the call is too long anyway.
    for start in range(0, len(words), _LONGEST_PIECE):
        yield " ".join(words[start : start + _LONGEST_PIECE])
