"""Numbers that the words around them make personal: account numbers, ZIP codes, dictated phone numbers.

The words may stand in the same turn, or in the question the other speaker asked just before.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from tip_assets.quality.pii.announcements import Announcement
from tip_assets.quality.pii.call_text import CallText
from tip_assets.quality.pii.checks import (
    is_card_number,
    is_dea_number,
    is_imei,
    is_medicare_id,
    is_npi,
    is_routing_number,
    is_vin,
)
from tip_assets.quality.pii.digits import Line, Symbol
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.triggers import Triggers
from tip_assets.quality.word_lists import word_list

# How far before the number, in characters, its announcement may stand in the same turn.
_REACH = 80
_REACH_BACK = 200
_LONGEST_BACKCHANNEL = 25
# Said without any announcement, so many dictated digits are someone's number all the same (HIPAA item R).
_UNANNOUNCED = 8
_LEAST_IN_A_CODE = 5
_MOST_FILLERS = 3
_TURNS_BACK = 6
_CHECKS: dict[str, Callable[[str], bool]] = {
    "BANK_ROUTING": is_routing_number,
    "NPI": is_npi,
    "LICENSE_NUMBER": is_dea_number,
    "VEHICLE_IDENTIFICATION_NUMBER": is_vin,
    "DEVICE_ID": is_imei,
}
_FEWEST_SYMBOLS = 3
_FILLERS = word_list("pii", "between_digits")
_US_PHONE = re.compile(r"1?[2-9]\d{9}")
_BREAKS = frozenset(".?!;:/$\n")
_UNITS_AFTER = re.compile(
    r"[\s-]{0,3}(?:dollars?|bucks|cents|percent|%|miles?|minutes?|hours?|days?|weeks?|months?|years?|milligrams?|mg|gigs?"
    r"|gigabytes?|megabits?|people|times|points?|pounds?|a\.?m\b|p\.?m\b|o'?clock)",
    re.IGNORECASE,
)


def by_context(call: CallText, lines: Sequence[Line], triggers: Triggers) -> Iterator[Found]:
    """Yields numbers and codes that are announced as personal, or too long to be anything else."""
    for line in lines:
        for start, end in _runs(line):
            kind = _kind(call, line, start, end, triggers)
            if kind is None:
                continue
            first, last = line.symbols[start].first, line.symbols[end - 1].last
            yield Found(call.starts[first], call.ends[last], kind, False)


def _runs(line: Line) -> Iterator[tuple[int, int]]:
    """Stretches of symbols of one turn with at most a few words between, ending with a digit of a number."""
    symbols = line.symbols
    start = 0
    for end in range(1, len(symbols) + 1):
        if end == len(symbols) or not _is_one_run(line.call, symbols[end - 1], symbols[end]):
            if end - start >= _FEWEST_SYMBOLS:
                yield from _trimmed(line, start, end)
            start = end


def _is_one_run(call: CallText, before: Symbol, here: Symbol) -> bool:
    """Whether a symbol goes on with the number before it: nothing between but spaces, dashes and fillers."""
    if here.first == before.first:
        return True
    if here.first == before.last + 1:
        gap = call.gaps[here.first]
        if gap == " " or not gap.strip(" -"):
            return True
        # "T N N, two four two": a spelled letter, but no "I, ..." or "a, ...".
        if not gap.strip(" -,") and _is_spelled(call, before) and _is_spelled(call, here):
            return True
    if call.turn_of_token[here.first] != call.turn_of_token[before.first] or not (here.is_digit and before.is_digit):
        return False
    words = call.words[before.last + 1 : here.first]
    if len(words) > _MOST_FILLERS or not _FILLERS.issuperset(words):
        return False
    return not _BREAKS.intersection(call.text[call.ends[before.last] : call.starts[here.first]])


def _is_spelled(call: CallText, symbol: Symbol) -> bool:
    if symbol.is_digit:
        return True
    # The P of "P3347" begins a code of its own.
    after = call.next_in_turn(symbol.last)
    return symbol.begins and symbol.ends and symbol.char not in "ia" and not (after and not call.gaps[after])


def _trimmed(line: Line, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The run without leading pronouns and articles, when it has at least three digits."""
    call = line.call
    while start < end and call.words[line.symbols[start].first] in ("i", "a"):
        following = start + 1
        is_apart = following < end and bool(call.gaps[line.symbols[following].first])
        if following < end and not (is_apart and line.symbols[following].is_digit):
            break
        start += 1
    while end > start and not line.symbols[end - 1].is_digit and not _ends_a_code(line, start, end):
        end -= 1
    if sum([symbol.is_digit for symbol in line.symbols[start:end]]) >= _FEWEST_SYMBOLS:
        yield start, end


