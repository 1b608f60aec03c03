"""How the calls of a set are compared: by which methods, from how much likeness on, and who survives."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from tip_assets.quality.duplicates.fingerprints import fingerprints
from tip_assets.quality.duplicates.sketches import sketches
from tip_assets.quality.duplicates.thresholds import Thresholds
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.sketch import CallSketch
from tip_resources.settings.models import QualitySettings

Keep = Literal["best", "first"]
# How deep it is looked: at the text as it stands and its letters alone, or at its words as well.
WordMethods = Literal["exact", "near"]

# Calls whose sketches are made, and looked up among what was delivered, at once; fewer where they are long.
_BATCH_CALLS = 500
_BATCH_CHARACTERS = 32_000_000


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How the calls of a set are compared.

    Args:
        methods: "exact": the text as it stands and its letters alone; "near": its words as well.
        thresholds: From how much likeness on the words of a call repeat another's.
        keep: "best": the better quick score (annotations.grade.overall) survives, then the earlier place; calls
            without a score come after those with one. "first": the earlier place alone.
    """

    methods: WordMethods = "near"
    thresholds: Thresholds = Thresholds()
    keep: Keep = "best"


def word_thresholds(quality: QualitySettings) -> Thresholds:
    """What the settings say of likeness by words."""
    return Thresholds(near=quality.near_duplicate_threshold, masked=quality.masked_duplicate_threshold)


def sketched(
    calls: Iterable[Conversation], methods: WordMethods = "near"
) -> Iterator[list[tuple[Conversation, CallSketch]]]:
    """The calls in order, some hundreds at a time, each with its sketch; for "exact" of fingerprints alone."""
    for batch in _batches(calls):
        made = sketches(batch) if methods == "near" else _fingerprints_alone(batch)
        yield list(zip(batch, made, strict=True))


def _batches(calls: Iterable[Conversation]) -> Iterator[list[Conversation]]:
    batch: list[Conversation] = []
    characters = 0
    for call in calls:
        batch.append(call)
        characters += sum(len(turn.text) for turn in call.turns)
        if len(batch) == _BATCH_CALLS or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _fingerprints_alone(batch: Sequence[Conversation]) -> list[CallSketch]:
    prints = ((call.id, fingerprints(call)) for call in batch)
    return [CallSketch(id=id, exact=one.exact, normalized=one.normalized, bands=b"", body=b"") for id, one in prints]
