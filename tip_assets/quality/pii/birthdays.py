"""Dates by their shape: full dates everywhere, and a day without its year where a birth date is asked for.

HIPAA counts every date element but the year; a day that is never said with a year ("on March 12th") is left in
the text unless it is a persona's, because calls are full of appointments and invoices (docs/personal-data.md).
"""

import re
from collections.abc import Iterator, Sequence

from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.dates import DateMention
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.triggers import BIRTH, Triggers

_BIRTH = re.compile(r"\b(?:date of birth|birth ?da(?:te|y)|born|d\.?o\.?b)\b", re.IGNORECASE)
# How far before a date its announcement may stand, in characters.
_REACH = 120


def by_date(call: CallText, dates: Sequence[DateMention], triggers: Triggers) -> Iterator[Found]:
    """Yields full dates as DATE, dates given as a birth date as DATE_OF_BIRTH, and both again without the year."""
    personal: dict[tuple[int, int | None], str] = {}
    birth_turns = {near for turn in triggers.turns(BIRTH) for near in (turn, turn + 1)}
    for mention in dates:
        is_asked = call.turn_at(mention.start) in birth_turns
        is_birth = is_asked and _BIRTH.search(call.said_before(mention.start, _REACH)) is not None
        if is_birth or (mention.year is not None and mention.day is not None):
            personal.setdefault((mention.month, mention.day), "DATE_OF_BIRTH" if is_birth else "DATE")
    for mention in dates:
        kind = personal.get((mention.month, mention.day))
        if kind is not None:
            yield Found(mention.start, mention.end, kind, False)
