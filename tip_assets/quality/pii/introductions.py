"""Names nobody told us of: where someone introduces themselves or is addressed with a title.

A name found so is looked for in the rest of the call as well (name_repeats.py).
"""

import re
from collections.abc import Iterable, Iterator

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.triggers import (
    ADDRESSED,
    ASKS_A_NAME,
    I_AM,
    INTRODUCED,
    INTRODUCED_LOWER,
    SPELLED,
    THIS_IS_LOWER,
    TITLE,
    Triggers,
)
from tip_assets.quality.word_lists import word_list

_CAPITALISED = r"[A-Z\u00c0-\u00de][^\W\d_]{1,25}(?:['\u2019-][A-Z\u00c0-\u00de]?[^\W\d_]{1,25})?"
_FULL = rf"{_CAPITALISED}(?:\s(?:[A-Z]\.\s)?{_CAPITALISED}){{0,2}}"
_AFTER_TITLE = re.compile(rf"\b(?:Mr|Mrs|Ms|Dr|Miss|Mister|Doctor|Nurse|Prof|Professor)\.?\s({_FULL})")
_INTRODUCED = re.compile(
    rf"\b(?:[Mm]y name is|[Mm]y name's|[Tt]he name is|[Nn]ame's|[Tt]his is|[Ss]peaking with|[Ss]poke (?:with|to)"
    rf"|[Tt]alking to|[Cc]all me|[Aa]sk for|(?:[Ff]irst|[Ll]ast|[Ff]ull|[Mm]iddle|[Mm]aiden) name is"
    rf"|[Uu]nder the name|[Nn]amed|[Hh]usband|[Ww]ife|[Ss]on|[Dd]aughter|[Mm]other|[Ff]ather|[Ss]ister|[Bb]rother),?"
    rf"\s(?:(?:uh|um|it's|is),?\s)?({_FULL})"
)
# Speech recognised without capitals, only after words that nothing but a name follows.
_INTRODUCED_LOWER = re.compile(
    r"\b(?:my name is|my name's|the name is|(?:first|last|full|middle|maiden) name is)\s(?:uh\s|um\s)?"
    r"([a-z]{2,20}(?:['-][a-z]{2,20})?)(?:\s([a-z]{2,20}(?:['-][a-z]{2,20})?))?"
)
_THIS_IS_LOWER = re.compile(r"\bthis is ([a-z]{2,20})(?: ([a-z]{2,20}))?(?=,| (?:with|from|at|calling|speaking|in)\b)")
_I_AM = re.compile(rf"\b(?:I'm|I\u2019m|I am|[Ii]t's|[Ii]t\u2019s)\s({_FULL})")
_ADDRESSED = re.compile(
    rf"\b(?:[Tt]hank you|[Tt]hanks|[Hh]i|[Hh]ello|[Gg]ood (?:morning|afternoon|evening)|[Oo]kay|[Ss]orry|[Bb]ye)"
    rf"(?: so much| very much| there)?,?\s({_CAPITALISED})(?=[,.!?]|$)"
)
_LONGEST_ORGANISATION_WORD = 20
# The answer to a question for a name begins with it.
_ASKS_A_NAME = re.compile(r"(?<!my )\bname\b[^?.!]{0,80}\?", re.IGNORECASE)
_ANSWERS_WITH_A_NAME = re.compile(
    r"(?:(?:[Ss]ure|[Yy]es|[Yy]eah|[Oo]kay|[Uu]h|[Uu]m|[Oo]f course|[Ii]t's|[Tt]hat's)(?: thing)?[,.]?\s){0,3}"
    rf"({_FULL})"
)
_ANSWERS_IN_LOWER_CASE = re.compile(
    r"(?:(?:sure|yes|yeah|okay|uh|um|of course|it's|that's|hi|hello)(?: thing)?[,.]?\s){0,3}"
    r"([a-z]{2,20}(?:\s[a-z]{2,20}(?:['-][a-z]{2,20})?){0,2})(?=[,.]|$)"
)
_SPELLED = re.compile(r"\b[A-Za-z](?:[-.,]\s?[A-Za-z]){2,20}\b(?![-.'\u2019][A-Za-z]{2})")
_NAME_IS_SPELLED = re.compile(r"\b(?:name|spell\w*|spelled)\b", re.IGNORECASE)
_REACH = 200
# Capitalised words that follow an introduction without being a name.
_NO_NAME = word_list("pii", "no_name")
_ORGANISATION_NEXT = re.compile(
    r"\s(?:Phone|Mobile|Cable|Broadband|Internet|Networks?|Connect|Group|Mutual|Supply|Goods|Home|Outfitters|"
    r"Health|Healthcare|Insurance|Bank|Support|Services?|Care|Pharmacy|Clinic|Hospital|Medical|Wireless|Telecom|"
    r"Communications|Cellular|Telephone|Electric|Energy|Dental|Airlines|Airways|Company|Solutions|"
    r"Inc|LLC|Corp|Store|Retail|Customer|Billing)\b"
)


