"""Everything to search for when one personal fact is known: its words, its digits, its parts.

A fact gives forms of five kinds, each found its own way (fact_finder.py). Recall comes first: a part of a
fact is a form of its own wherever it could identify someone alone.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

import msgspec

from tip_assets.quality.pii.call_text import CallText, fold, number_form, text_form
from tip_assets.quality.pii.dates import MONTH_NUMBERS, find_dates
from tip_assets.quality.pii.scan import as_ascii
from tip_assets.quality.pii.street_words import STREET_SUFFIX_WORDS, SUFFIX_VARIANTS
from tip_assets.quality.word_lists import word_list
from tip_resources.domain.persona import PersonalFact

NAME_PARTICLES = word_list("pii", "name_particles")
_UNIT_WORDS = ("apt", "apartment", "unit", "suite", "ste")
_STATE_AND_ZIP = re.compile(r"^(?:[A-Za-z]{2}|[A-Za-z ]{4,20})\s+(\d{5})(?:-\d{4})?$")
_SPACELESS_SCRIPT = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_LIKE_A_DATE = re.compile(rf"\d[-/.]\d|\b(?:{'|'.join(MONTH_NUMBERS)})\b", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_DIGITS = re.compile(r"\d+")
_BETWEEN_NAMES = re.compile(r"[\s\-,.]+")
_BETWEEN_LINES = re.compile(r"[,\n]")
_ONE_LETTER = re.compile(r"\b[A-Za-z]\b")
_AT = re.compile(r"@|\sat\s")
_NOT_COMPACT = bytes(set(range(1, 128)) - set(b"abcdefghijklmnopqrstuvwxyz0123456789"))
# A month and day alone is found through its date; a shorter number is searched for whole only.
LEAST_DIGITS = 4
_MOST_NAME_WORDS = 4
_SHORTEST_BESIDE_AN_INITIAL = 3


class DigitForm(msgspec.Struct, frozen=True):
    """A number to find in dictated digits; `parts` are pieces that count when they stand alone."""

    digits: str
    parts: frozenset[str]
    whole_only: bool


class Phrase(NamedTuple):
    """Words in a row, the same run together, and the needle without which they are not said; None where digits are."""

    words: list[str]
    text: str
    needle: bytes | None


class FactForms(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for. `is_name` makes words subject to the rule for ordinary words (names.py).

    `words`: single words of a name. `handles`: two of them run together, one perhaps as its initial. `phrases`:
    words that must stand as they are. `joined`: forms of the number stream, found between token borders.
    `codes`: letters and digits that may be spelled out.
    `dates`: (year or None, month, day). `literals`: text of scripts that do not put spaces between words.
    `needles`: what a turn must hold, as `compact` text, to be read for words, phrases, `joined` or codes; a turn with
    digits is read anyway.
    """

    type: str
    is_name: bool = False
    words: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    phrases: tuple[Phrase, ...] = ()
    joined: tuple[str, ...] = ()
    numbers: tuple[DigitForm, ...] = ()
    codes: tuple[str, ...] = ()
    dates: tuple[tuple[int | None, int, int], ...] = ()
    literals: tuple[str, ...] = ()
    needles: tuple[bytes, ...] = ()


