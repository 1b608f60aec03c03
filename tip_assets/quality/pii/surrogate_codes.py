"""Made-up numbers and codes: the same pattern and the same way of saying them, and never anybody's.

A place of a number is read into pieces (digits, number words, letters, spelled letters), the number is replaced
digit by digit, and the pieces are said again as they were.
"""

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from tip_assets.planning.draws import Draws, Key
from tip_assets.planning.people.spoken_numbers import ENGLISH, below_hundred
from tip_assets.quality.pii.call_text import fold
from tip_assets.quality.pii.checks import (
    is_card_number,
    is_dea_number,
    is_iban,
    is_imei,
    is_medicare_id,
    is_npi,
    is_routing_number,
    is_vin,
    passes_luhn,
)
from tip_assets.quality.pii.spoken import LETTER_WORDS, read_numbers
from tip_assets.quality.pii.surrogate_words import pool, words_under

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_RADIO_WORDS = {letter: word for word, letter in reversed(LETTER_WORDS.items()) if len(word) > 3}
_BEFORE_AN_EXAMPLE = frozenset({"as", "for", "like"})
_MBI = re.compile(r"[1-9][a-z][a-z0-9]\d[a-z][a-z0-9]\d[a-z]{2}\d{2}")
_CHECKS = (is_card_number, is_imei, is_iban, is_npi, is_routing_number, is_vin, is_dea_number, is_medicare_id)
# NANPA: 555-0100 to 555-0199 is nobody's in any area code. ITU E.164: country code 999 is not assigned.
RESERVED_EXCHANGE = "55501"
_UNASSIGNED_COUNTRY = "999"
# RFC 7042: hardware addresses for documentation.
_DOCUMENTATION_MAC = "00005e0053"
_MOST_TRIES = 100
_WINDOW = 4

PieceKind = Literal["digits", "words", "letters", "radio", "example"]


class Piece(NamedTuple):
    """A stretch of a mention that says part of a code; `value` is what it says ("" for an example word)."""

    start: int
    end: int
    value: str
    kind: PieceKind


def pieces_of(text: str) -> list[Piece]:
    """The pieces of a mention in order; what lies between them is layout and stays."""
    matches = list(_TOKEN.finditer(text))
    words = [fold(match.group()) or "?" for match in matches]
    ends = [0, *(match.end() for match in matches)]
    gaps = [text[end : match.start()] for end, match in zip(ends, matches, strict=False)]
    pieces: list[Piece] = []
    numbers = {number.first: number for number in read_numbers(words, gaps)}
    skip_to = 0
    for token, word in enumerate(words):
        if token < skip_to:
            continue
        start, end = matches[token].span()
        if number := numbers.get(token):
            is_written = word[0].isdigit()
            pieces.append(
                Piece(start, end if is_written else matches[number.last].end(), number.text, _kind(is_written))
            )
            skip_to = number.last + 1
        elif word in _BEFORE_AN_EXAMPLE and pieces and pieces[-1].kind == "letters" and len(pieces[-1].value) == 1:
            skip_to = _after_example(words, gaps, token)
            if skip_to > token + 1:
                first = token + (2 if words[token + 1] == "in" else 1)
                pieces.append(Piece(matches[first].start(), matches[skip_to - 1].end(), "", "example"))
        elif word in words_under("between_numbers"):
            continue
        elif word in LETTER_WORDS and len(word) > 1:
            pieces.append(Piece(start, end, LETTER_WORDS[word], "radio"))
        else:
            pieces.append(Piece(start, end, word, "letters"))
    return pieces


def _kind(is_written: bool) -> PieceKind:
    return "digits" if is_written else "words"


def _after_example(words: Sequence[str], gaps: Sequence[str], at: int) -> int:
    """The token after the example word of "as in x-ray" that begins at token `at`; `at` + 1 when there is none."""
    word_at = at + 2 if at + 1 < len(words) and words[at] == "as" and words[at + 1] == "in" else at + 1
    if word_at >= len(words):
        return at + 1
    joined = word_at + 1 < len(words) and gaps[word_at + 1] == "-" and len(words[word_at]) == 1
    return word_at + (2 if joined else 1)


def canonical_code(pieces: Sequence[Piece]) -> str:
    """What the pieces say together: lower-case letters and digits."""
    return "".join(piece.value for piece in pieces)


def say_again(text: str, pieces: Sequence[Piece], code: str) -> str:
    """The mention with `code` (as long as its own) said the way the mention says its code."""
    said, end, place = [], 0, 0
    for piece in pieces:
        said.append(text[end : piece.start])
        part = code[place : place + len(piece.value)]
        said.append(_said(text[piece.start : piece.end], piece, part, code[place - 1 : place]))
        place, end = place + len(piece.value), piece.end
    said.append(text[end:])
    return "".join(said)


def _said(original: str, piece: Piece, part: str, letter_before: str) -> str:
    if piece.kind == "digits":
        return part
    if piece.kind == "letters":
        return "".join(n.upper() if o.isupper() else n for o, n in zip(original, part, strict=False))
    if piece.kind == "words":
        return like_case(original, _number_words(part, original))
    return like_case(original, example_of(letter_before) if piece.kind == "example" else _RADIO_WORDS.get(part, part))


