"""The independent check after scrubbing: is a known personal fact still there, in any form people say it?

Written apart from the detector on purpose, by plain string work on the redacted text: what one of them
overlooks, the other should not. All it shares with pii/ is the list of names that are also words. It looks
for what would identify someone, and nothing doubtful, because every finding rejects a call.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from tip_assets.quality.word_lists import word_list
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.persona import PersonalFact

_TAG = re.compile(r"\[[A-Z][A-Z0-9_]*\]")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_ONES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15,
    "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
_NUMBER_WORDS = {
    **{word: str(number) for number, word in enumerate(_ONES)},
    **{word: str(10 * ten) for ten, word in enumerate(_TENS) if word},
    **{word: str(number) for word, number in _ORDINALS.items()},
    **{
        f"{tens} {one}": str(10 * ten + number)
        for ten, tens in enumerate(_TENS)
        if tens
        for one, number in [*((word, n) for n, word in enumerate(_ONES[:10]) if n), *list(_ORDINALS.items())[:9]]
    },
}


def _any_of(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first: a tree of letters, so that most words of a text fail at one.

    Trying some 200 words one after the other took a third of the time of this check.
    """
    unique = sorted(set(words))
    branches = "|".join(
        first + _any_of(word[1:] for word in group) for first, group in groupby(filter(None, unique), itemgetter(0))
    )
    if not branches:
        return ""
    return f"(?:{branches})?" if not unique[0] else f"(?:{branches})"


_NUMBER_WORD = re.compile(rf"\b{_any_of(_NUMBER_WORDS)}\b")
_REPEATED = re.compile(r"\b(double|triple) (\d)\b")
_ZERO_LETTER = re.compile(r"(?<=\d )(?:oh|o)\b|\b(?:oh|o)(?= \d)")
_ORDINAL_DIGITS = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
_HUNDREDS = re.compile(r"\b(\d{1,2}) hundred\b(?: and)?(?: (\d{1,2})\b)?")
_DIGIT_RUN = re.compile(r"\d+(?: \d+)*")
_TIME_OR_DAY = re.compile(r"\d{1,2}[:/]\d{1,2}\b|\d\.\d")
_SPELLED_AS = re.compile(r"\b([a-z]) (?:as in|as|for|like) (?:x ray|[a-z]+)\b")
_SAID_MARK = re.compile(r" (?:at|dot|dash|underscore) ")
# Neither a letter, a digit nor white space.
_TURN_END = "\x00"
_NOT_PLAIN = re.compile(rf"[^\w|{_TURN_END}]|_")
_ASCII_PLAIN = {code: " " for code in range(1, 128) if not chr(code).isalnum() and chr(code) != "|"}
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_MONEY = re.compile(
    r"\$ ?\d[\d,]{0,20}(?:\.\d\d?)?|(?<![\d,.])\d[\d,]{0,20}(?:\.\d\d?)? (?:dollars|bucks|cents|percent)\b"
)
_BEFORE_MONTHS = frozenset({"in", "on", "of", "since", "by", "until", "this", "next", "last", "early", "late"})
# Shorter ones would be found by chance.
_SHORTEST_NAME = 3
_SHORTEST_TEXT = 4
_SHORTEST_WITH_DIGITS = 4
_TELLING_USER_NAME = 7
_SHORTEST_NUMBER = 7
# So many digits of a longer number tell whose it is; a telephone number needs one more, for its first six are
# those of a whole exchange, and "55501" opens every number that is reserved for fiction.
_TELLING_DIGITS = 6
_TELLING_PHONE_DIGITS = 7
_FICTION = "55501"


def leaked_facts(redacted: Conversation, facts: Sequence[PersonalFact]) -> tuple[str, ...]:
    """What of the facts is still to be found in the redacted text; empty when it is clean.

    Returns:
        A fact's type, and which part where it is not all of it ("PHONE last four digits"). Never the fact.
    """
    text = _Text(redacted)
    return tuple(dict.fromkeys(leak for fact in facts for leak in _leaks(fact, text)))


class _Text:
    """The redacted call in the normal forms the check reads; "|" stands where something was replaced."""

    def __init__(self, conversation: Conversation) -> None:
        # All turns at once, which takes half the time of one after the other; no pattern reaches across their ends.
        said = _TURN_END.join([turn.text.replace(_TURN_END, " ") for turn in conversation.turns])
        bare = _TAG.sub(" | ", said)
        self.original = bare.replace(_TURN_END, "\n")
        self.words = _between_spaces(_plain(bare))
        without_money = _MONEY.sub(" | ", bare)
        numbered = _with_digits(_SPELLED_AS.sub(r"\1", _plain(without_money)))
        turns = numbered.split(_TURN_END)
        speakers: dict[str, list[str]] = {}
        for turn, text in zip(conversation.turns, turns, strict=False):  # of no turns there is one text
            speakers.setdefault(turn.speaker, []).append(text)
        # All that one speaker says, for facts that are said over several turns, then all turns in order.
        self.numbered = _between_spaces(" || ".join([*(" ".join(texts) for texts in speakers.values()), numbered]))
        self.squeezed = _SAID_MARK.sub(" ", self.numbered).replace(" ", "")
        self.digits = ["".join(filter(str.isdigit, "".join(texts))) for texts in speakers.values()]
        self.runs = _digit_runs(numbered)
        # "11:11" and "02/28" are a time and a day, not the end of a card number.
        if _TIME_OR_DAY.search(without_money):
            for number, text in enumerate(without_money.split(_TURN_END)):
                if _TIME_OR_DAY.search(text):
                    turns[number] = _with_digits(_plain(_TIME_OR_DAY.sub(" | ", text)))
        self.pieces = _digit_runs(_TURN_END.join(turns))


