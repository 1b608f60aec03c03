"""Ages over 89, which HIPAA counts as identifying (45 CFR 164.514(b)(2)(i)(C)); younger ages stay."""

import re
from collections.abc import Iterator

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.triggers import AGE, OLD_AGE, Triggers

_AGES = (
    re.compile(rf"\b(?P<age>{OLD_AGE})[ -]{{1,2}}(?:years?|yrs?)(?:[ -](?:old|of age|young)\b|(?=[.,!?]|$))", re.I),
    re.compile(rf"\b(?:aged?|turned|turning|turns|at the age of|age of|age is)\s(?P<age>{OLD_AGE})\b", re.I),
    re.compile(
        rf"\b(?:he|she|i|who|mother|father|mom|dad|husband|wife|grandmother|grandfather|patient|gran|grandma|grandpa)"
        rf"(?:['\u2019](?:s|m)|\sis|\sam|\swas|\swill be)\s(?:now\s|almost\s|already\s|only\s)?(?P<age>{OLD_AGE})"
        rf"(?=[.,!?;]|\s(?:and|now|years|but|so|with|already|next|this)\b|$)",
        re.I,
    ),
)


def by_age(call: CallText, triggers: Triggers) -> Iterator[Found]:
    """Yields ages from 90 on, as digits or in words."""
    for turn in triggers.turns(AGE):
        for pattern in _AGES:
            for match in pattern.finditer(call.text, *call.turn_range(turn)):
                yield Found(*match.span("age"), "AGE", False)
