"""How the talk is shared out: turn lengths, listening noises, questions, opening and closing (realism, flow)."""

import re
from itertools import pairwise
from statistics import fmean

from tip_assets.quality.features.measured_call import MeasuredCall, MeasuredTurn, deviation
from tip_assets.quality.word_lists import word_list

_FILLERS = word_list("features", "fillers")
_ACKNOWLEDGEMENTS = word_list("features", "acknowledgements")
_MOST_BACKCHANNEL_WORDS = 3
HEDGES = re.compile(r"\b(?:you know|i mean|kind of|sort of|kinda|sorta|or something|or whatever|i guess|let's see)\b")
_OPENING = re.compile(
    r"\b(?:thank you for calling|thanks for calling|hello|hi|hey|good (?:morning|afternoon|evening)|welcome to"
    r"|(?:how|what) (?:can|may|could) i (?:help|do|assist)|you've reached|speaking|this is)\b"
)
_CLOSING = re.compile(
    r"\b(?:bye|goodbye|take care|have a (?:\w+ ){0,2}\w+|talk to you|see you|thanks|thank you|you too|good night"
    r"|hang up|cheers)\b"
)
_GREETING_OF_THE_HOUSE = re.compile(r"\b(?:thank you for calling|thanks for calling|you've reached)\b")
# Asked again after the caller was verified, but not in the second half of a call.
_OFFER_OF_HELP = re.compile(r"\b(?:how|what) (?:can|may) i (?:help|do for|assist) you\b")
_FAREWELL = re.compile(r"\b(?:bye|goodbye|take care|have a (?:good|great|nice|wonderful|lovely|better) \w+)\b")
_TRANSFER = re.compile(
    r"\b(?:transfer\w*|connect you|put you through|supervisor|manager|colleague|call (?:you )?back)\b"
)
# What an agent says who does something about it, or says what happens next.
_ACTION = re.compile(
    r"\b(?:i'll|i will|i've|i have|i can|i'm \w+ing|we'll|we will|we can|you'll|you will|you can|they'll|it's done"
    r"|all set|it will|it'll|let me|going to|gonna|unfortunately|i'm sorry)\b"
)
_OPENING_TURNS = 3
_CLOSING_TURNS = 4
_EARLY_SHARE = 0.25
_HALF = 0.5
_LATE_SHARE = 0.65
# "Thanks for calling" is a farewell as well.
_END_SHARE = 0.8
_TRANSFER_TURNS = 6


def turn_taking(call: MeasuredCall) -> dict[str, float]:
    """Features by name; docs/grading.md gives each formula. Needs at least one turn with words."""
    lengths = [len(turn.words) for turn in call.turns]
    total = sum(lengths)
    mean = total / len(lengths)
    customer_words = sum(len(turn.words) for turn in call.turns_of("customer"))
    speaker_means = [
        fmean([len(turn.words) for turn in call.turns_of(speaker)]) if call.turns_of(speaker) else 0.0
        for speaker in ("agent", "customer")
    ]
    return {
        "turns": float(len(lengths)),
        "turn_words": mean,
        "terse_speaker_words": min(speaker_means),
        "turn_length_variation": deviation(lengths) / mean,
        "longest_turn_words": float(max(lengths)),
        "customer_share": customer_words / total,
        "doubled_share": _doubled_share(call.turns),
    }


def spoken_style(call: MeasuredCall) -> dict[str, float]:
    """The features of talk that need English words."""
    turns = call.turns
    texts = [" ".join(turn.words) for turn in turns]
    return {
        "backchannel_share": fmean([is_backchannel(turn) for turn in turns]),
        "question_share": fmean([turn.asks for turn in turns]),
        "disfluencies_per_100_words": 100 * _disfluencies(turns, texts) / len(call.words),
        "opening": float(any(_OPENING.search(text) for text in texts[:_OPENING_TURNS])),
        "closing": float(any(_CLOSING.search(text) for text in texts[-_CLOSING_TURNS:])),
        "misplaced_formalities": float(_misplaced_formalities(texts)),
        "phases": _phases(call, texts),
    }


def _phases(call: MeasuredCall, texts: list[str]) -> float:
    """Share of the phases every service call has: greeting, inquiry, what will be done, farewell."""
    half = len(texts) // 2
    agent = [(number, turn) for number, turn in enumerate(call.turns) if turn.speaker == "agent"]
    phases = (
        any(_OPENING.search(text) for text in texts[:_OPENING_TURNS]),
        any(turn.asks for number, turn in agent if 0 < number <= half + 1),
        any(_ACTION.search(texts[number]) for number, _ in agent if number >= half),
        any(_CLOSING.search(text) for text in texts[-_CLOSING_TURNS:]),
    )
    return fmean(phases)


def is_backchannel(turn: MeasuredTurn) -> bool:
    """Up to three words that begin with an acknowledgement: "okay", "mm-hm", "I see"."""
    return len(turn.words) <= _MOST_BACKCHANNEL_WORDS and turn.words[0] in _ACKNOWLEDGEMENTS and not turn.asks


def _doubled_share(turns: list[MeasuredTurn]) -> float:
    """Share of turns that follow one of the same speaker."""
    if len(turns) < 2:
        return 0.0
    return fmean([one.speaker == other.speaker for one, other in pairwise(turns)])


def _disfluencies(turns: list[MeasuredTurn], texts: list[str]) -> int:
    """Fillers, hedges, and words said twice in a row."""
    count = sum(len(HEDGES.findall(text)) for text in texts)
    for turn in turns:
        previous = ""
        for word in turn.words:
            count += word in _FILLERS or (word == previous and not word.isdigit())
            previous = word
    return count


def _misplaced_formalities(texts: list[str]) -> int:
    """Turns that greet in mid-call or say goodbye long before the end; a transferred call may greet again."""
    count = 0
    for number, text in enumerate(texts):
        place = number / len(texts)
        greets = (place > _EARLY_SHARE and number > _OPENING_TURNS and _GREETING_OF_THE_HOUSE.search(text)) or (
            place > _HALF and _OFFER_OF_HELP.search(text)
        )
        if greets and place < _END_SHARE:
            before = " ".join(texts[max(0, number - _TRANSFER_TURNS) : number])
            count += _TRANSFER.search(before) is None
        if place < _LATE_SHARE and number < len(texts) - 2 * _CLOSING_TURNS and _FAREWELL.search(text):
            count += 1
    return count
