"""Scrubbing `annotations.extra`: fields of the input we do not know, of any depth and kind."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

# `tip generate` leaves the personas' facts here for `tip scrub`; they never go further.
PERSONAL_FACTS = "personal_facts"
# Which draw of surrogates a call takes, where the first made up another fact of its speakers by chance.
SURROGATE_DRAW = "surrogate_draw"
STAYS_AT_HOME = frozenset({PERSONAL_FACTS, SURROGATE_DRAW})
_MOST_DEPTH = 50
# A number this long in a field is a telephone or account number, whatever the field is called.
_LONG_NUMBER = 7

# Fields whose name says that the value is personal, with what it then is. Matched on the whole field name.
_PERSONAL_FIELDS = tuple(
    (re.compile(rf"(?:[a-z]+_)?(?:{names})"), kind)
    for names, kind in (
        ("first_?name|last_?name|full_?name|given_?name|family_?name|sur_?name|display_?name|maiden_?name", "NAME"),
        ("(?:agent|caller|customer|patient|speaker|user|member|client|contact|provider|doctor)_?name|name", "NAME"),
        ("e_?mail(?:_?address)?", "EMAIL"),
        ("phone(?:_?number)?|mobile|cell|fax|ani|caller_?id", "PHONE"),
        ("ssn|social_?security(?:_?number)?", "SSN"),
        ("address|street|city|zip(?:_?code)?|postal_?code", "ADDRESS"),
        ("dob|date_?of_?birth|birth_?(?:date|day)", "DATE_OF_BIRTH"),
        ("(?:credit_?|debit_?)?card(?:_?number)?", "CREDIT_DEBIT_NUMBER"),
        ("account(?:_?(?:number|id|no))?", "ACCOUNT_NUMBER"),
        ("member_?id|subscriber_?id|policy_?(?:number|id)|mrn|medical_?record(?:_?number)?", "MEMBER_ID"),
        ("ip(?:_?address)?", "IP_ADDRESS"),
    )
)


class Scrubber(NamedTuple):
    """How a text is scrubbed, and what stands for a value of a type: (type, value) -> replacement."""

    scrub: Callable[[str], str]
    replace: Callable[[str, str], str]


def scrubbed_extra(extra: Mapping[str, Any], scrubber: Scrubber) -> dict[str, Any]:
    """`extra` with every string scrubbed, keys too, and personal fields replaced whole; what stays at home dropped."""
    kept = {key: value for key, value in extra.items() if key not in STAYS_AT_HOME}
    return {scrubber.scrub(key): _scrubbed(value, key, scrubber, 0) for key, value in kept.items()}


def _scrubbed(value: Any, key: str, scrubber: Scrubber, depth: int) -> Any:
    if depth > _MOST_DEPTH:
        return scrubber.replace("PII", "")
    if isinstance(value, Mapping):
        return {
            scrubber.scrub(str(inner)): _scrubbed(item, str(inner), scrubber, depth + 1)
            for inner, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_scrubbed(item, key, scrubber, depth + 1) for item in value]
    return _scrubbed_leaf(value, key, scrubber)


def _scrubbed_leaf(value: Any, key: str, scrubber: Scrubber) -> Any:
    if value is None or value == "" or isinstance(value, bool):
        return value
    if kind := _personal_kind(key):
        return scrubber.replace(kind, str(value))
    if isinstance(value, str):
        return scrubber.scrub(value)
    if isinstance(value, int | float):
        return _scrubbed_number(value, scrubber)
    return scrubber.replace("PII", str(value))


def _scrubbed_number(value: int | float, scrubber: Scrubber) -> int | float | str:
    text = str(value)
    scrubbed = scrubber.scrub(text) if isinstance(value, int) and len(text) >= _LONG_NUMBER else text
    return value if scrubbed == text else scrubbed


def _personal_kind(key: str) -> str | None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower().replace("-", "_").replace(" ", "_")
    return next((kind for pattern, kind in _PERSONAL_FIELDS if pattern.fullmatch(name)), None)
