"""A call of megabytes is searched in windows that overlap, so that memory stays that of one window."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import msgspec

from tip_resources.domain.conversation import Turn
from tip_resources.domain.redaction import PiiSpan

# Characters. No call that was ever spoken is longer: an hour of talk is some 60,000.
LARGEST_WINDOW = 200_000
# What is personal is shorter, with the words that announce it, so one of two windows holds it whole.
_OVERLAP = 4_000
_LONGEST_WORD = 200


class Window(NamedTuple):
    """A part of a call: its turns from `first` on, the first of them from the character `offset` on."""

    turns: tuple[Turn, ...]
    first: int
    offset: int


def windows_of(turns: Sequence[Turn]) -> Iterator[Window]:
    """Yields windows of at most `LARGEST_WINDOW` characters, cut between words where there are any."""
    starts = [0, *accumulate([len(turn.text) for turn in turns])]
    begin = 0
    while True:
        end = _between_words(turns, starts, begin + LARGEST_WINDOW)
        first = max(0, bisect_right(starts, begin, 0, len(turns)) - 1)
        parts = [
            msgspec.structs.replace(turn, text=turn.text[max(0, begin - start) : end - start])
            for turn, start in zip(turns[first:], starts[first:], strict=False)
            if start < end
        ]
        yield Window(tuple(parts), first, begin - starts[first])
        if end == starts[-1]:
            return
        begin = _between_words(turns, starts, end - _OVERLAP)


def _between_words(turns: Sequence[Turn], starts: Sequence[int], at: int) -> int:
    """The end of the call, or the nearest place before `at` where a word begins; `at` where none is near."""
    if at >= starts[-1]:
        return starts[-1]
    turn = bisect_right(starts, at) - 1
    inside = at - starts[turn]
    space = turns[turn].text.rfind(" ", max(0, inside - _LONGEST_WORD), inside)
    return starts[turn] + space + 1 if space >= 0 else at


def united(spans: Iterable[PiiSpan]) -> tuple[PiiSpan, ...]:
    """Spans of overlapping windows as spans that are sorted and apart; the longer one's type stays."""
    apart: list[PiiSpan] = []
    for span in sorted(spans, key=lambda span: (span.turn, span.start, -span.end)):
        last = apart[-1] if apart else None
        if last is None or last.turn != span.turn or span.start >= last.end:
            apart.append(span)
        elif span.end > last.end:
            longer = span if span.end - span.start > last.end - last.start else last
            apart[-1] = msgspec.structs.replace(longer, start=last.start, end=span.end)
    return tuple(apart)
