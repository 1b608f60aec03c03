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
from tip_assets.quality.pii.digits import Line
from tip_assets.quality.pii.found import Found
from tip_assets.quality.pii.spoken import Piece
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
_FEWEST_DIGITS = 3
_FILLERS = word_list("pii", "between_digits")
_US_PHONE = re.compile(r"1?[2-9]\d{9}")
_BREAKS = frozenset(".?!;:/$\n")
_UNITS_AFTER = re.compile(
    # Told from most of what follows a number by its first character.
    r"[\s-]{0,3}(?=[dbcp%mhwygtao])(?:dollars?|bucks|cents|percent|%|miles?|minutes?|hours?|days?|weeks?|months?|years?|milligrams?|mg|gigs?"
    r"|gigabytes?|megabits?|people|times|points?|pounds?|a\.?m\b|p\.?m\b|o'?clock)",
    re.IGNORECASE,
)


def by_context(call: CallText, lines: Sequence[Line], triggers: Triggers) -> Iterator[Found]:
    """Yields numbers and codes that are announced as personal, or too long to be anything else."""
    for line in lines:
        for pieces in _runs(call, line.pieces):
            kind = _kind(call, pieces, triggers)
            if kind is not None:
                yield Found(call.starts[pieces[0].first], call.ends[pieces[-1].last], kind, False)


def _runs(call: CallText, pieces: Sequence[Piece]) -> Iterator[Sequence[Piece]]:
    """Stretches of one turn with at most a few words between, ending with a digit of a number, of enough digits."""
    start = digits = 0
    for end, piece in enumerate(pieces):
        if end and not _is_one_run(call, pieces[end - 1], piece):
            if digits >= _FEWEST_DIGITS:
                yield _trimmed(call, pieces[start:end])
            start, digits = end, 0
        if piece.is_digits:
            digits += len(piece.text)
    if digits >= _FEWEST_DIGITS:
        yield _trimmed(call, pieces[start:])


def _is_one_run(call: CallText, before: Piece, here: Piece) -> bool:
    """Whether a piece goes on with the number before it: nothing between but spaces, dashes and fillers."""
    if here.first == before.last + 1:
        gap = call.gaps[here.first]
        if gap == " " or not gap.strip(" -"):
            return True
        # "T N N, two four two": a spelled letter, but no "I, ..." or "a, ...".
        if not gap.strip(" -,") and _is_spelled(call, before) and _is_spelled(call, here):
            return True
    if not (here.is_digits and before.is_digits) or here.first - before.last > _MOST_FILLERS + 1:
        return False
    if call.turn_of_token[here.first] != call.turn_of_token[before.first]:
        return False
    if not _FILLERS.issuperset(call.words[before.last + 1 : here.first]):
        return False
    return not _BREAKS.intersection(call.text[call.ends[before.last] : call.starts[here.first]])


def _is_spelled(call: CallText, piece: Piece) -> bool:
    if piece.is_digits:
        return True
    # The P of "P3347" begins a code of its own.
    after = call.next_in_turn(piece.last)
    return len(piece.text) == 1 and piece.text not in "ia" and not (after and not call.gaps[after])


def _trimmed(call: CallText, pieces: Sequence[Piece]) -> Sequence[Piece]:
    """The run without leading pronouns and articles, and without trailing letters that belong to no code."""
    start, end = 0, len(pieces)
    while call.words[pieces[start].first] in ("i", "a"):
        following = pieces[start + 1]
        if not (call.gaps[following.first] and following.is_digits):
            break
        start += 1
    while not pieces[end - 1].is_digits and not _ends_a_code(call, pieces[end - 1]):
        end -= 1
    return pieces[start:end]


def _ends_a_code(call: CallText, last: Piece) -> bool:
    if call.gaps[last.first] in ("", "-"):
        return True
    return call.original(last.last).isupper() and call.words[last.last] not in ("i", "a")


def _kind(call: CallText, pieces: Sequence[Piece], triggers: Triggers) -> str | None:
    begins, ends = call.starts[pieces[0].first], call.ends[pieces[-1].last]
    if _UNITS_AFTER.match(call.text, ends) or call.text[max(0, begins - 1) : begins] == "$":
        return None
    text = "".join([piece.text for piece in pieces])
    turn = call.turn_of_token[pieces[0].first]
    digits = sum([len(piece.text) for piece in pieces if piece.is_digits])
    has_letters = digits < len(text)
    for context in _announced(call, triggers, begins, turn):
        if context.shortest <= len(text) <= context.longest and (context.letters_may_lead or not has_letters):
            return context.type
    return _checked(call, triggers, text, begins, turn) or _unannounced(text, digits)


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
