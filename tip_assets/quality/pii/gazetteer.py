"""Names nobody introduced, by lists of given names and surnames and by where they stand.

The lists are Faker's (MIT) for English-speaking countries, India, Nigeria, Mexico and Spain: about 2,400 given
names and 4,600 surnames. A name that is in none of them and that nobody introduces stays unfound.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.introductions import is_an_organisation
from tip_assets.quality.pii.names import is_ordinary
from tip_assets.quality.pii.scan import as_ascii
from tip_assets.quality.pii.street_words import STREET_SUFFIX_WORDS
from tip_assets.quality.word_lists import word_list

_HOME = "en_US"
_LOCALES = (_HOME, "en_GB", "en_IE", "en_IN", "en_NG", "es_MX", "es_ES")
_GIVEN = ("first_names", "first_names_male", "first_names_female")
_SURNAMES = ("last_names",)
_SHORTEST = 3
_NO_NAME = word_list("pii", "no_name")
_NOT_ALONE = word_list("pii", "no_name_alone")
_REST_OF_A_NAME = re.compile(r" (?:[A-Z]\.? )?([A-Z][a-z]{1,20}(?:[-'][A-Z][a-z]{1,20})?)(?![A-Za-z])")
_WORD_NEXT = re.compile(r" ([A-Za-z]{1,30})")
# "A Solis 9" is a thing; what follows "the" may be a title's name: "the Doctor".
_ARTICLES = (" a ", " an ", "A ", "An ")
_OPENS = '\x00\n"-.!?'
_ENDS_AN_ADDRESS = re.compile(r"[,.!?]|'s\b|$|\x00")
_NOT_A_PERSON_NEXT = STREET_SUFFIX_WORDS | {"county", "parish", "beach", "city", "county's", "springs", "hall", "park"}


_NO_SURNAME = _NO_NAME | _NOT_A_PERSON_NEXT


class _Names(NamedTuple):
    """Folded names: all given names, those usual in the United States, and surnames."""

    given: frozenset[str]
    usual: frozenset[str]
    surnames: frozenset[str]


class _Hit(NamedTuple):
    """A whole word that is in one of the lists."""

    start: int
    end: int
    word: str


def by_gazetteer(call: CallText) -> Iterator[Found]:
    """Yields full names, and given names and surnames that stand alone where a name can stand."""
    names = _names()
    text = call.ascii.decode("ascii")
    hits = list(_hits(text, cased=True))
    if call.has_speakers_without_capitals:
        hits += [hit for hit in _hits(text.lower(), cased=False) if not call.has_capitals_at(hit.start)]
    after = -1
    for hit in hits:
        if hit.start < after:
            continue
        end = _end_of_full_name(text, hit, names) if text[hit.start].isupper() else _end_in_lower_case(text, hit, names)
        if end is not None:
            after = end
            yield Found(hit.start, end, "NAME", False)


@cache
def _names() -> _Names:
    given = {locale: _list_of(locale, _GIVEN) for locale in _LOCALES}
    surnames = frozenset().union(*(_list_of(locale, _SURNAMES) for locale in _LOCALES))
    return _Names(frozenset().union(*given.values()), given[_HOME], surnames)


def _list_of(locale: str, attributes: tuple[str, ...]) -> frozenset[str]:
    provider = import_module(f"faker.providers.person.{locale}").Provider
    listed = (as_ascii(name).decode().lower() for key in attributes for name in getattr(provider, key, ()))
    return frozenset(name for name in listed if name.isalpha() and len(name) >= _SHORTEST)


@cache
def _automaton(cased: bool):
    """All names capitalised, or the usual given names in lower case, compiled once per process."""
    from ahocorasick_rs import AhoCorasick, MatchKind

    names = _names()
    words = [name.title() for name in sorted(names.given | names.surnames)] if cased else sorted(names.usual)
    return AhoCorasick(words, matchkind=MatchKind.LeftmostLongest)


def _hits(text: str, *, cased: bool) -> Iterator[_Hit]:
    for _, start, end in _automaton(cased).find_matches_as_indexes(text):
        if not (text[end : end + 1].isalnum() or text[start - 1 : start].isalnum()):
            yield _Hit(start, end, text[start:end].lower())


def _end_of_full_name(text: str, hit: _Hit, names: _Names) -> int | None:
    """Where the name at `hit` ends, or None when the word is no name here."""
    is_certain = not is_ordinary(hit.word) and hit.word not in _NOT_ALONE
    rest = _REST_OF_A_NAME.match(text, hit.end) if hit.word in names.given else None
    if rest and rest[1].lower() not in _NO_SURNAME:
        surname = rest[1].lower().split("-")[0]
        is_listed = surname in names.surnames or surname in names.given
        is_apart = _follows_a_capital(text, hit.start)
        if is_listed and (is_certain or not (is_ordinary(surname) or surname in _NOT_ALONE)) and not is_apart:
            return rest.end()
        if is_certain and not is_apart and not is_an_organisation(text, rest.end()):
            return rest.end()
    return hit.end if is_certain and _stands_alone(text, hit, names) else None


def _stands_alone(text: str, hit: _Hit, names: _Names) -> bool:
    following = _WORD_NEXT.match(text, hit.end)
    if following and (following[1].lower() in _NOT_A_PERSON_NEXT or following[1][0].isupper()):
        return False
    if _follows_a_capital(text, hit.start) or text.endswith(_ARTICLES, 0, hit.start):
        return False
    if _starts_a_sentence(text, hit.start):
        is_addressed = _ENDS_AN_ADDRESS.match(text, hit.end) is not None
        return hit.word in names.given and (is_addressed or hit.word in names.usual)
    return True


def _follows_a_capital(text: str, start: int) -> bool:
    """Whether the word before is capitalised and no greeting or title: "Blue Shield", "Santa Clara"."""
    if start < 2 or text[start - 1] != " " or text[start - 2] == ",":
        return False
    space = text.rfind(" ", 0, start - 1)
    first = max(space, text.rfind("\x00", max(space, 0), start - 1)) + 1
    if not text[first].isupper() or text[first:start] == "I " or _starts_a_sentence(text, first):
        return False
    return text[first : start - 1].lower().strip(".'") not in _NO_NAME


def _starts_a_sentence(text: str, start: int) -> bool:
    """Whether nothing of the same sentence stands before `start`."""
    if start == 0 or text[start - 1] in _OPENS:
        return True
    return text[start - 1] == " " and text[start - 2] in ".!?"


def _end_in_lower_case(text: str, hit: _Hit, names: _Names) -> int | None:
    if is_ordinary(hit.word) or hit.word in _NOT_ALONE:
        return None
    rest = _WORD_NEXT.match(text, hit.end)
    return rest.end() if rest and rest[1] in names.surnames and not is_ordinary(rest[1]) else hit.end
