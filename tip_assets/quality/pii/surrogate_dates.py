"""Shifted dates: every date of a call moves by the same number of days and is said in its own form."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from tip_assets.planning.draws import Draws, Key
from tip_assets.planning.people.spoken_numbers import ENGLISH, below_hundred, ordinal, spoken_year
from tip_assets.quality.pii.call_text import CallText, fold
from tip_assets.quality.pii.dates import MONTH_NUMBERS, DateMention, find_dates
from tip_assets.quality.pii.surrogate_codes import Piece, like_case, pieces_of
from tip_assets.quality.pii.surrogate_names import NotImitable
from tip_resources.domain.conversation import Turn

# Far enough that not even the month comes back, near enough that an age stays about the same.
_LEAST_DAYS, _MOST_DAYS = 32, 333
# Stands for the year of a date said without one; a leap year has every day.
_SOME_YEAR = 1984
_ORDINAL_END = re.compile(r"st|nd|rd|th")
_MONTH = re.compile(r"[^\W\d_]+")
_COMPACT = ("{m:02d}{d:02d}{y}", "{m:02d}{d:02d}{s:02d}", "{y}{m:02d}{d:02d}", "{m}{d:02d}{y}", "{m}{d}{s:02d}")


DatePart = Literal["day", "month", "year"]


class DateBook:
    """The dates of one call. `learn` every mention, then `again` each of them."""

    def __init__(self, key: tuple[Key, ...]) -> None:
        self._key = key
        self._dates: list[DateMention] = []
        self._shift: timedelta | None = None

    def learn(self, text: str) -> None:
        """Takes note of a date, so that its other mentions without a year are read with it."""
        if (mention := read_date(text)) is not None:
            self._dates.append(mention)

    def again(self, text: str) -> str:
        """The mention of the shifted day, in the same form.

        Raises:
            NotImitable: It holds no date that is understood.
        """
        mention = read_date(text)
        if mention is None:
            raise NotImitable
        old = self._full(mention)
        new = old + self._by()
        month = _month_of(text)
        return _words_again(text, month, old, new) if month else _digits_again(text, old, new)

    def _full(self, mention: DateMention) -> date:
        alike = [
            other
            for other in (mention, *self._dates)
            if other.month == mention.month and (mention.day is None or other.day == mention.day)
        ]
        year = next((other.year for other in alike if other.year is not None), _SOME_YEAR)
        day = mention.day or next((other.day for other in alike if other.day is not None), 15)
        try:
            return date(year, mention.month, day)
        except ValueError as error:
            raise NotImitable from error

    def _by(self) -> timedelta:
        if self._shift is None:
            days = {(mention.month, mention.day) for mention in self._dates}
            draws = Draws(*self._key, "shift")
            for _ in range(100):
                self._shift = timedelta(days=-draws.between(_LEAST_DAYS, _MOST_DAYS))
                moved = [self._full(mention) + self._shift for mention in self._dates if mention.day]
                if not days & {(day.month, day.day) for day in moved}:
                    break
        return self._shift or timedelta(days=-_MOST_DAYS)


def read_date(text: str) -> DateMention | None:
    """The date that a mention says; None where none is understood."""
    call = CallText((Turn(speaker="customer", text=text),))
    found = sorted(find_dates(call), key=lambda mention: mention.start - mention.end)
    return found[0] if found else _dictated(text)


def _dictated(text: str) -> DateMention | None:
    """Month, day and year as bare numbers: "oh three twelve eighty-four", 03121984."""
    parts = _spoken_parts(_number_pieces(text))
    if len(parts) != 3:
        digits = "".join(parts)
        if len(digits) not in (6, 8):
            return None
        is_iso = len(digits) == 8 and digits[:2] in ("19", "20") and int(digits[4:6]) <= 12
        parts = [digits[4:6], digits[6:], digits[:4]] if is_iso else [digits[:2], digits[2:4], digits[4:]]
    month, day, year = (int(part) for part in parts)
    if month > 12 >= day:
        month, day = day, month
    if not (0 < month <= 12 and 0 < day <= 31):
        return None
    full_year = year if year > 99 else 2000 + year if year < 30 else 1900 + year
    return DateMention(0, len(text), full_year, month, day)


def _spoken_parts(pieces: Sequence[Piece]) -> list[str]:
    """Digits as said, an "oh" with the digit after it and a century with its years."""
    parts: list[str] = []
    for piece in pieces:
        if (parts and parts[-1] == "0") or (len(parts) == 3 and parts[-1] in ("19", "20", "190", "200")):
            parts[-1] += piece.value
        else:
            parts.append(piece.value)
    return parts


def _number_pieces(text: str) -> list[Piece]:
    return [piece for piece in pieces_of(text) if piece.kind in ("digits", "words")]


def _month_of(text: str) -> re.Match[str] | None:
    return next((match for match in _MONTH.finditer(text) if fold(match.group()) in MONTH_NUMBERS), None)


def _digits_again(text: str, old: date, new: date) -> str:
    pieces = _number_pieces(text)
    if len(pieces) == 1:
        for form in _COMPACT:
            if _in_form(form, old) == pieces[0].value:
                return text[: pieces[0].start] + _in_form(form, new) + text[pieces[0].end :]
    return _replaced(text, _parts(text, pieces, {"month": old.month, "day": old.day}), new)


def _words_again(text: str, month: re.Match[str], old: date, new: date) -> str:
    parts = _parts(text, _number_pieces(text), {"day": old.day})
    return _replaced(text, [*parts, _Part(*month.span(), "month", "")], new)


def _in_form(form: str, day: date) -> str:
    return form.format(y=day.year, m=day.month, d=day.day, s=day.year % 100)


class _Part(NamedTuple):
    """A stretch of a date: what it says, in digits; no digits for the name of a month."""

    start: int
    end: int
    what: DatePart
    digits: str


def _parts(text: str, pieces: Sequence[Piece], wanted: Mapping[DatePart, int]) -> list[_Part]:
    """The numbers of a date, day and month told by their values; the rest is the year. "oh" goes with the next."""
    found: list[_Part] = []
    left: dict[DatePart, int] = {**wanted}
    zero_at: int | None = None
    for piece in pieces:
        start, value = (piece.start if zero_at is None else zero_at), piece.value
        if value == "0" and zero_at is None:
            zero_at = piece.start
            continue
        digits = value if zero_at is None else f"0{value}"
        zero_at = None
        fits: list[DatePart] = [name for name in left if left[name] == int(value) and len(digits) <= 2]
        what = fits[0] if fits else None
        if what is not None:
            del left[what]
            suffix = _ORDINAL_END.match(text, piece.end)
            found.append(_Part(start, suffix.end() if suffix else piece.end, what, digits))
        elif found and found[-1].what == "year":
            found[-1] = _Part(found[-1].start, piece.end, "year", found[-1].digits + digits)
        else:
            found.append(_Part(start, piece.end, "year", digits))
    return found


def _replaced(text: str, parts: Sequence[_Part], new: date) -> str:
    if not parts:
        raise NotImitable
    numbers = [part for part in parts if part.what != "year" and text[part.start].isdigit()]
    # 10/12/1984 may become 09/06/1983, and March 12 becomes April 6.
    pads = all(part.digits for part in parts) and all(len(part.digits) == 2 for part in numbers)
    said, end = [], 0
    for part in sorted(parts):
        said.append(text[end : part.start])
        said.append(_said(text[part.start : part.end], part, new, pads=pads))
        end = part.end
    return "".join(said) + text[end:]


def _said(original: str, part: _Part, new: date, *, pads: bool) -> str:
    if not part.digits:
        name = ENGLISH.months[new.month - 1]
        return like_case(original, name[:3] if len(original) == 3 and fold(original) != "may" else name)
    value = {"day": new.day, "month": new.month, "year": new.year}[part.what]
    if not original[0].isdigit():
        return like_case(original, _in_words(original, part, value))
    if part.what == "year":
        return str(value) if len(part.digits) > 2 else f"{value % 100:02d}"
    plain = f"{value:02d}" if pads or part.digits.startswith("0") else str(value)
    return plain + (_ordinal_end(value) if original[-1].isalpha() else "")


def _in_words(original: str, part: _Part, value: int) -> str:
    if part.what == "year":
        # Two digits are said without their century.
        return spoken_year(value, ENGLISH) if len(part.digits) > 2 else _two_digits(value % 100)
    if fold(original).endswith(("st", "nd", "rd", "th")):
        return ordinal(value)
    return _two_digits(value) if part.digits.startswith("0") else below_hundred(value, ENGLISH)


def _two_digits(value: int) -> str:
    return f"oh {ENGLISH.digits[value]}" if value < 10 else below_hundred(value, ENGLISH)


def _ordinal_end(value: int) -> str:
    if value in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
