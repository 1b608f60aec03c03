"""Known numbers and codes in what was dictated: across pauses, read-backs and turns, whole or in part.

A number is found in a speaker's line (digits.py) wherever at least its last four, its first four or one of its
written groups stand, and across up to three of the speaker's turns when six or more agree.
"""

from collections.abc import Iterator, Sequence

from tip_assets.quality.pii.digits import Line
from tip_assets.quality.pii.fact_forms import LEAST_DIGITS, DigitForm
from tip_assets.quality.pii.spoken import Piece

_SHORTEST_SPLIT = 6
_SHORTEST_CODE = 5
_SHORTEST_GROUP = 3
_NEAR_TURNS = 4
_NOT_IN_A_PIECE = frozenset("/:.$%")


def find_digits(lines: Sequence[Line], form: DigitForm) -> Iterator[tuple[int, int]]:
    """Yields (first token, last token) of every stretch of `form` in the lines."""
    found_turns: set[int] = set()
    for line in lines:
        if form.whole_only and form.digits not in line.text:
            continue
        shortest = len(form.digits) if form.whole_only else LEAST_DIGITS
        for start, end in _common_stretches(line.text, form.digits, shortest):
            pieces = line.pieces_at(start, end)
            if _is_the_number(line, start, end, pieces, form):
                found_turns.update(map(line.turn, pieces))
                yield from _spans(line, pieces)
    if found_turns and not form.whole_only:
        for line in lines:
            yield from _lone_groups(line, form, found_turns)


def find_codes(lines: Sequence[Line], code: str) -> Iterator[tuple[int, int]]:
    """Yields (first token, last token) of every stretch of a code of letters and digits."""
    wanted = code.replace("o", "0")
    has_digits = any(char.isdigit() for char in code)
    shortest = min(len(wanted), _SHORTEST_CODE) if has_digits else len(wanted)
    for line in lines:
        if not has_digits and wanted not in line.text:
            continue
        for start, end in _common_stretches(line.text, wanted, shortest):
            pieces = line.pieces_at(start, end)
            is_enough = end - start == len(wanted) or any(piece.is_digits for piece in pieces)
            if is_enough and line.goes_on(pieces):
                yield from _spans(line, pieces)


def _common_stretches(text: str, wanted: str, shortest: int) -> Iterator[tuple[int, int]]:
    """Every longest stretch of the text, of at least `shortest` symbols, that is part of `wanted`."""
    length = min(shortest, len(wanted))
    stretches: list[tuple[int, int]] = []
    for offset in range(len(wanted) - length + 1):
        piece = wanted[offset : offset + length]
        start = text.find(piece)
        while start >= 0:
            end, at = start + length, offset + length
            while end < len(text) and at < len(wanted) and text[end] == wanted[at]:
                end += 1
                at += 1
            stretches.append((start, -end))
            start = text.find(piece, start + 1)
    seen_until = -1
    for start, end in sorted(stretches):
        if -end > seen_until:
            seen_until = -end
            yield start, seen_until


def _spans(line: Line, pieces: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    for stretch in line.stretches(pieces):
        yield stretch[0].first, stretch[-1].last


def _is_the_number(line: Line, start: int, end: int, pieces: Sequence[Piece], form: DigitForm) -> bool:
    length = end - start
    if not line.goes_on(pieces):
        return False
    if length >= _SHORTEST_SPLIT and (length == len(form.digits) or not form.whole_only):
        return True
    if not line.begins_and_ends(start, end):
        return False
    if length == len(form.digits):
        return True
    return not form.whole_only and line.text[start:end] in form.parts and _is_said_in_one_go(line, pieces)


def _is_said_in_one_go(line: Line, pieces: Sequence[Piece]) -> bool:
    """Whether a short piece is one number of one turn, and not a time (11:11), a date (02/28) or a decimal."""
    if line.turn(pieces[0]) != line.turn(pieces[-1]):
        return False
    return _NOT_IN_A_PIECE.isdisjoint("".join(line.call.gaps[pieces[0].first + 1 : pieces[-1].last + 1]))


def _lone_groups(line: Line, form: DigitForm, found_turns: set[int]) -> Iterator[tuple[int, int]]:
    """Three or more digits of the number that make a turn's whole number, close to where it was found."""
    for said in form.parts & line.groups.keys():
        for stretch in line.groups[said]:
            turn = line.turn(stretch[0])
            if len(said) >= _SHORTEST_GROUP and any(abs(turn - found) <= _NEAR_TURNS for found in found_turns):
                yield stretch[0].first, stretch[-1].last
