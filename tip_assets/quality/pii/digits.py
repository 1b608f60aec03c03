"""Digits and codes as they are dictated: across pauses, read-backs and turns, whole or in part.

The digits (or code symbols) of one speaker form a line; a number is found in it wherever at least its last
four, its first four or one of its written groups stand, and across up to three of the speaker's turns when
six or more agree.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.dates import DateMention, find_dates
from tip_assets.quality.pii.fact_forms import DigitForm
from tip_assets.quality.pii.spoken import LETTER_WORDS

# Three turns of one speaker with the other's between them, first to last.
_MOST_TURNS_APART = 6
_SHORTEST_SPLIT = 6
_SHORTEST_CODE = 5
# "four one five, uh, and then five five five": more words than this between two digits end a span.
_MOST_FILLERS = 4
_NEAR_TURNS = 4
# Nobody's number is longer; without the limit a file of nothing but digits would take very long.
_LONGEST_NUMBER = 64
_SYMBOL_WORDS = frozenset({"double", *LETTER_WORDS})
_LONGEST_SHORT_CODE = 6
# Kinds of health plans: the number after them is an amount ("a PPO 1000").
_PLANS = frozenset({"ppo", "hmo", "epo", "pos", "hdhp", "hsa", "fsa", "hra"})
_NOT_IN_A_PIECE = frozenset("/:.$%")


class Piece(msgspec.Struct, frozen=True, gc=False):
    """What was said as one: a number, or letters of a code (with the letter O as the digit), and its tokens."""

    text: str
    is_digits: bool
    first: int
    last: int


class Symbol(msgspec.Struct, frozen=True, gc=False):
    """One digit or letter of a line, the tokens it was said with, and whether it begins or ends its number."""

    char: str
    is_digit: bool
    first: int
    last: int
    begins: bool
    ends: bool


class Line:
    """The numbers and letters of one speaker in order: as they were said, and symbol by symbol."""

    def __init__(self, call: CallText, pieces: Sequence[Piece]) -> None:
        self.call = call
        self.pieces = pieces

    @cached_property
    def text(self) -> str:
        """The symbols run together."""
        return "".join([piece.text for piece in self.pieces])

    @cached_property
    def symbols(self) -> list[Symbol]:
        """The pieces symbol by symbol."""
        return [symbol for piece in self.pieces for symbol in _symbols(piece)]

    def turn(self, index: int) -> int:
        """The turn a symbol was said in."""
        return self.call.turn_of_token[self.symbols[index].first]

    def goes_on(self, start: int, end: int) -> bool:
        """Whether the symbols [start, end) follow each other closely, be it one in a turn."""
        return all(self.turn(index) - self.turn(index - 1) <= _MOST_TURNS_APART for index in range(start + 1, end))

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """(first token, last token) of the symbols [start, end), one pair per unbroken stretch."""
        first = start
        for index in range(start + 1, end):
            before, here = self.symbols[index - 1], self.symbols[index]
            if self.turn(index) != self.turn(index - 1) or here.first - before.last > _MOST_FILLERS:
                yield self.symbols[first].first, before.last
                first = index
        yield self.symbols[first].first, self.symbols[end - 1].last


def digit_lines(call: CallText) -> list[Line]:
    """One line of digits per speaker; digits of amounts of money are left out."""
    money = _money_tokens(call)
    lines: dict[str, list[Piece]] = {}
    for token in call.numbers:
        if token.is_number and token.first not in money and len(token.text) <= _LONGEST_NUMBER:
            line = lines.setdefault(call.turns[call.turn_of_token[token.first]].speaker, [])
            line.append(Piece(token.text, True, token.first, token.last))
    return [Line(call, pieces) for pieces in lines.values()]


def code_lines(call: CallText) -> list[Line]:
    """One line of digits and spelled letters per speaker, with the letter O read as the digit."""
    lines: dict[str, list[Piece]] = {}
    numbers, gaps, starts, text = call.numbers, call.gaps, call.starts, call.text
    gaps_after = [*gaps[1:], " "]
    following = 0
    for index, token in enumerate(numbers):
        if index < following:
            continue
        word, first = token.text, token.first
        if not token.is_number and len(word) > 1 and word not in _SYMBOL_WORDS:
            # Most words are no symbols; saying so without a call keeps this fast.
            if len(word) > _LONGEST_SHORT_CODE:
                continue
            if gaps[first] and gaps_after[first] and not text[starts[first] + 1 : starts[first] + 2].isupper():
                continue
        chars, used = _code_at(call, index)
        following = index + used
        if chars:
            line = lines.setdefault(call.turns[call.turn_of_token[first]].speaker, [])
            is_digits = chars.isdigit()
            # The letter O and a zero sound and look alike, so in codes both are the digit.
            said = chars if is_digits else chars.replace("o", "0")
            line.append(Piece(said, is_digits, first, numbers[following - 1].last))
    return [Line(call, pieces) for pieces in lines.values()]


class Readings:
    """What of a call is read once, when it is first needed: its dates, digits and codes."""

    def __init__(self, call: CallText, numeric_date_turns: Sequence[int]) -> None:
        self._call = call
        self._numeric_date_turns = numeric_date_turns

    @cached_property
    def digits(self) -> list[Line]:
        """See `digit_lines`."""
        return digit_lines(self._call)

    @cached_property
    def codes(self) -> list[Line]:
        """See `code_lines`."""
        return code_lines(self._call)

    @cached_property
    def dates(self) -> list[DateMention]:
        """See `find_dates`."""
        return list(find_dates(self._call, self._numeric_date_turns))


def _symbols(piece: Piece) -> Iterator[Symbol]:
    end = len(piece.text) - 1
    for place, char in enumerate(piece.text):
        yield Symbol(char, piece.is_digits, piece.first, piece.last, place == 0, place == end)


def _money_tokens(call: CallText) -> frozenset[int]:
    ranges = call.money_ranges()
    if not ranges:
        return frozenset()
    inside: set[int] = set()
    current = 0
    for token, start in enumerate(call.starts):
        while current < len(ranges) and ranges[current][1] <= start:
            current += 1
        if current == len(ranges):
            break
        if ranges[current][0] <= start:
            inside.add(token)
    return frozenset(inside)


def _code_at(call: CallText, index: int) -> tuple[str, int]:
    """The code symbols at a number token and how many tokens they take; no symbols for ordinary words."""
    token = call.numbers[index]
    word = token.text
    if token.is_number:
        return (word, 1) if len(word) <= _LONGEST_NUMBER else ("", 1)
    if len(word) == 1:
        # Not the t of "don't".
        return (word, _spelled_with(call, index)) if call.gaps[token.first] not in ("'", "\u2019") else ("", 1)
    if _is_short_code(call, index):
        return word, 1
    if word == "double" and (letter := _single_letter(call, index + 1)):
        return ("w" if letter == "u" else letter * 2), 2
    if word in LETTER_WORDS and (_is_code_symbol(call, index - 1) or _is_code_symbol(call, index + 1)):
        return LETTER_WORDS[word], 1
    return "", 1


def _is_short_code(call: CallText, index: int) -> bool:
    """Whether letters are part of a number: "XK", or any few letters that touch a digit."""
    token = call.numbers[index]
    first, last = call.starts[token.first], call.ends[token.last]
    length = last - first
    text = call.text
    if length <= 5 and text[first:last].isupper() and call.has_capitals(token.first) and token.text not in _PLANS:
        return True
    return length <= 6 and (
        _is_a_number_at(call, index - 1, last=first) or _is_a_number_at(call, index + 1, first=last)
    )


def _spelled_with(call: CallText, index: int) -> int:
    """How many tokens a letter takes: 4 for "S as in Sam", 3 for "S for Sam", else 1."""
    letter = call.numbers[index].text
    words = [token.text for token in call.numbers[index + 1 : index + 4]]
    if words[:2] == ["as", "in"] and len(words) == 3:
        return 4
    if len(words) >= 2 and words[0] in ("for", "like") and words[1].startswith(letter):
        return 3
    return 1


def _single_letter(call: CallText, index: int) -> str:
    text = call.numbers[index].text if index < len(call.numbers) else ""
    return text if len(text) == 1 and text.isalpha() else ""


def _is_code_symbol(call: CallText, index: int) -> bool:
    if not 0 <= index < len(call.numbers):
        return False
    token = call.numbers[index]
    return token.is_number or len(token.text) == 1 or token.text in LETTER_WORDS


def _is_a_number_at(call: CallText, index: int, first: int = -1, last: int = -1) -> bool:
    """Whether the token at `index` is a number that begins at `first` or ends at `last`."""
    if not 0 <= index < len(call.numbers):
        return False
    token = call.numbers[index]
    return token.is_number and (call.starts[token.first] == first or call.ends[token.last] == last)


def find_digits(lines: Sequence[Line], form: DigitForm) -> Iterator[tuple[int, int]]:
    """Yields (first token, last token) of every stretch of `form` in the lines."""
    found_turns: set[int] = set()
    for line in lines:
        for start, end in _common_stretches(line, form.digits, 4):
            if _is_the_number(line, start, end, form):
                found_turns.update(line.turn(index) for index in range(start, end))
                yield from line.spans(start, end)
    if found_turns and not form.whole_only:
        for line in lines:
            yield from _lone_groups(line, form, found_turns)


def find_codes(lines: Sequence[Line], code: str) -> Iterator[tuple[int, int]]:
    """Yields (first token, last token) of every stretch of a code of letters and digits."""
    wanted = code.replace("o", "0")
    has_digits = any(char.isdigit() for char in code)
    shortest = min(len(wanted), _SHORTEST_CODE) if has_digits else len(wanted)
    for line in lines:
        for start, end in _common_stretches(line, wanted, shortest):
            whole = end - start == len(wanted)
            has_digit = any(symbol.is_digit for symbol in line.symbols[start:end])
            if (whole or has_digit) and line.goes_on(start, end):
                yield from line.spans(start, end)


def _common_stretches(line: Line, wanted: str, shortest: int) -> Iterator[tuple[int, int]]:
    """Every longest stretch of the line, of at least `shortest` symbols, that is part of `wanted`."""
    length = min(shortest, len(wanted))
    text = line.text
    seen_until = -1
    stretches: list[tuple[int, int]] = []
    for offset in range(len(wanted) - length + 1):
        piece = wanted[offset : offset + length]
        start = text.find(piece)
        while start >= 0:
            end, at = start + length, offset + length
            while end < len(text) and at < len(wanted) and text[end] == wanted[at]:
                end += 1
                at += 1
            stretches.append((start, end))
            start = text.find(piece, start + 1)
    for start, end in sorted(stretches, key=lambda stretch: (stretch[0], -stretch[1])):
        if end > seen_until:
            yield start, end
            seen_until = end


def _is_the_number(line: Line, start: int, end: int, form: DigitForm) -> bool:
    length = end - start
    if not line.goes_on(start, end):
        return False
    on_borders = line.symbols[start].begins and line.symbols[end - 1].ends
    if length == len(form.digits):
        return on_borders or length >= _SHORTEST_SPLIT
    if form.whole_only:
        return False
    if length >= _SHORTEST_SPLIT:
        return True
    return on_borders and line.text[start:end] in form.parts and _is_said_in_one_go(line, start, end)


def _is_said_in_one_go(line: Line, start: int, end: int) -> bool:
    """Whether a short piece is one number of one turn, and not a time (11:11), a date (02/28) or a decimal."""
    if line.turn(end - 1) != line.turn(start):
        return False
    tokens = range(line.symbols[start].first + 1, line.symbols[end - 1].last + 1)
    return all(not set(line.call.gaps[token]) & _NOT_IN_A_PIECE for token in tokens)


def _lone_groups(line: Line, form: DigitForm, found_turns: set[int]) -> Iterator[tuple[int, int]]:
    """Three or more digits of the number that make a turn's whole number, close to where it was found."""
    start = 0
    while start < len(line.symbols):
        end = start + 1
        while (
            end < len(line.symbols)
            and line.turn(end) == line.turn(start)
            and line.symbols[end].first - line.symbols[end - 1].last <= _MOST_FILLERS
        ):
            end += 1
        is_near = any(abs(line.turn(start) - turn) <= _NEAR_TURNS for turn in found_turns)
        if is_near and end - start >= 3 and line.text[start:end] in form.parts:
            yield line.symbols[start].first, line.symbols[end - 1].last
        start = end
