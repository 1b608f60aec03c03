"""Where one call came from, out of the stored sets of its data set: plan, model call, grade, personal data.

Nothing here is personal: of personas only role, mood and habits are told, of personal data only counts by type.
"""

from collections import Counter
from pathlib import Path
from typing import TypeVar

import msgspec
import polars as pl

from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade
from tip_resources.domain.persona import Persona, PersonaRole
from tip_resources.domain.provenance import Provenance
from tip_resources.domain.scenario import Scenario
from tip_resources.storage.layout import Layout
from tip_resources.storage.sets import open_set_if_there, read_set

T = TypeVar("T", bound=msgspec.Struct)


class Speaker(msgspec.Struct, frozen=True, kw_only=True):
    """A persona without what could name a person: how they feel, and how much of them is known."""

    role: PersonaRole
    emotion_arc: tuple[str, ...]
    patience: float
    experience: str
    facts_by_type: dict[str, int]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What the sets say of one call; None and empty where a set is no longer, or not yet, there.

    `sets` names the sets that hold the call, in the order it passed through them.
    """

    dataset: str
    call: str
    index: int | None = None
    turns: int | None = None
    provenance: Provenance | None = None
    scenario: Scenario | None = None
    speakers: tuple[Speaker, ...] = ()
    grade: Grade | None = None
    personal_data: dict[str, int] | None = None
    sets: tuple[str, ...] = ()


# Every set that holds a call under its id, in the order a call passes through them.
_CALL_SETS = ("raw_conversations", "deduped_conversations", "graded_conversations", "scrubbed_conversations")


def origin_of(call: str, dataset: str, layout: Layout, copies: Path) -> Origin:
    """Everything the stored sets of `dataset` know of the call with id `call`; `copies` is for sets that lie in S3.

    Raises:
        BadInput: A set was damaged.
    """
    held = {
        name: found
        for name in _CALL_SETS
        if (found := _by_id(layout, name, dataset, call, Conversation, copies)) is not None
    }
    if not held:
        return Origin(dataset=dataset, call=call)
    newest = list(held.values())[-1]
    spans = newest.annotations.spans
    return Origin(
        dataset=dataset,
        call=call,
        index=newest.index,
        turns=len(newest.turns),
        provenance=newest.provenance,
        scenario=_by_id(layout, "scenarios", dataset, newest.scenario_id, Scenario, copies),
        speakers=tuple(
            _speaker(persona)
            for persona_id in newest.persona_ids
            if (persona := _by_id(layout, "personas", dataset, persona_id, Persona, copies)) is not None
        ),
        grade=newest.annotations.grade,
        personal_data=dict(Counter(span.type for span in spans).most_common()) if spans is not None else None,
        sets=tuple(held),
    )


def _by_id(layout: Layout, name: str, dataset: str, wanted: str, kind: type[T], copies: Path) -> T | None:
    try:
        frame = open_set_if_there(layout, name, dataset, copies)
        return None if frame is None else next(read_set(frame.filter(pl.col("id") == wanted), kind), None)
    except pl.exceptions.PolarsError as error:
        raise BadInput(
            "the set cannot be read: it is no Parquet file of calls (any more).",
            where=str(layout.set_file(name, dataset)),
            mend=f"`tip trace {dataset}` says which sets are as they were made.",
        ) from error


def _speaker(persona: Persona) -> Speaker:
    return Speaker(
        role=persona.role,
        emotion_arc=persona.emotion_arc,
        patience=persona.patience,
        experience=persona.experience,
        facts_by_type=dict(Counter(fact.type for fact in persona.facts)),
    )