def _between_spaces(text: str) -> str:
    return f" {text.replace(_TURN_END, ' | ')} "


def _digit_runs(numbered: str) -> set[str]:
    return {run.replace(" ", "") for run in _DIGIT_RUN.findall(numbered)}


def _plain(text: str) -> str:
    """Lower case without accents; letters, digits, "|" and ends of turns stay, all else is one space between them.

    Apostrophes close up.
    """
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
        text = "".join([c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)])
    text = text.lower().replace("'", "").replace("\u2019", "")
    spaced = text.translate(_ASCII_PLAIN) if text.isascii() else _NOT_PLAIN.sub(" ", text)
    return " ".join(spaced.split()).replace(f" {_TURN_END}", _TURN_END).replace(f"{_TURN_END} ", _TURN_END)


def _with_digits(plain: str) -> str:
    """Number words as digits: "double five" 55, "oh" 0 among digits, "twelfth" 12, "six hundred" 600."""
    text = _NUMBER_WORD.sub(lambda match: _NUMBER_WORDS[match.group()], plain)
    text = _ORDINAL_DIGITS.sub(r"\1", text)
    if "double" in text or "triple" in text:
        text = _REPEATED.sub(lambda match: match[2] * (2 if match[1] == "double" else 3), text)
    text, zeros = _ZERO_LETTER.subn("0", text)
    if zeros:
        text = _ZERO_LETTER.sub("0", text)
    if "hundred" not in text:
        return text
    return _HUNDREDS.sub(lambda match: str(int(match[1]) * 100 + int(match[2] or 0)), text)


def _leaks(fact: PersonalFact, text: _Text) -> Iterator[str]:
    kind = fact.type.upper()
    forms = [_plain(form) for form in (fact.value, *fact.spoken)]
    everyday = word_list("pii", "ordinary_names")
    if any(_stands(form, text.words) for form in forms if len(form) >= _SHORTEST_TEXT and form not in everyday):
        yield fact.type
    if "NAME" in kind and "USER" not in kind:
        yield from _leaked_name(fact, text)
    elif "@" in fact.value:
        yield from _leaked_email(fact, text)
    elif dates := _dates(fact.value):
        yield from _leaked_date(fact, dates, text)
    else:
        yield from _leaked_number(fact, text)
    if "ADDRESS" in kind:
        yield from _leaked_address(fact, text)


def _stands(words: str, text: str) -> bool:
    return bool(words) and f" {words} " in text


def _leaked_name(fact: PersonalFact, text: _Text) -> Iterator[str]:
    for part in re.split(r"[\s\-.,]+", fact.value):
        word = _plain(part).replace(" ", "")
        if len(word) < _SHORTEST_NAME or not word.isalpha():
            continue
        is_word_too = word in word_list("pii", "ordinary_names")
        has_digits = (
            len(word) >= _SHORTEST_WITH_DIGITS
            and word in text.words
            and re.search(rf"(?<![^\W\d_]){word}(?=\d)", text.words)
        )
        stands = _stands(word, text.words) and (not is_word_too or _stands_as_a_name(part, text.original))
        if stands or has_digits:
            yield f"{fact.type} part"
        if _stands(" ".join(word), text.numbered):
            yield f"{fact.type} spelled"
    if _runs_together(fact.value, text.words):
        yield f"{fact.type} as a user name"


def _runs_together(name: str, words: str) -> bool:
    """Whether first and last name stand as one word, either way round, or one of them with the other's initial."""
    parts = [word for part in re.split(r"[\s\-.,]+", name) if (word := _plain(part).replace(" ", "")).isalpha()]
    first, last = (parts[0], parts[-1]) if len(parts) > 1 else ("", "")
    if min(len(first), len(last)) < 2:
        return False
    whole = (first + last, last + first)
    short = [form for one, other in ((first, last), (last, first)) for form in (one[0] + other, other + one[0])]
    # "S. Will" run together is a word; digits or length make it a user name.
    told = [
        form if form in whole or len(form) >= _TELLING_USER_NAME else rf"(?:(?<=\d){form}|{form}(?=\d))"
        for form in (*whole, *short)
        if form in words
    ]
    return bool(told) and re.search(rf"(?<![^\W\d_])(?:{'|'.join(told)})(?![^\W\d_])", words) is not None


