"""A file of calls with duplicates planted in it, and the score of what was found in it.

The truth is in the ids: `7` is a call, `7~paraphrase` a copy of it, `7+8` a splice of two calls, which is no duplicate.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from benchmarks.quality.near_duplicates_edits import edits, further_edits, interleaved, spliced
from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_resources.domain.conversation import Conversation, Turn

Turns = tuple[Turn, ...]

# Of all calls in the file. Splices and interleaved calls are what only looks like a duplicate.
COPIES, SPLICES, INTERLEAVED = 0.2, 0.03, 0.01
# Calls from which inserted words are drawn, as often as they are said there.
_VOCABULARY_CALLS = 2000


def plant(calls: Iterable[Turns], count: int, seed: int, path: Path, further: bool = False) -> None:
    """Writes about `count` calls as JSON lines: originals in order, each copy anywhere after its original.

    With `further`, the copies are edited in those ways.
    """
    rng = random.Random(seed)
    with path.open("wb") as lines:
        for id_, turns in itertools.islice(_planted(iter(calls), count, rng, further), count):
            lines.write(msgspec.json.encode(Conversation(id=id_, turns=turns)) + b"\n")


def _planted(calls: Iterator[Turns], count: int, rng: random.Random, further: bool) -> Iterator[tuple[str, Turns]]:
    first = list(itertools.islice(calls, _VOCABULARY_CALLS))
    vocabulary = [word for turns in first for turn in turns for word in turn.text.split()]
    kinds = further_edits(vocabulary) if further else edits(vocabulary)
    names = itertools.cycle(kinds)
    originals = 1 - COPIES - SPLICES - INTERLEAVED
    # Copies that wait for their place, the next one first.
    waiting: list[tuple[int, str, Turns]] = []
    place = 0
    before: Turns = ()
    for number, turns in enumerate(itertools.chain(first, calls)):
        yield str(number), turns
        place += 1
        if rng.random() < COPIES / originals:
            kind = next(names)
            at = rng.randrange(place, max(count, place + 1))
            heapq.heappush(waiting, (at, f"{number}~{kind}", kinds[kind](turns, rng)))
        if before and rng.random() < SPLICES / originals:
            yield f"{number}+{number - 1}", spliced(turns, before)
            place += 1
        if before and rng.random() < INTERLEAVED / originals:
            yield f"{number}+{number - 1}+", interleaved(turns, before)
            place += 1
        before = turns
        while waiting and waiting[0][0] <= place:
            _, id_, copy = heapq.heappop(waiting)
            yield id_, copy
            place += 1


class Score:
    """Counts what was found. A copy is found when it is removed for its original, or for another copy of that."""

    def __init__(self) -> None:
        self._planted: Counter[str] = Counter()
        self._found: Counter[str] = Counter()
        self._wrong: Counter[str] = Counter()

    def add(self, id_: str, match: DuplicateMatch | None) -> None:
        """What was said of the call with this id."""
        original, _, kind = id_.partition("~")
        self._planted[kind] += 1
        if match is None:
            return
        if kind and match.duplicate_of.partition("~")[0] == original:
            self._found[kind] += 1
        else:
            self._wrong["splice" if "+" in id_ else "original" if not kind else "copy of another"] += 1

    def recalls(self) -> Mapping[str, float]:
        """Of each kind of edit the share found."""
        return {kind: self._found[kind] / count for kind, count in sorted(self._planted.items()) if kind}

    def precision(self) -> float | None:
        """Of the calls removed the share that were planted copies of what they were removed for; None for none."""
        removed = sum(self._found.values()) + sum(self._wrong.values())
        return sum(self._found.values()) / removed if removed else None

    def wrong(self) -> Mapping[str, int]:
        """Calls removed that should have stayed, by what they are."""
        return dict(self._wrong)
