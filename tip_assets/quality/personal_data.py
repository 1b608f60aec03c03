"""Finds personal data in a call once: what is known of its speakers, and what patterns tell.

How each kind is found lives in pii/; scrubbing.py replaces it; the check that nothing known is left lives in leaks.py.
"""

from collections.abc import Iterator, Sequence

import msgspec

from tip_assets.quality.pii.addresses import by_street
from tip_assets.quality.pii.ages import by_age
from tip_assets.quality.pii.birthdays import by_date
from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.contexts import by_context
from tip_assets.quality.pii.detectors import by_shape
from tip_assets.quality.pii.digits import Readings
from tip_assets.quality.pii.extras import PERSONAL_FACTS
from tip_assets.quality.pii.fact_finder import FactFinder
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.gazetteer import by_gazetteer
from tip_assets.quality.pii.introductions import by_introduction
from tip_assets.quality.pii.logins import by_login
from tip_assets.quality.pii.name_repeats import judged, repeats, words_of
from tip_assets.quality.pii.overlaps import merged
from tip_assets.quality.pii.places import by_place
from tip_assets.quality.pii.triggers import DOT, MONTH, NUMBER, NUMERIC_DATE, STREET, Triggers
from tip_assets.quality.pii.windows import LARGEST_WINDOW, united, windows_of
from tip_resources.domain.codec import from_builtins
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import PiiSpan

# Fewer digits are nobody's number.
_FEWEST_DIGITS = 3
_LONGEST_COUNTED = 500
_NEEDS_TOKENS = (NUMBER, MONTH, NUMERIC_DATE, STREET, DOT)


def find_spans(conversation: Conversation, facts: Sequence[PersonalFact] = ()) -> tuple[PiiSpan, ...]:
    """Every place of personal data: the known facts in any form, and what patterns tell.

    Args:
        conversation: The call; its own spans, if it has any, play no part.
        facts: What is known of the speakers. Empty for imported calls.

    Returns:
        Spans sorted by turn and start, without overlaps; offsets are characters of the turn's original text.
    """
    turns = conversation.turns
    if sum([len(turn.text) for turn in turns]) <= LARGEST_WINDOW:
        return tuple(_spans(turns, facts, set()))
    names: set[str] = set()
    return united(
        msgspec.structs.replace(span, turn=span.turn + first, start=span.start + shift, end=span.end + shift)
        for parts, first, offset in windows_of(turns)
        for span in _spans(parts, facts, names)
        for shift in [0 if span.turn else offset]
    )


def _spans(turns: Sequence[Turn], facts: Sequence[PersonalFact], said: set[str]) -> list[PiiSpan]:
    """The spans of a call or a window of one; `said` are words of names of the windows before, and grows."""
    call = CallText(turns, tokenised=False)
    if not turns:
        return []
    triggers = Triggers(call.ascii, call.turn_starts, knows_facts=bool(facts))
    names = list(by_introduction(call, triggers))
    listed = list(by_gazetteer(call))
    said |= words_of(call, [*names, *(name for name in listed if " " in call.text[name.start : name.end])])
    named = repeats(call, said)
    readings = Readings(call, triggers)
    search = FactFinder(call, readings, facts) if facts else None
    read = {
        *triggers.turns(*_NEEDS_TOKENS),
        *(call.turn_at(mention.start) for mention in named if mention.is_ordinary),
    }
    call.tokenise(sorted(read | search.turns(triggers) if search else read))
    known = list(search.find()) if search else []
    found = merged(
        call, [*known, *names, *listed, *judged(call, named), *_by_patterns(call, triggers, readings, names)]
    )
    return [_span(call, item) for item in found]


def personal_facts(conversation: Conversation) -> tuple[PersonalFact, ...]:
    """The facts that travel with a call under `annotations.extra.personal_facts`; none when there are none.

    Raises:
        BadInput: They are there but are no list of facts.
    """
    listed = conversation.annotations.extra.get(PERSONAL_FACTS)
    if listed is None:
        return ()
    where = f"call {conversation.id}, annotations.extra.{PERSONAL_FACTS}"
    return from_builtins(listed, tuple[PersonalFact, ...], where=where)


def _by_patterns(call: CallText, triggers: Triggers, readings: Readings, names: Sequence[Found]) -> Iterator[Found]:
    dates = readings.dates if triggers.turns(MONTH, NUMERIC_DATE) else []
    certain = [
        *by_shape(call, triggers),
        *by_street(call, triggers),
        *by_date(call, dates, triggers),
        *by_age(call, triggers),
        *by_login(call, triggers),
        *by_place(call, triggers),
    ]
    yield from certain
    if not triggers.turns(NUMBER):
        return
    # A number that its context makes personal must not swallow half a date or an address beside it.
    others = [*certain, *names]
    for item in by_context(call, readings.codes, triggers):
        overlapping = [other for other in others if other.start < item.end and item.start < other.end]
        if not any(_adds_nothing(call.text, item, other) for other in overlapping):
            yield item


def _adds_nothing(text: str, item: Found, other: Found) -> bool:
    """Whether fewer than three digits of `item` lie outside `other`, which overlaps it."""
    # Of so much text of a number some digits are outside; counting them would take quadratic time in endless numbers.
    if (item.end - item.start) - (other.end - other.start) > _LONGEST_COUNTED:
        return False
    outside = text[item.start : other.start] + text[max(item.start, other.end) : item.end]
    return sum(char.isdigit() for char in outside) < _FEWEST_DIGITS


def _span(call: CallText, item: Found) -> PiiSpan:
    turn = call.turn_at(item.start)
    offset = call.turn_starts[turn]
    source = "persona" if item.is_known else "pattern"
    return PiiSpan(turn=turn, start=item.start - offset, end=item.end - offset, type=item.type, source=source)
