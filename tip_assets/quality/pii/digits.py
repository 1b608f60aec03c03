"""Digits and codes as they are dictated: what one speaker says of numbers and letters, as lines to search.

What a line holds is found by known_numbers.py (facts) and contexts.py (patterns).
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, pairwise

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.dates import DateMention, find_dates
from tip_assets.quality.pii.spoken import LETTER_WORDS, Piece
from tip_assets.quality.pii.triggers import CAPITALS, MONEY, NUMERIC_DATE, Triggers

# Three turns of one speaker with the other's between them, first to last.
_MOST_TURNS_APART = 6
# "four one five, uh, and then five five five": more words than this between two digits end a span.
MOST_FILLERS = 4
# Nobody's number is longer; without the limit a file of nothing but digits would take very long.
_LONGEST_NUMBER = 64
_LONGEST_SHORT_CODE = 6
# Two letters or more that a text of capitals and small letters writes as capitals; others than ASCII too.
_CAPITALS = re.compile(r"[A-Z]{2}|[^\x00-\x7f]")
# Kinds of health plans: the number after them is an amount ("a PPO 1000").
_PLANS = frozenset({"ppo", "hmo", "epo", "pos", "hdhp", "hsa", "fsa", "hra"})
_MONEY = re.compile(
    r"[$\u20ac\u00a3]\s?\d{1,15}(?:,\d{3}){0,5}(?:\.\d{1,2})?"
    r"|(?<![\d,.])\d{1,15}(?:,\d{3}){0,5}(?:\.\d{1,2})?\s(?:dollars|bucks|cents|percent)\b"
)


class Line:
    """The numbers and letters of one speaker in order, as pieces and run together in `text`."""

    def __init__(self, call: CallText, pieces: Sequence[Piece]) -> None:
        self.call = call
        self.pieces = pieces

    @cached_property
    def text(self) -> str:
        """The symbols run together."""
        return "".join([piece.text for piece in self.pieces])

    @cached_property
    def ends(self) -> list[int]:
        """Where in `text` each piece ends."""
        return list(accumulate([len(piece.text) for piece in self.pieces]))

    def pieces_at(self, start: int, end: int) -> Sequence[Piece]:
        """The pieces that the symbols [start, end) are of."""
        return self.pieces[bisect_right(self.ends, start) : bisect_right(self.ends, end - 1) + 1]

    @cached_property
    def groups(self) -> dict[str, list[Sequence[Piece]]]:
        """What was said in one go, by its symbols."""
        groups: dict[str, list[Sequence[Piece]]] = {}
        for stretch in self.stretches(self.pieces):
            groups.setdefault("".join([piece.text for piece in stretch]), []).append(stretch)
        return groups

    def begins_and_ends(self, start: int, end: int) -> bool:
        """Whether the symbols [start, end) are whole pieces."""
        first = bisect_right(self.ends, start)
        last = bisect_right(self.ends, end - 1)
        return start == (self.ends[first - 1] if first else 0) and end == self.ends[last]

    def turn(self, piece: Piece) -> int:
        """The turn a piece was said in."""
        return self.call.turn_of_token[piece.first]

    def goes_on(self, pieces: Sequence[Piece]) -> bool:
        """Whether pieces in a row follow each other closely, be it one in a turn."""
        if self.turn(pieces[-1]) == self.turn(pieces[0]):
            return True
        return all(self.turn(after) - self.turn(before) <= _MOST_TURNS_APART for before, after in pairwise(pieces))

    def stretches(self, pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
        """Cuts pieces in a row where the turn changes, or where more than a few words come between."""
        turn_of = self.call.turn_of_token
        start = 0
        for index, (before, here) in enumerate(pairwise(pieces), start=1):
            if here.first - before.last > MOST_FILLERS or turn_of[here.first] != turn_of[before.first]:
                yield pieces[start:index]
                start = index
        if pieces:
            yield pieces[start:]


def digit_lines(call: CallText, money_turns: Sequence[int]) -> list[Line]:
    """One line of digits per speaker; digits of amounts of money are left out."""
    money = {
        token
        for turn in money_turns
        for match in _MONEY.finditer(call.text, *call.turn_range(turn))
        for token in range(bisect_right(call.starts, match.start() - 1), bisect_right(call.starts, match.end() - 1))
    }
    lines: dict[str, list[Piece]] = {}
    for number in call.numbers:
        if number.first not in money and len(number.text) <= _LONGEST_NUMBER:
            line = lines.setdefault(call.turns[call.turn_of_token[number.first]].speaker, [])
            line.append(number)
    return [Line(call, pieces) for pieces in lines.values()]


def code_lines(call: CallText, capitals_turns: Sequence[int]) -> list[Line]:
    """One line of digits and spelled letters per speaker, with the letter O read as the digit."""
    lines: dict[str, list[Piece]] = {}
    number_at, turns, turn_of = call.number_at, call.turns, call.turn_of_token
    following = 0
    for token in _code_places(call, capitals_turns):
        if token < following:
            continue
        piece = number_at.get(token) or _letters_at(call, token)
        following = piece.last + 1
        if 0 < len(piece.text) <= _LONGEST_NUMBER:
            lines.setdefault(turns[turn_of[token]].speaker, []).append(piece)
    return [Line(call, pieces) for pieces in lines.values()]


def _code_places(call: CallText, capitals_turns: Sequence[int]) -> Sequence[int]:
    """The tokens that could be symbols of a code: numbers, letters and their names, letters that touch a number."""
    places = call.symbol_places
    more = (
        [near for place, gap in enumerate(call.gaps) if not gap for near in (place - 1, place)]
        if "" in call.gaps
        else []
    )
    for turn in capitals_turns:
        for match in _CAPITALS.finditer(call.text, *call.turn_range(turn)):
            more.append(bisect_right(call.starts, match.start()) - 1)
    return sorted({place for place in (*places, *more) if place >= 0}) if more else places


class Readings:
    """What of a call is read once, when it is first needed: its dates, digits and codes."""

    def __init__(self, call: CallText, triggers: Triggers) -> None:
        self._call = call
        self._triggers = triggers

    @cached_property
    def digits(self) -> list[Line]:
        """See `digit_lines`."""
        return digit_lines(self._call, self._triggers.turns(MONEY))

    @cached_property
    def codes(self) -> list[Line]:
        """See `code_lines`."""
        return code_lines(self._call, self._triggers.turns(CAPITALS))

    @cached_property
    def dates(self) -> list[DateMention]:
        """See `find_dates`."""
        return list(find_dates(self._call, self._triggers.turns(NUMERIC_DATE)))


def _letters_at(call: CallText, token: int) -> Piece:
    """The letters of a code at a token that is no number; no symbols for ordinary words."""
    word, letters, last = call.words[token], "", token
    if len(word) == 1:
        # Not the t of "don't".
        if call.gaps[token] not in ("'", "\u2019"):
            letters, last = word, _spelled_with(call, token)
    elif _is_short_code(call, token, word):
        letters = word
    elif word == "double" and (letter := _single_letter(call, token + 1)):
        letters, last = "w" if letter == "u" else letter * 2, token + 1
    elif word in LETTER_WORDS and (_is_code_symbol(call, token - 1) or _is_code_symbol(call, token + 1)):
        letters = LETTER_WORDS[word]
    is_digits = letters.isdigit()
    # The letter O and a zero sound and look alike, so in codes both are the digit.
    return Piece(letters if is_digits else letters.replace("o", "0"), token, last, is_digits)


def _is_short_code(call: CallText, token: int, word: str) -> bool:
    """Whether letters are part of a number: "XK", or any few letters that touch a digit."""
    length = call.ends[token] - call.starts[token]
    if length > _LONGEST_SHORT_CODE:
        return False
    if length < _LONGEST_SHORT_CODE and call.original(token).isupper() and call.has_capitals(token):
        return word not in _PLANS or _touches_a_number(call, token)
    return _touches_a_number(call, token)


def _touches_a_number(call: CallText, token: int) -> bool:
    after = token + 1
    return (not call.gaps[token] and token - 1 in call.number_to) or (
        after < len(call.gaps) and not call.gaps[after] and after in call.number_at
    )


def _spelled_with(call: CallText, token: int) -> int:
    """The last token of a letter: "Sam" in "S as in Sam" and "S for Sam", else its own."""
    letter, words = call.words[token], call.words[token + 1 : token + 4]
    if words[:2] == ["as", "in"] and len(words) == 3:
        number = call.number_at.get(token + 3)
        return number.last if number else token + 3
    is_example = len(words) >= 2 and words[0] in ("for", "like") and words[1].startswith(letter)
    return token + 2 if is_example and token + 2 not in call.number_at else token


def _single_letter(call: CallText, token: int) -> str:
    text = call.words[token] if token < len(call.words) else ""
    return text if len(text) == 1 and text.isalpha() else ""


def _is_code_symbol(call: CallText, token: int) -> bool:
    if not 0 <= token < len(call.words):
        return False
    word = call.words[token]
    return token in call.number_to or token in call.number_at or len(word) == 1 or word in LETTER_WORDS
