"""Street addresses by their shape: a number, up to four words and a street word, with what follows."""

import re
from collections.abc import Iterator

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.states import STATE_CODES, STATE_NAMES
from tip_assets.quality.pii.street_words import STREET_SUFFIX_WORDS
from tip_assets.quality.pii.triggers import STREET, ZIP_OR_BOX, Triggers
from tip_assets.quality.word_lists import word_list

# Also everyday words: in lower case they end an address only where one is being asked for or given.
_EVERYDAY_SUFFIXES = word_list("pii", "everyday_street_suffixes")
_NOT_A_STREET = word_list("pii", "not_in_a_street")
_ADDRESS_WORDS = re.compile(r"\b(?:address|live|lives|living|street|mailing|moved|deliver\w*|ship\w*|house)\b", re.I)
_MOST_STREET_WORDS = 4
_REACH = 200
# After the street: a unit, a city, a state, a ZIP code, each of them optional.
_TAIL = re.compile(
    rf"""\.?
    (?:,?\s{{1,3}}(?:(?i:apt|apartment|unit|suite|ste|number)|\#)\.?\s?\#?(?:[A-Za-z]?\d{{1,5}}[A-Za-z]?|[A-Z])\b)?
    (?:,\s{{1,3}}(?:in\s)?[A-Z][A-Za-z.]{{1,20}}(?:\s[A-Z][A-Za-z.]{{1,20}}){{0,2}}(?=,|\s(?:{STATE_CODES})\b))?
    (?:,?\s{{1,3}}(?:{STATE_CODES}|(?i:{STATE_NAMES}))\b)?
    (?:,?\s{{1,3}}\d{{5}}(?:-\d{{4}})?\b)?""",
    re.VERBOSE,
)
_STATE_ZIP = re.compile(rf"\b(?:{STATE_CODES}|(?i:{STATE_NAMES})),?\s{{1,2}}(\d{{5}}(?:-\d{{4}})?)\b")
_PO_BOX = re.compile(r"\bP\.?\s?O\.?\s?Box\s{1,3}\d{1,7}\b", re.IGNORECASE)


def by_street(call: CallText, triggers: Triggers) -> Iterator[Found]:
    """Yields street addresses, PO boxes, and ZIP codes that follow a state."""
    for turn in triggers.turns(ZIP_OR_BOX):
        for match in _STATE_ZIP.finditer(call.text, *call.turn_range(turn)):
            yield Found(match.start(1), match.end(1), "ADDRESS", False)
        for match in _PO_BOX.finditer(call.text, *call.turn_range(turn)):
            yield Found(match.start(), match.end(), "ADDRESS", False)
    if triggers.turns(STREET):
        yield from _streets(call)


def _streets(call: CallText) -> Iterator[Found]:
    for token in [token for token, word in enumerate(call.words) if word in STREET_SUFFIX_WORDS]:
        first = _house_number(call, token)
        if first is None or not _is_street(call, first, token):
            continue
        end = call.ends[token]
        tail = _TAIL.match(call.text, end)
        yield Found(call.starts[first], tail.end() if tail else end, "ADDRESS", False)


def _house_number(call: CallText, suffix: int) -> int | None:
    """The first token of the number before the street's words, or None when there is none."""
    for token in range(suffix - 1, max(-1, suffix - 2 - _MOST_STREET_WORDS), -1):
        if call.turn_of_token[token] != call.turn_of_token[suffix] or call.words[token] in _NOT_A_STREET:
            return None
        if set(call.gaps[token + 1]) & set(",!?;:$"):
            return None
        if token not in call.number_to:
            continue
        first = call.number_to[token].first
        # "Fifth Avenue", "42nd Street": an ordinal is the street's name, its number stands before.
        is_next_to_suffix = token == suffix - 1
        while first - 1 in call.number_to and not call.gaps[first].strip(" -"):
            first = call.number_to[first - 1].first
            is_next_to_suffix = False
        if not is_next_to_suffix:
            return first
    return None


def _is_street(call: CallText, first: int, suffix: int) -> bool:
    if call.words[suffix] not in _EVERYDAY_SUFFIXES:
        return True
    # "at four with Dr. Patel" is no Drive: the word before is written like a street's name, or it is no street.
    if call.is_capitalised(suffix):
        return call.is_capitalised(suffix - 1)
    return _ADDRESS_WORDS.search(call.said_around(call.starts[first], _REACH)) is not None
