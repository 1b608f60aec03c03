"""Personal data that can be told by its shape alone: addresses on the net, card numbers, phone numbers.

Every pattern is bounded and begins with something rare, so that a turn of any length takes linear time.
Numbers that mean something only by the words around them are in contexts.py, names in introductions.py,
street addresses in addresses.py.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.checks import MEDICARE_ID, is_card_number, is_iban, is_imei
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.spoken import UNITS
from tip_assets.quality.pii.triggers import (
    COLONS,
    DOT,
    EMAIL,
    IBAN,
    IP,
    LONG_DIGITS,
    MEDICARE_SHAPE,
    PLUS_PHONE,
    SSN,
    TOP_LEVEL,
    URL,
    US_PHONE,
    VIN,
    Triggers,
)
from tip_assets.quality.word_lists import word_list

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}")
_URL = re.compile(
    rf"\b(?:https?://[^\s\x00]{{1,2000}}|www\.[^\s\x00]{{1,500}}"
    rf"|(?:[a-z0-9-]{{1,63}}\.){{1,4}}(?:{TOP_LEVEL})\b(?:/[^\s\x00]{{0,500}})?)",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\d]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:])(?:(?:[0-9A-Fa-f]{1,4}:){4,7}[0-9A-Fa-f]{1,4}|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,5}"
    r"::(?:[0-9A-Fa-f]{1,4}:){0,5}[0-9A-Fa-f]{1,4})(?![\w:])"
)
_MAC = re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])")
_SSN = re.compile(r"(?<![\w-])(?!000|666|9\d\d)\d{3}([ -])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
_US_PHONE = re.compile(r"(?<![\w$.-])(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]?\d{4}(?![\w-]|\.\d)")
_INTERNATIONAL_PHONE = re.compile(r"\+\d{1,3}(?:[ .()-]{0,2}\d{1,4}){2,6}(?!\w)")
_CARD = re.compile(r"(?<![\w$.-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)")
_VIN = re.compile(r"(?<!\w)(?=[A-HJ-NPR-Z0-9]{0,16}\d)(?=\d{0,16}[A-HJ-NPR-Z])[A-HJ-NPR-Z0-9]{17}(?!\w)")
_MEDICARE_ID = re.compile(rf"(?<!\w){MEDICARE_ID}(?!\w)", re.IGNORECASE)
# "smith at gmail dot com": the core; the words of the local part are walked to the left of it.
_SPOKEN_DOMAIN = re.compile(
    rf"\b(?:(?P<at>at|@) ?(?P<host>[a-z0-9-]{{1,40}}(?: [a-z0-9-]{{1,40}})?)|(?P<site>[a-z0-9-]{{2,40}}))"
    rf" dot (?P<top>{TOP_LEVEL})\b",
    re.IGNORECASE,
)
# Words that come before an email address rather than belonging to it.
_BEFORE_AN_EMAIL = word_list("pii", "before_an_email")
_MOST_LOCAL_WORDS = 10
_BESIDE_SPELLED = frozenset({"dot", "at", "underscore", *UNITS})
# Spelled letters come on top of the words.
_MOST_LOCAL_TOKENS = 60


class _Shape(NamedTuple):
    """A pattern, the trigger that says where it could match, and a check that its matches have to pass."""

    trigger: int
    pattern: re.Pattern[str]
    type: str
    accepts: Callable[[str], bool] | None = None


def by_shape(call: CallText, triggers: Triggers) -> Iterator[Found]:
    """Yields everything that has the shape of personal data; places may overlap."""
    yield from _spoken_emails(call, triggers)
    for trigger, pattern, kind, accepts in _SHAPES:
        if trigger not in triggers:
            continue
        for turn in triggers.turns(trigger):
            for match in pattern.finditer(call.text, *call.turn_range(turn)):
                if accepts is None or accepts(match.group()):
                    yield Found(match.start(), match.end(), kind, False)


def _is_link(text: str) -> bool:
    # "okay.so" or "e.g.us" are no addresses: the name before the last dot has at least three characters.
    lowered = text.lower()
    return "://" in lowered or lowered.startswith("www.") or len(lowered.split("/")[0].rsplit(".", 1)[0]) >= 3


def _spoken_emails(call: CallText, triggers: Triggers) -> Iterator[Found]:
    for turn in triggers.turns(DOT):
        for match in _SPOKEN_DOMAIN.finditer(call.text, *call.turn_range(turn)):
            if match["site"]:
                yield Found(match.start(), match.end(), "URL", False)
                continue
            token = call.token_at.get(match.start()) if match["at"] != "@" else None
            start = _local_part_start(call, token) if token is not None else None
            if start is not None:
                yield Found(start, match.end(), "EMAIL", False)
            else:
                yield Found(match.start("host"), match.end(), "URL", False)


def _local_part_start(call: CallText, at_token: int) -> int | None:
    """Where the words before "at" begin to be part of the address; None when none are."""
    first = None
    words = 0
    for token in range(at_token - 1, max(-1, at_token - 1 - _MOST_LOCAL_TOKENS), -1):
        if call.turn_of_token[token] != call.turn_of_token[at_token] or _is_before_an_email(call, token):
            break
        if set(call.gaps[token + 1]) & set(".!?:;,\n") and call.gaps[token + 1] != ".":
            break
        words += len(call.words[token]) > 1
        if words > _MOST_LOCAL_WORDS:
            break
        first = token
    return call.starts[first] if first is not None else None


def _is_before_an_email(call: CallText, token: int) -> bool:
    """Whether a word does not belong to the address that follows; a letter among spelled ones does."""
    word = call.words[token]
    if word not in _BEFORE_AN_EMAIL:
        return False
    around = (call.previous_in_turn(token), call.next_in_turn(token))
    beside = [call.words[other] for other in around if other is not None]
    return len(word) > 1 or not all(len(other) == 1 or other in _BESIDE_SPELLED for other in beside)


_SHAPES = (
    _Shape(EMAIL, _EMAIL, "EMAIL"),
    _Shape(URL, _URL, "URL", _is_link),
    _Shape(IP, _IPV4, "IP_ADDRESS"),
    _Shape(COLONS, _IPV6, "IP_ADDRESS", lambda found: not _MAC.fullmatch(found)),
    _Shape(COLONS, _MAC, "MAC_ADDRESS"),
    _Shape(SSN, _SSN, "SSN"),
    _Shape(US_PHONE, _US_PHONE, "PHONE"),
    _Shape(PLUS_PHONE, _INTERNATIONAL_PHONE, "PHONE"),
    _Shape(LONG_DIGITS, _CARD, "CREDIT_DEBIT_NUMBER", lambda found: is_card_number(found) and not is_imei(found)),
    _Shape(LONG_DIGITS, _CARD, "DEVICE_ID", is_imei),
    _Shape(MEDICARE_SHAPE, _MEDICARE_ID, "MEDICARE_ID"),
    _Shape(IBAN, _IBAN, "INTERNATIONAL_BANK_ACCOUNT_NUMBER", is_iban),
    _Shape(VIN, _VIN, "VEHICLE_IDENTIFICATION_NUMBER"),
)