def _stands_as_a_name(part: str, original: str) -> bool:
    """Whether a name that is also a word ("Will", "May") stands capitalised inside a sentence somewhere."""
    start = original.find(f" {part}")
    while start >= 0:
        before, after = original[:start], original[start + 1 + len(part) :]
        is_whole = not after[:1].isalnum()
        is_inside = before[-1:].islower() or before[-1:] == ","
        is_month = part.lower() in _MONTHS and (
            before.split(" ")[-1].lower() in _BEFORE_MONTHS or after[:2].strip().isdigit()
        )
        if is_whole and is_inside and not is_month:
            return True
        start = original.find(f" {part}", start + 1)
    return False


def _leaked_email(fact: PersonalFact, text: _Text) -> Iterator[str]:
    local = re.sub(r"[^a-z0-9]", "", fact.value.split("@")[0].lower())
    whole = re.sub(r"[^a-z0-9]", "", fact.value.lower())
    if whole in text.squeezed:
        yield fact.type
    elif any(char.isdigit() for char in local) and len(local) >= 5 and local in text.squeezed:
        yield f"{fact.type} name"


def _dates(value: str) -> list[tuple[int, int, int]]:
    """(year, month, day) of a written date; both orders of a numeric one that could be read either way."""
    if match := re.fullmatch(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*", value):
        return [(int(match[1]), int(match[2]), int(match[3]))]
    if match := re.fullmatch(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\s*", value):
        return [(int(match[3]), int(match[1]), int(match[2]))]
    plain = _with_digits(_plain(value))
    if match := re.fullmatch(rf"({'|'.join(_MONTHS)}) (\d{{1,2}}) (\d{{4}})", plain):
        return [(int(match[3]), _MONTHS.index(match[1]) + 1, int(match[2]))]
    return []


def _leaked_date(fact: PersonalFact, dates: Sequence[tuple[int, int, int]], text: _Text) -> Iterator[str]:
    for year, month, day in dates:
        name = _MONTHS[month - 1]
        said = (f"{name} {day}", f"{name} the {day}", f"{day} of {name}", f"{day} {name}", f"{name[:3]} {day}")
        if any(_stands(form, text.numbered) and not _has_other_year(form, year, text.numbered) for form in said):
            yield f"{fact.type} day and month"
        with_year = (f"{name} {year}", f"{name} {year // 100} {year % 100}", f"{name} of {year}")
        if any(_stands(form, text.numbered) for form in with_year):
            yield f"{fact.type} month and year"
        digits = [f"{month:02d}{day:02d}{year}", f"{month}{day}{year}", f"{year}{month:02d}{day:02d}"]
        if any(form in text.runs for form in digits):
            yield fact.type


def _has_other_year(form: str, year: int, numbered: str) -> bool:
    """Whether every place of the day is followed by another year, which makes it another date."""
    years = re.findall(rf" {form} ((?:19|20)(?: ?\d\d))\b", numbered)
    places = numbered.count(f" {form} ")
    return len(years) == places and all(found.replace(" ", "") != str(year) for found in years)


def _leaked_number(fact: PersonalFact, text: _Text) -> Iterator[str]:
    digits = re.sub(r"\D", "", fact.value)
    code = re.sub(r"[^a-z0-9]", "", fact.value.lower())
    if len(code) >= _SHORTEST_NUMBER and len(digits) >= 4 and code != digits and code in text.squeezed:
        yield fact.type
    if len(digits) >= _SHORTEST_NUMBER and "ADDRESS" not in fact.type.upper():
        if any(digits in stream for stream in text.digits):
            yield fact.type
        elif _tells_by_its_digits(fact, digits, text):
            yield f"{fact.type} in part"
        if digits[-4:] in text.pieces:
            yield f"{fact.type} last four digits"


def _tells_by_its_digits(fact: PersonalFact, digits: str, text: _Text) -> bool:
    """Whether some speaker's digits hold a run of the number's that is long enough to tell whose it is."""
    length = _TELLING_PHONE_DIGITS if "PHONE" in fact.type.upper() else _TELLING_DIGITS
    runs = {digits[place : place + length] for place in range(len(digits) - length + 1)}
    return any(run in stream for run in runs if _FICTION not in run for stream in text.digits)


def _leaked_address(fact: PersonalFact, text: _Text) -> Iterator[str]:
    """The street line with its number in digits or words, and the ZIP code."""
    street = _with_digits(_plain(fact.value.split(",")[0])).replace(" ", "")
    if street[:1].isdigit() and street in text.squeezed:
        yield f"{fact.type} street"
    zip_code = re.search(r"\b(\d{5})(?:-\d{4})?\s*$", fact.value)
    if zip_code and zip_code[1] in text.runs:
        yield f"{fact.type} ZIP"
