"""Dates as they are written and said: "03/12/1984", "March 12th", "the twelfth of March nineteen eighty-four"."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.spoken import Piece

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(_MONTHS, start=1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, start=1)},
    "sept": 9,
}
# Words that are also something else; as a month they want a capital or a day beside them.
_AMBIGUOUS_MONTHS = frozenset({"may", "march", "mar", "dec", "sep", "jan", "jun"})
# What may stand between the parts of a date.
_JOINS = " ,'\u2019-\n"
_NUMERIC = re.compile(
    r"(?<![\d/.-])(?:(?P<y1>(?:19|20)\d\d)(?P<s1>[-/.])(?P<m1>\d{1,2})(?P=s1)(?P<d1>\d{1,2})"
    r"|(?P<m2>\d{1,2})(?P<s2>[-/.])(?P<d2>\d{1,2})(?P=s2)(?P<y2>(?:19|20)?\d\d))(?![\d/-]|\.\d)"
)


def month_name(month: int) -> str:
    """The name of a month, 1 to 12, in lower case."""
    return _MONTHS[month - 1]


class DateMention(NamedTuple):
    """A date in a text; `year` or `day` is None where it was not said. Offsets are into the call's text."""

    start: int
    end: int
    year: int | None
    month: int
    day: int | None


def find_dates(call: CallText, numeric_turns: Iterable[int] | None = None) -> Iterator[DateMention]:
    """Yields every date of the tokenised turns, numeric ones first; a month alone is none.

    Args:
        call: The call.
        numeric_turns: The turns that could have a date in digits, where that is known.
    """
    for turn in dict.fromkeys(call.turn_of_token) if numeric_turns is None else numeric_turns:
        for match in _NUMERIC.finditer(call.text, *call.turn_range(turn)):
            mention = _numeric_mention(match)
            if mention:
                yield mention
    yield from _worded(call)


def _numeric_mention(match: re.Match[str]) -> DateMention | None:
    year_text = match["y1"] or match["y2"]
    month, day = int(match["m1"] or match["m2"]), int(match["d1"] or match["d2"])
    if month > 12 >= day:
        month, day = day, month
    if not (0 < month <= 12 and 0 < day <= 31):
        return None
    return DateMention(match.start(), match.end(), _full_year(year_text), month, day)


def _full_year(text: str) -> int:
    if len(text) == 4:
        return int(text)
    # Two digits: birth dates of people who can phone, so 00-29 is this century.
    return 2000 + int(text) if int(text) < 30 else 1900 + int(text)


def _worded(call: CallText) -> Iterator[DateMention]:
    for token in [place for place, word in enumerate(call.words) if word in MONTH_NUMBERS]:
        word = call.words[token]
        first = last = token
        is_of_month = _word(call, token - 1) == "of" and _day_before(call, token) is not None
        day = None if is_of_month else _day(call, token + 1)
        if day is None and _word(call, token + 1) == "the":
            day = _day(call, token + 2)
        if day is not None:
            last = day.last
        elif day := _day_before(call, token):
            first = day.first
        year, last = _year_after(call, last)
        if day is None and (year is None or not _is_month(call, token, word)):
            continue
        month_day = int(day.text) if day else None
        yield DateMention(call.starts[first], call.ends[last], year, MONTH_NUMBERS[word], month_day)


def _day_before(call: CallText, month: int) -> Piece | None:
    """The day of "12 March" or "the twelfth of March"."""
    before = month - 2 if _word(call, month - 1) == "of" else month - 1
    day = call.number_to.get(before)
    if day is None or call.turn_of_token[before] != call.turn_of_token[month]:
        return None
    # What stands before the day is no part of the date; what stands after it is.
    joins = not call.gaps[before + 1].strip(_JOINS)
    return day if joins and _is_day(day) else None


def _is_month(call: CallText, token: int, word: str) -> bool:
    return word not in _AMBIGUOUS_MONTHS or call.is_capitalised(token)


def _year_after(call: CallText, last: int) -> tuple[int | None, int]:
    """The year after the token `last`: "of 1984", "1984", "nineteen eighty-four" or "'84"; and its last token."""
    token = last + 2 if _word(call, last + 1) in ("of", "in") else last + 1
    number = _number(call, token)
    if number is None or call.turn_of_token[last] != call.turn_of_token[token]:
        return None, last
    text = number.text
    if len(text) == 4 and text[:2] in ("19", "20"):
        return int(text), number.last
    following = _number(call, number.last + 1)
    if text in ("19", "20") and following is not None and 1 <= len(following.text) <= 2:
        return int(text) * 100 + int(following.text), following.last
    apostrophe = call.gaps[token].strip(" ,") in ("'", "\u2019")
    if len(text) == 2 and (apostrophe or int(text) > 31):
        return _full_year(text), number.last
    return None, last


def _day(call: CallText, token: int) -> Piece | None:
    number = _number(call, token)
    return number if number is not None and _is_day(number) else None


def _is_day(number: Piece) -> bool:
    return len(number.text) <= 2 and 0 < int(number.text) <= 31


def _number(call: CallText, token: int) -> Piece | None:
    """The number that begins at the token, where only commas, spaces and apostrophes stand before it."""
    number = call.number_at.get(token)
    return number if number is not None and not call.gaps[token].strip(_JOINS) else None


def _word(call: CallText, token: int) -> str:
    return call.words[token] if 0 <= token < len(call.words) else ""
