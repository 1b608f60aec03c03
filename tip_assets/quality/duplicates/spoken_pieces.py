"""Cuts a call into pieces whose meanings are compared, and finds the facts it names. No model here."""

import re
from collections.abc import Iterator
from itertools import groupby

import msgspec

from tip_assets.quality.word_lists import word_list
from tip_assets.quality.words import words_of
from tip_resources.domain.conversation import Conversation, Speaker

_EMPTY_WORDS = word_list("features", "stopwords")
# A turn weighs as many words as it has that carry a topic, and a fifth of the others: "Okay, sure" hardly counts.
_EMPTY_WORD_WEIGHT = 0.2
# Longer turns (a story, an import without turns) are cut here, well inside a model's window of 256 word pieces.
_LONGEST_PIECE = 80
# Calls of more pieces are not compared: each costs milliseconds, and no call on the phone has as many.
MOST_PIECES = 600
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_SENTENCE_END = frozenset('.!?:;"\u2026\u00bf\u00a1')
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


def named_in(call: Conversation) -> Named:
    """Facts are words with a digit, spoken figures, and words with a capital inside a sentence."""
    facts: dict[str, set[str]] = {}
    words: set[str] = set()
    for turn in call.turns:
        named = facts.setdefault(turn.speaker, set())
        last_end = 0
        for found in _TOKEN.finditer(turn.text):
            word = found.group().replace("\u2019", "'")
            folded = word.lower()
            is_first = last_end == 0 or not _SENTENCE_END.isdisjoint(turn.text[last_end : found.start()])
            last_end = found.end()
            words.add(folded)
            has_capital = word[0].isupper() and not is_first and folded not in _PRONOUNS
            if has_capital or folded in _SPOKEN_FIGURES or any(char.isdigit() for char in word):
                named.add(folded)
    return Named({speaker: frozenset(named) for speaker, named in facts.items()}, frozenset(words))


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