_CAPITALISED_INTRODUCTIONS = (
    (TITLE, _AFTER_TITLE),
    (INTRODUCED, _INTRODUCED),
    (I_AM, _I_AM),
    (ADDRESSED, _ADDRESSED),
)


def by_introduction(call: CallText, triggers: Triggers) -> Iterator[Found]:
    """Yields names where someone is introduced, addressed with a title, asked for a name, or spells one."""
    for trigger, pattern in _CAPITALISED_INTRODUCTIONS:
        for match in _matches(call, triggers.turns(trigger), pattern):
            end = _end_of_name(call.text, *match.span(1))
            named = _ORGANISATION_NEXT.search(call.text, match.start(1), end + _LONGEST_ORGANISATION_WORD)
            if end > match.start(1) and not (named and named.start() <= end):
                yield Found(match.start(1), end, "NAME", False)
    yield from _answers(call, triggers)
    yield from _in_lower_case(call, triggers)
    for match in _matches(call, triggers.turns(SPELLED), _SPELLED):
        if _NAME_IS_SPELLED.search(call.said_around(match.start(), _REACH)):
            yield Found(match.start(), match.end(), "NAME", False)


def is_an_organisation(text: str, end: int) -> bool:
    """Whether a word that names organisations ("Health", "Bank") follows at `end`."""
    return _ORGANISATION_NEXT.match(text, end) is not None


def _matches(call: CallText, turns: Iterable[int], pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    for turn in turns:
        yield from pattern.finditer(call.text, *call.turn_range(turn))


def _in_lower_case(call: CallText, triggers: Triggers) -> Iterator[Found]:
    turns = [turn for turn in triggers.turns(THIS_IS_LOWER) if not call.has_capitals_at(call.turn_starts[turn])]
    introduced = _matches(call, triggers.turns(INTRODUCED_LOWER), _INTRODUCED_LOWER)
    for match in (*introduced, *_matches(call, turns, _THIS_IS_LOWER)):
        words = [group for group in match.groups() if group]
        named = len(words) if all(word not in _NO_NAME for word in words) else 1
        if words[0] not in _NO_NAME:
            yield Found(match.start(1), match.end(named), "NAME", False)


def _answers(call: CallText, triggers: Triggers) -> Iterator[Found]:
    """The name a turn begins with when the turn before asks for one."""
    for asking in triggers.turns(ASKS_A_NAME):
        turn = asking + 1
        if turn == len(call.turns) or not _ASKS_A_NAME.search(call.asked_before(turn, _REACH)):
            continue
        match = _ANSWERS_WITH_A_NAME.match(call.text, *call.turn_range(turn))
        if match is None:
            yield from _answer_in_lower_case(call, turn)
            continue
        end = _end_of_name(call.text, *match.span(1))
        if end > match.start(1):
            yield Found(match.start(1), end, "NAME", False)


def _answer_in_lower_case(call: CallText, turn: int) -> Iterator[Found]:
    match = _ANSWERS_IN_LOWER_CASE.match(call.text, *call.turn_range(turn))
    if match and not call.has_capitals_at(match.start()) and _NO_NAME.isdisjoint(match[1].split()):
        yield Found(*match.span(1), "NAME", False)


def _end_of_name(text: str, start: int, end: int) -> int:
    """Where the name ends: before the first word of it that cannot be one."""
    for match in re.finditer(r"[^\s]+", text[start:end]):
        word = match.group().strip(".").lower().replace("\u2019", "'")
        if word in _NO_NAME or word.removesuffix("'s") in _NO_NAME:
            return start + len(text[start : start + match.start()].rstrip())
    return end - 2 if text[end - 2 : end] in ("'s", "\u2019s") else end