@lru_cache(maxsize=4096)
def forms_of(fact: PersonalFact) -> FactForms:
    """The search forms of one fact, from its value and every way it is said."""
    said = [text for text in (fact.value, *fact.spoken) if text.strip()]
    kind = fact.type.upper()
    is_name = "NAME" in kind and "USER" not in kind
    is_address = any(word in kind for word in ("ADDRESS", "STREET", "CITY", "ZIP", "POSTAL", "LOCATION"))
    is_email = "EMAIL" in kind or "@" in fact.value
    joined = {number_form(text) for text in said if _has_digit_form(text) or is_email}
    if is_email:
        joined |= {number_form(local) for text in said if (local := _email_local_part(text))}
    if is_address:
        joined |= {form for text in said for form in _address_numbers(text)}
    dates = tuple(sorted({date for text in said for date in _dates_in(text)}, key=str)) if not is_email else ()
    words = _unique(word for text in said if not _is_spelled(text) for word in _name_words(text)) if is_name else ()
    phrases = _unique(phrase for text in said for phrase in _phrases(text, is_address))
    joined = _unique(form for form in sorted(joined, key=len, reverse=True) if len(form) > 1)
    codes = _unique(_spellable(fact, is_name=is_name, is_email=is_email))
    literals = tuple(text for text in said if _SPACELESS_SCRIPT.search(text))
    needles = _needles((*words, *map("".join, phrases), *joined, *codes, *literals))
    return FactForms(
        type=kind,
        is_name=is_name,
        words=words,
        handles=_unique(_handles(fact.value)) if is_name else (),
        # A name of one word is among the words.
        phrases=tuple(_phrase(words, needles) for words in phrases if len(words) > 1 or not is_name),
        joined=joined,
        numbers=_numbers(said, dates, is_address=is_address, is_email=is_email),
        codes=codes,
        dates=dates,
        literals=literals,
        needles=needles,
    )


def compact(text: bytes) -> bytes:
    """ASCII text as lower-case letters, digits and the zero bytes between turns, and nothing else."""
    return text.lower().translate(None, _NOT_COMPACT)


def _needles(texts: Iterable[str]) -> tuple[bytes, ...]:
    """The texts without digits as `compact` text, shortest first, and none that holds another."""
    found: list[bytes] = []
    for needle in sorted({compact(as_ascii(text)) for text in texts}, key=len):
        if needle.isalpha() and not any(shorter in needle for shorter in found):
            found.append(needle)
    return tuple(found)


def _phrase(words: tuple[str, ...], needles: Sequence[bytes]) -> Phrase:
    text = "".join(words)
    said = compact(as_ascii(text))
    return Phrase(list(words), text, next((needle for needle in needles if needle in said), None))


def _unique(items: Iterator) -> tuple:
    return tuple(dict.fromkeys(items))


def _has_digit_form(text: str) -> bool:
    return any(map(str.isdigit, number_form(text)))


def _is_spelled(text: str) -> bool:
    """Whether a spoken form spells letter by letter; its other words ("as in river") are no names."""
    return len(_ONE_LETTER.findall(text)) > 2 or " as in " in text.lower()


def _name_words(text: str) -> Iterator[str]:
    for part in _BETWEEN_NAMES.split(text):
        word = text_form(part)
        if len(word) > 1 and word not in NAME_PARTICLES and not word.isdigit():
            yield word


def _handles(value: str) -> Iterator[str]:
    """How a name is run together in user names: "mariasantos", "santosmaria", "msantos", "santosm"."""
    words = list(dict.fromkeys(_name_words(value)))[:_MOST_NAME_WORDS]
    for one, other in permutations(words, 2):
        yield one + other
        if len(other) >= _SHORTEST_BESIDE_AN_INITIAL:
            yield from (one[0] + other, other + one[0])


def _phrases(text: str, is_address: bool) -> Iterator[tuple[str, ...]]:
    whole = tuple(_TOKEN.findall(fold(text)))
    if whole:
        yield whole
    if not is_address:
        return
    for segment in _BETWEEN_LINES.split(text):
        words = tuple(_TOKEN.findall(fold(segment)))
        if not words or _STATE_AND_ZIP.match(segment.strip()) or len("".join(words)) < 3:
            continue
        if any(word.isdigit() for word in words):
            street = tuple(word for word in words if not word.isdigit())
            # "Maple Street" without its number; a suffix or direction alone is no address.
            if len(street) > 1 and street[-1] in STREET_SUFFIX_WORDS:
                yield from _with_suffix_variants(street)
        else:
            yield words


