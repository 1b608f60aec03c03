"""Numbers and letters as people say them, turned into digits and letters.

Works on folded tokens (letter runs and digit runs, see call_text.py) and knows nothing of calls.
"""

from collections.abc import Iterable, Sequence

import msgspec

UNITS = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
}
_TEENS = {
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fourty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_ORDINAL_UNITS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
}
_ORDINAL_TEENS = {
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    "thirteenth": 13,
    "fourteenth": 14,
    "fifteenth": 15,
    "sixteenth": 16,
    "seventeenth": 17,
    "eighteenth": 18,
    "nineteenth": 19,
}
_ORDINAL_TENS = {"twentieth": 20, "thirtieth": 30}
_BELOW_TWENTY = UNITS | _TEENS | _ORDINAL_UNITS | _ORDINAL_TEENS | _ORDINAL_TENS
_AFTER_TENS = {word: value for word, value in (UNITS | _ORDINAL_UNITS).items() if value}
_SCALES = {"hundred": 100, "thousand": 1000}
_ZERO_WORDS = frozenset({"oh", "o"})
# What call_text.py puts between two turns.
_TURN_END = "\x00"
# How many "oh" in a row a number may have ("one oh oh oh seven"); looking further would take quadratic time.
_MOST_ZEROS = 5
_REPEATS = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_ORDINAL_SUFFIXES = frozenset({"st", "nd", "rd", "th"})
NUMBER_WORDS = frozenset(_BELOW_TWENTY) | frozenset(_TENS)
STARTS = NUMBER_WORDS | _ZERO_WORDS | frozenset(_REPEATS)
# Number words that say a digit or more wherever they stand; "oh", "double" and ordinals do so beside others only.
PLAIN_NUMBERS = frozenset(UNITS) | frozenset(_TEENS) | frozenset(_TENS)
# With another number word before them they make a number of three digits or more.
LARGE_WORDS = frozenset(_TEENS) | frozenset(_TENS) | frozenset(_SCALES)

# Radio alphabet and letter names as recognisers write them; only believed next to other code symbols.
_RADIO_ALPHABET = (
    "alpha", "alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "juliett",
    "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
    "whiskey", "xray", "yankee", "zulu",
)  # fmt: skip
_LETTER_NAMES = {
    "bee": "b", "cee": "c", "dee": "d", "eff": "f", "gee": "g", "aitch": "h", "jay": "j", "kay": "k", "ell": "l",
    "em": "m", "en": "n", "pee": "p", "cue": "q", "ess": "s", "tee": "t", "vee": "v", "ex": "x", "zee": "z", "zed": "z",
}  # fmt: skip
LETTER_WORDS = {word: word[0] for word in _RADIO_ALPHABET} | _LETTER_NAMES
_SYMBOLS = STARTS | frozenset({*LETTER_WORDS, *"abcdefghijklmnopqrstuvwxyz"})


class Piece(msgspec.Struct, frozen=True, gc=False):
    """Tokens said as one: a number by its digits, or letters of a code; `first` and `last` are token indices."""

    text: str
    first: int
    last: int
    is_digits: bool = True


def symbol_places(words: Sequence[str]) -> list[int]:
    """The tokens that could be numbers or letters of a code."""
    return [place for place, word in enumerate(words) if word in _SYMBOLS or word[0] <= "9"]


def read_numbers(words: Sequence[str], gaps: Sequence[str], places: Iterable[int] | None = None) -> list[Piece]:
    """Reads number words as digits: "forty-four" is 44, "double five" 55, "one hundred and five" 105.

    Neighbouring numbers stay apart ("nineteen eighty-four" is 19 and 84), for they may be dictated digits;
    whoever compares joins them.

    Args:
        words: Folded tokens.
        gaps: What stands before each token (as long as `words`); only spaces and hyphens join a number.
        places: The tokens at which a number could begin, in order, where they are known.

    Returns:
        The numbers in order; tokens that belong to none are words.
    """
    numbers: list[Piece] = []
    append = numbers.append
    count = len(words)
    following = 0
    for position in range(count) if places is None else places:
        if position < following:
            continue
        word = words[position]
        if word[0] <= "9":
            following = position + 1
            if following < count and words[following] in _ORDINAL_SUFFIXES and not gaps[following]:
                following += 1
            append(Piece(word, position, following - 1))
        elif word in STARTS and (parsed := _number_at(words, gaps, position)):
            append(Piece(parsed[0], position, parsed[1]))
            following = parsed[1] + 1
    return numbers