def _ends_a_code(line: Line, start: int, end: int) -> bool:
    call, last = line.call, line.symbols[end - 1]
    if call.gaps[last.first] in ("", "-"):
        return end - 1 > start
    return end - 1 > start and call.original(last.last).isupper() and call.words[last.last] not in ("i", "a")


def _kind(call: CallText, line: Line, start: int, end: int, triggers: Triggers) -> str | None:
    text = line.text[start:end]
    first, last = line.symbols[start].first, line.symbols[end - 1].last
    begins, ends = call.starts[first], call.ends[last]
    if _UNITS_AFTER.match(call.text, ends) or call.text[max(0, begins - 1) : begins] == "$":
        return None
    digits = sum([symbol.is_digit for symbol in line.symbols[start:end]])
    has_letters = digits < len(text)
    for context in _announced(call, triggers, begins, line.turn(start)):
        if context.shortest <= len(text) <= context.longest and (context.letters_may_lead or not has_letters):
            return context.type
    return _checked(call, triggers, text, begins, line.turn(start)) or _unannounced(text, digits)


def _checked(call: CallText, triggers: Triggers, text: str, begins: int, turn: int) -> str | None:
    """What was announced some turns ago and has its check digit here; more numbers in a row are often given so."""
    since = call.turn_starts[max(0, turn - _TURNS_BACK)]
    for context in triggers.announced_within(since, begins):
        if context.type in _CHECKS and _CHECKS[context.type](text):
            return context.type
    return None


def _unannounced(text: str, digits: int) -> str | None:
    if digits < len(text):
        return _code(text) if digits >= _LEAST_IN_A_CODE else None
    if is_imei(text):
        return "DEVICE_ID"
    if is_card_number(text):
        return "CREDIT_DEBIT_NUMBER"
    if _US_PHONE.fullmatch(text):
        return "PHONE"
    return "REFERENCE_NUMBER" if len(text) >= _UNANNOUNCED else None


def _code(text: str) -> str:
    if is_vin(text):
        return "VEHICLE_IDENTIFICATION_NUMBER"
    return "MEDICARE_ID" if is_medicare_id(text) else "REFERENCE_NUMBER"


def _announced(call: CallText, triggers: Triggers, begins: int, turn: int) -> list[Announcement]:
    """What announces a number: the nearest words before it in its turn, else the question before."""
    found = triggers.announced_within(max(call.turn_starts[turn], begins - _REACH), begins)
    if found or turn == 0:
        return found
    asked_turn = turn - 1
    # An "uh-huh" between two halves of a number does not end the question.
    while asked_turn > 0 and len(call.turns[asked_turn].text) < _LONGEST_BACKCHANNEL and asked_turn > turn - 4:
        asked_turn -= 1
    return _asked(call, triggers, turn - 1) or _asked(call, triggers, asked_turn)


def _asked(call: CallText, triggers: Triggers, turn: int) -> list[Announcement]:
    start, end = call.turn_range(turn)
    return triggers.announced_within(max(start, end - _REACH_BACK), end)