def _with_suffix_variants(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for suffix in SUFFIX_VARIANTS[words[-1]]:
        yield (*words[:-1], suffix)


def _address_numbers(text: str) -> Iterator[str]:
    """Number-stream forms of the street line and the unit: "1420maplestreet", "1420maple", "apt3b"."""
    for segment in _BETWEEN_LINES.split(text):
        words = fold(segment).split()
        if not words or not _has_digit_form(segment) or _STATE_AND_ZIP.match(segment.strip()):
            continue
        form = number_form(segment)
        yield form
        unit = next((word for word in _UNIT_WORDS if form.startswith(word) and form[len(word) :]), None)
        if unit:
            yield from (other + form[len(unit) :] for other in _UNIT_WORDS)
        last = words[-1].strip(".")
        if last in SUFFIX_VARIANTS and form.endswith(last):
            stem = form[: -len(last)]
            yield from (stem + suffix for suffix in SUFFIX_VARIANTS[last])
            yield stem


def _email_local_part(text: str) -> str:
    at = _AT.search(text)
    return text[: at.start()] if at else ""


def _dates_in(text: str) -> Iterator[tuple[int | None, int, int]]:
    if not _LIKE_A_DATE.search(text):
        return
    for mention in find_dates(CallText.of_text(text)):
        if mention.day is not None:
            yield mention.year, mention.month, mention.day


def _numbers(
    said: list[str], dates: tuple[tuple[int | None, int, int], ...], *, is_address: bool, is_email: bool
) -> tuple[DigitForm, ...]:
    if dates:
        digits = {form for year, month, day in dates if year for form in _date_digits(year, month, day)}
        return tuple(DigitForm(form, frozenset(), True) for form in sorted(digits))
    if is_email:
        return ()
    if is_address:
        zips = {match[1] for text in said for part in text.split(",") if (match := _STATE_AND_ZIP.match(part.strip()))}
        zips |= {found for text in said for found in re.findall(r"\b\d{5}\b(?=(?:-\d{4})?\s*$)", text)}
        return tuple(DigitForm(digits, frozenset(), True) for digits in sorted(zips))
    forms: dict[str, set[str]] = {}
    for text in said:
        groups = _DIGITS.findall(text) or _DIGITS.findall(number_form(text))
        digits = "".join(groups)
        if len(digits) >= LEAST_DIGITS:
            forms.setdefault(digits, set()).update(_number_parts(digits, groups))
    return tuple(DigitForm(digits, frozenset(parts), len(digits) < 7) for digits, parts in forms.items())


def _number_parts(digits: str, groups: list[str]) -> Iterator[str]:
    """Pieces people say alone: the last and first four to six digits, and the written groups and their joins."""
    for length in range(LEAST_DIGITS, min(7, len(digits))):
        yield digits[-length:]
        yield digits[:length]
    for first in range(len(groups)):
        for last in range(first + 1, len(groups) + 1):
            piece = "".join(groups[first:last])
            if len(piece) >= 3 and piece != digits:
                yield piece
    if len(digits) == 10:
        # How a US telephone number is grouped, whatever way it was written down.
        yield from (digits[:3], digits[3:6], digits[6:])


def _date_digits(year: int, month: int, day: int) -> Iterator[str]:
    full, short = str(year), f"{year % 100:02d}"
    for y in (full, short):
        yield f"{month:02d}{day:02d}{y}"
        yield f"{month}{day:02d}{y}"
        yield f"{month:02d}{day}{y}"
        yield f"{month}{day}{y}"
        yield f"{day:02d}{month:02d}{y}"
    yield f"{full}{month:02d}{day:02d}"


def _spellable(fact: PersonalFact, *, is_name: bool, is_email: bool) -> Iterator[str]:
    """What people spell out letter by letter: names, email local parts, numbers with letters in them."""
    if is_name:
        yield from (word for word in _name_words(fact.value) if len(word) >= 3)
    elif is_email:
        local = text_form(_email_local_part(fact.value))
        if len(local) >= 4:
            yield local
    else:
        code = text_form(fact.value)
        has_both = any(char.isdigit() for char in code) and any(char.isalpha() for char in code)
        is_one_code = len(re.findall(r"[^\W\d_]{6,}", fact.value)) == 0 and len(code) <= 30
        if len(code) >= 4 and is_one_code and (has_both or fact.value.isupper()):
            yield code
