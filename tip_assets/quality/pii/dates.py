"""Dates as they are written and said: "03/12/1984", "March 12th", "the twelfth of March nineteen eighty-four"."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tip_assets.quality.pii.call_text import CallText

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
    numbers = call.numbers
    for index in [place for place, token in enumerate(numbers) if token.text in MONTH_NUMBERS]:
        token = numbers[index]
        month = MONTH_NUMBERS[token.text]
        first = last = index
        is_of_month = _text(call, index - 1) == "of" and _day_before(call, index)[0] is not None
        day = None if is_of_month else _day(call, index + 1)
        if day is None and _text(call, index + 1) == "the":
            day = _day(call, index + 2)
            last = index + 1 if day is not None else index
        if day is not None:
            last += 1
        else:
            day, first = _day_before(call, index)
        year, last = _year_after(call, last + 1, last)
        if day is None and (year is None or not _is_month(call, token.first, token.text)):
            continue
        yield DateMention(call.starts[numbers[first].first], call.ends[numbers[last].last], year, month, day)


def _day_before(call: CallText, month_index: int) -> tuple[int | None, int]:
    """The day of "12 March" or "the twelfth of March", and the index it begins at."""
    before = month_index - 1
    if before >= 0 and _text(call, before) == "of":
        before -= 1
    if before < 0 or not _same_turn(call, before, month_index):
        return None, month_index
    token = call.numbers[before]
    day = int(token.text) if token.is_number and len(token.text) <= 2 else 0
    # What stands before the day is no part of the date; what stands after it is.
    joins = not call.gaps[token.last + 1].strip(" ,'\u2019-\n")
    return (day, before) if joins and 0 < day <= 31 else (None, month_index)


def _is_month(call: CallText, token: int, word: str) -> bool:
    return word not in _AMBIGUOUS_MONTHS or call.is_capitalised(token)


def _year_after(call: CallText, index: int, last: int) -> tuple[int | None, int]:
    """The year at `index`, which may be "of 1984", "1984", "nineteen eighty-four" or "'84"."""
    if _text(call, index) in ("of", "in"):
        index += 1
    text = _number(call, index)
    if text is None or not _same_turn(call, last, index):
        return None, last
    if len(text) == 4 and text[:2] in ("19", "20"):
        return int(text), index
    following = _number(call, index + 1)
    if text in ("19", "20") and following is not None and 1 <= len(following) <= 2:
        return int(text) * 100 + int(following), index + 1
    if text in ("19", "20") and following == "0" and (unit := _number(call, index + 2)) and len(unit) == 1:
        return int(text) * 100 + int(unit), index + 2
    apostrophe = call.gaps[call.numbers[index].first].strip(" ,") in ("'", "\u2019")
    if len(text) == 2 and (apostrophe or int(text) > 31):
        return _full_year(text), index
    return None, last


def _day(call: CallText, index: int) -> int | None:
    text = _number(call, index)
    return int(text) if text is not None and len(text) <= 2 and 0 < int(text) <= 31 else None


def _number(call: CallText, index: int) -> str | None:
    if 0 <= index < len(call.numbers) and call.numbers[index].is_number:
        # Only commas, spaces and apostrophes join the parts of a date.
        gap = call.gaps[call.numbers[index].first]
        return call.numbers[index].text if not gap.strip(" ,'\u2019-\n") else None
    return None


def _text(call: CallText, index: int) -> str:
    return call.numbers[index].text if 0 <= index < len(call.numbers) else ""


def _same_turn(call: CallText, one: int, other: int) -> bool:
    turns = call.turn_of_token
    return turns[call.numbers[one].first] == turns[call.numbers[other].first]
