"""Which calls the report shows: the best, the worst, and some drawn at random with a fixed seed."""

import random

import msgspec

from tip_assets.exports.report_data import SampleCall, SampleTurn
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.redaction import RedactionStyle

SHOWN_CALLS = 10
# Enough to judge a call by; the export holds all of it. A hostile answer may be any length.
_SHOWN_TURNS = 120
_SHOWN_CHARACTERS = 1_200
_CUT_MARK = " [...]"


class _Seen(msgspec.Struct, frozen=True):
    place: int
    conversation: Conversation
    title: str


class SamplePicker:
    """Sees every call once and holds on to twelve at most (reservoir sampling, Vitter's algorithm R)."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random = random.Random(seed)
        self._reservoir: list[_Seen] = []
        self._best: _Seen | None = None
        self._worst: _Seen | None = None
        self._count = 0

    def see(self, conversation: Conversation, title: str) -> None:
        """Takes note of a scrubbed call."""
        seen = _Seen(self._count, conversation, title)
        self._count += 1
        if len(self._reservoir) < SHOWN_CALLS:
            self._reservoir.append(seen)
        elif (place := self._random.randrange(self._count)) < SHOWN_CALLS:
            self._reservoir[place] = seen
        overall = _overall(seen)
        if overall is not None and (self._best is None or overall > (_overall(self._best) or 0)):
            self._best = seen
        if overall is not None and (self._worst is None or overall < (_overall(self._worst) or 0)):
            self._worst = seen

    def samples(self, style: RedactionStyle) -> tuple[SampleCall, ...]:
        """Ten calls, or all of a smaller set, redacted: best, worst, then drawn ones in the order of the set."""
        chosen: dict[int, tuple[str, _Seen]] = {}
        if self._best and self._worst and self._best.place != self._worst.place:
            chosen[self._best.place] = ("Highest grade", self._best)
            chosen[self._worst.place] = ("Lowest grade", self._worst)
        others = [seen for seen in self._reservoir if seen.place not in chosen]
        drawn = random.Random(self._seed).sample(others, min(SHOWN_CALLS - len(chosen), len(others)))
        for seen in sorted(drawn, key=lambda seen: seen.place):
            chosen[seen.place] = ("Drawn at random", seen)
        return tuple(_sample(why, seen, style) for why, seen in chosen.values())


def _overall(seen: _Seen) -> float | None:
    grade = seen.conversation.annotations.grade
    return None if grade is None else grade.overall


def _sample(why: str, seen: _Seen, style: RedactionStyle) -> SampleCall:
    turns = redact(seen.conversation, style).turns
    return SampleCall(
        id=seen.conversation.id,
        why=why,
        title=seen.title,
        overall=_overall(seen),
        turns=len(turns),
        shown=tuple(SampleTurn(turn.speaker, _shortened(turn.text)) for turn in turns[:_SHOWN_TURNS]),
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + _CUT_MARK