def example_of(letter: str) -> str:
    """The word that a letter is spelled with; none of them is a name, as those of the radio alphabet are."""
    return next((word for word in pool("examples") if word[0] == letter), letter)


def _number_words(digits: str, original: str) -> str:
    first_word = fold(original).split()[0]
    zero = "oh" if "oh" in fold(original).split() or first_word == "o" else "zero"
    one_by_one = " ".join(zero if digit == "0" else ENGLISH.digits[int(digit)] for digit in digits)
    if len(digits) != 2:
        return one_by_one
    if first_word == "double":
        return f"double {one_by_one.split()[0]}" if digits[0] == digits[1] else one_by_one
    if digits[0] == "0":
        return one_by_one
    return below_hundred(int(digits), ENGLISH).replace(" ", "-" if "-" in original else " ")


def like_case(original: str, new: str) -> str:
    """`new` in capitals, with a capital, or in lower case, as `original` is written."""
    letters = [char for char in original if char.isalpha()]
    if len(letters) > 1 and all(char.isupper() for char in letters):
        return new.upper()
    return new[:1].upper() + new[1:] if letters and letters[0].isupper() else new.lower()


def made_up_code(code: str, kind: str, originals: frozenset[str], *key: Key) -> str:
    """A code of the same pattern that is nobody's: reserved ranges where there are any, else failing check digits.

    Args:
        code: Lower-case letters and digits.
        kind: Type of personal data.
        originals: Runs of four characters of the call's own codes; none of them comes back.
        key: What the draw depends on.

    Returns:
        Differs from `code` in every character outside a reserved range.
    """
    candidate = ""
    for attempt in range(_MOST_TRIES):
        candidate, free_from = _candidate(code, kind, Draws(*key, kind, code, attempt))
        free = candidate[free_from:]
        windows = {free[place : place + _WINDOW] for place in range(len(free) - _WINDOW + 1)}
        ending = candidate[-_WINDOW:] if len(candidate) >= _WINDOW else ""
        if not windows & originals and ending not in originals and not passes_a_check(candidate, kind):
            break
    return candidate


def _candidate(code: str, kind: str, draws: Draws) -> tuple[str, int]:
    """A made-up code and the place from which on it is free of reserved digits."""
    if code.isdigit() and ("PHONE" in kind or "FAX" in kind):
        return _phone(code, draws)
    if kind == "SSN" and code.isdigit() and len(code) == 9:
        # SSA: areas from 900 on are never issued, and groups below 50 there are no taxpayer numbers either (IRS).
        return "9" + "".join(_other(char, draws) for char in code[1:3]) + "0" + _tail(code[4:], draws, low=1), 5
    if "MAC" in kind and re.fullmatch(r"[0-9a-f]{12}", code):
        return _DOCUMENTATION_MAC + "".join(draws.pick("0123456789abcdef".replace(c, "")) for c in code[-2:]), 10
    drawn = "".join(_other(char, draws, is_first=place == 0) for place, char in enumerate(code))
    if _MBI.fullmatch(drawn):
        # CMS: a Medicare number never holds S, L, O, I, B or Z.
        drawn = drawn[0] + draws.pick("slobiz".replace(code[1], "")) + drawn[2:]
    return drawn, 0


def _phone(code: str, draws: Draws) -> tuple[str, int]:
    if len(code) == 11 and code[0] == "1":
        national, free_from = _phone(code[1:], draws)
        return "1" + national, free_from + 1
    line = "01" + _tail(code[-2:], draws)
    if len(code) == 10:
        area = draws.pick("23456789".replace(code[0], "")) + "".join(_other(c, draws) for c in code[1:3])
        return f"{area}555{line}", 8
    if len(code) == 7:
        return f"555{line}", 5
    if len(code) == 4:
        return line, 2
    if len(code) > 11:
        return _UNASSIGNED_COUNTRY + _tail(code[3:], draws), 3
    return "".join(_other(char, draws, is_first=place == 0) for place, char in enumerate(code)), 0


def _tail(code: str, draws: Draws, low: int = 0) -> str:
    first = draws.pick([str(d) for d in range(low, 10) if str(d) != code[0]])
    return first + "".join(_other(char, draws) for char in code[1:])


def _other(char: str, draws: Draws, *, is_first: bool = False) -> str:
    """Another character of the same kind; a first digit does not become 0."""
    if char.isdigit():
        choices = "123456789" if is_first and char != "0" else "0123456789"
        return draws.pick(choices.replace(char, ""))
    return draws.pick("abcdefghijklmnopqrstuvwxyz".replace(char, ""))


def passes_a_check(code: str, kind: str = "") -> bool:
    """Whether a code could be somebody's by its check digit: cards, bank, provider, vehicle and drug numbers."""
    if "PHONE" in kind or "FAX" in kind or kind == "SSN":
        return False
    upper = code.upper()
    return any(passes(upper) for passes in _CHECKS) or (code.isdigit() and len(code) == 12 and passes_luhn(code))


def windows_of(codes: Sequence[str]) -> frozenset[str]:
    """All runs of four characters in the codes."""
    return frozenset(code[place : place + _WINDOW] for code in codes for place in range(len(code) - _WINDOW + 1))
