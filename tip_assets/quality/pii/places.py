"""Cities and counties: before a state, after words that tell where someone lives, or as a county.

A city that is mentioned in passing is found only when its name is in the list of large cities and nothing else;
states, regions and countries may stay (45 CFR 164.514(b)(2)(i)(B)).
"""

import re
from collections.abc import Iterator

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.states import STATE_CODES, STATE_NAMES
from tip_assets.quality.pii.triggers import CITY_ASKED, CITY_STATE, COUNTY, LARGE_CITY, LIVES_IN, Triggers
from tip_assets.quality.word_lists import word_list

_CITY = r"(?:(?:St|Ft|Mt)\.\s)?[A-Z\u00c0-\u00de][^\W\d_]{1,20}(?:[ -][A-Z\u00c0-\u00de][^\W\d_]{1,20}){0,2}"
_CITY_STATE = re.compile(rf"\b(?P<city>{_CITY}),\s(?:{STATE_CODES}|{STATE_NAMES})\b")
_COUNTY = re.compile(rf"\b(?P<city>{_CITY}\s(?:County|Parish|Township|Borough))\b")
_HOME = (
    r"\b(?:live|lives|lived|living|moved|moving|relocated|born|raised|grew up|based|residing|resides?|stay|staying)"
    r"(?:\s(?:over|out|here|down|up|back|to|right|just))?\s(?:in|to|near|at|from|outside)\s(?:the city of\s)?"
)
_LIVES_IN = re.compile(rf"{_HOME}(?P<city>{_CITY})")
_LIVES_IN_LOWER = re.compile(rf"{_HOME}(?P<city>[a-z]{{3,15}}(?:\s[a-z]{{3,15}})?)")
_ASKED = re.compile(
    rf"(?:(?:[Ii]t's|[Tt]hat's|[Ii]n|[Uu]h|[Uu]m|[Ss]ure|[Yy]es|[Oo]kay),?\s){{0,2}}(?P<city>{_CITY})"
    rf"(?=[,.!?]|\s(?:{STATE_CODES})\b|$)"
)
_NO_CITY = word_list("pii", "no_city")
_LARGE = word_list("pii", "large_cities")
_COUNTY_WORDS = frozenset({"County", "Parish", "Township", "Borough"})
_STATE = re.compile(rf"(?:{STATE_NAMES})")


def by_place(call: CallText, triggers: Triggers) -> Iterator[Found]:
    """Yields cities and counties as ADDRESS."""
    for trigger, pattern in ((CITY_STATE, _CITY_STATE), (COUNTY, _COUNTY), (LIVES_IN, _LIVES_IN)):
        for turn in triggers.turns(trigger):
            yield from _cities(pattern.finditer(call.text, *call.turn_range(turn)))
    for turn in triggers.turns(CITY_ASKED):
        if turn + 1 < len(call.turns) and (match := _ASKED.match(call.text, *call.turn_range(turn + 1))):
            yield from _cities(iter((match,)))
    yield from _in_lower_case(call, triggers)


def _cities(matches: Iterator[re.Match[str]]) -> Iterator[Found]:
    for match in matches:
        start, end = match.span("city")
        words = match["city"].split()
        while words and words[0].lower().strip(".") in _NO_CITY:
            start += len(words.pop(0)) + 1
        # "the County" is none.
        if not _COUNTY_WORDS.issuperset(words) and not _STATE.fullmatch(" ".join(words)):
            yield Found(start, end, "ADDRESS", False)


def _in_lower_case(call: CallText, triggers: Triggers) -> Iterator[Found]:
    for turn in triggers.turns(LARGE_CITY):
        for match in _LARGE_CITY.finditer(call.text, *call.turn_range(turn)):
            if match.group()[0].isupper() or not call.has_capitals_at(match.start()):
                yield Found(*match.span(), "ADDRESS", False)
    for turn in triggers.turns(LIVES_IN):
        if call.has_capitals_at(call.turn_starts[turn]):
            continue
        for match in _LIVES_IN_LOWER.finditer(call.text, *call.turn_range(turn)):
            first, _, second = match["city"].partition(" ")
            city = match["city"] if f"{first}_{second}" in _LARGE else first
            if city.replace(" ", "_") in _LARGE:
                yield Found(match.start("city"), match.start("city") + len(city), "ADDRESS", False)


_LARGE_CITY = re.compile(
    rf"\b(?:{'|'.join(sorted(city.replace('_', ' ') for city in _LARGE - word_list('pii', 'ambiguous_cities')))})\b",
    re.IGNORECASE,
)