def _number_at(words: Sequence[str], gaps: Sequence[str], position: int) -> tuple[str, int] | None:
    word = words[position]
    if word in _ZERO_WORDS:
        return ("0", position) if _has_number_neighbour(words, gaps, position) else None
    if word in _REPEATS:
        following = _joined(words, gaps, position + 1)
        digit = "0" if following in _ZERO_WORDS else str(UNITS[following]) if following in UNITS else following
        return (digit * _REPEATS[word], position + 1) if len(digit) == 1 and digit.isdigit() else None
    value, last = _below_hundred(words, position, gaps)
    if last + 1 == len(words) or words[last + 1] not in _SCALES:
        return str(value), last
    for scale_word, scale in _SCALES.items():
        if _joined(words, gaps, last + 1) == scale_word and 0 < value < 1000:
            value, last = value * scale, last + 1
            rest_at = last + 2 if _joined(words, gaps, last + 1) == "and" else last + 1
            if scale == 1000 and _joined(words, gaps, rest_at + 1) == "hundred" and words[rest_at] in UNITS:
                value += UNITS[words[rest_at]] * 100
                last = rest_at + 1
                rest_at = last + 2 if _joined(words, gaps, last + 1) == "and" else last + 1
            if _joined(words, gaps, rest_at) in NUMBER_WORDS:
                rest, rest_last = _below_hundred(words, rest_at, gaps)
                if _joined(words, gaps, rest_last + 1) not in _SCALES:
                    value, last = value + rest, rest_last
    return str(value), last


def _below_hundred(words: Sequence[str], position: int, gaps: Sequence[str]) -> tuple[int, int]:
    word = words[position]
    if word in _TENS:
        following = _joined(words, gaps, position + 1)
        if following in _AFTER_TENS:
            return _TENS[word] + _AFTER_TENS[following], position + 1
        return _TENS[word], position
    return _BELOW_TWENTY[word], position


def _joined(words: Sequence[str], gaps: Sequence[str], position: int) -> str:
    """The word at `position` when only spaces or hyphens stand before it, else nothing."""
    if position >= len(words):
        return ""
    gap = gaps[position]
    return words[position] if gap == " " or not gap.strip(" -\u2010\u2011") else ""


def _has_number_neighbour(words: Sequence[str], gaps: Sequence[str], position: int) -> bool:
    """Whether "oh" is said among digits: a number follows, or one stands right before it."""

    def is_number(index: int) -> bool:
        return words[index].isdigit() or words[index] in NUMBER_WORDS or words[index] in _REPEATS

    furthest = min(len(words), position + _MOST_ZEROS)
    after = position + 1
    while after < furthest and not gaps[after].strip(" ,-") and words[after] in _ZERO_WORDS:
        after += 1
    if after < len(words) and gaps[after] in ("'", "\u2019"):
        return False  # the O of O'Neil
    # "three eight one, oh": at the end of a turn the number goes on in the next one.
    ends_turn = after >= len(words) or _TURN_END in gaps[after]
    joins = " ,-" if ends_turn else " -"
    before = position
    while (
        before > max(0, position - _MOST_ZEROS) and not gaps[before].strip(joins) and words[before - 1] in _ZERO_WORDS
    ):
        before -= 1
    follows_number = before > 0 and not gaps[before].strip(joins) and is_number(before - 1)
    leads_number = after < len(words) and not gaps[after].strip(" ,-") and is_number(after)
    return follows_number or leads_number
