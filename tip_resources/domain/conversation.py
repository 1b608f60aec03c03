"""A conversation and its turns: the one shape every stage reads and writes."""

import uuid
from typing import Annotated, Any, Literal

import msgspec

from tip_resources.domain.grade import Grade
from tip_resources.domain.provenance import Provenance
from tip_resources.domain.redaction import PiiSpan

Speaker = Literal["agent", "customer", "system"]
# What a Parquet column, a database and a file of another program can hold.
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

# Fixed for ever: conversation ids are derived from it, and exported lines are found again by id.
_ID_NAMESPACE = uuid.UUID("5d0c0cde-7a0b-5c57-9a43-3f6f1f6a7f10")


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One utterance. Offsets are milliseconds from the start of the call, where a recording gave them."""

    speaker: Speaker
    text: str
    start_ms: Int64 | None = None
    end_ms: Int64 | None = None


class Annotations(msgspec.Struct, frozen=True, kw_only=True):
    """What later stages say of a conversation; `extra` keeps every input field we do not know."""

    grade: Grade | None = None
    spans: tuple[PiiSpan, ...] | None = None
    extra: dict[str, Any] = {}


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `index` is its place in the data set's plan (None for imported calls)."""

    id: str
    turns: tuple[Turn, ...]
    dataset: str = ""
    domain: str = ""
    language: str = "en"
    index: Int64 | None = None
    scenario_id: str = ""
    persona_ids: tuple[str, ...] = ()
    provenance: Provenance | None = None
    annotations: Annotations = Annotations()


def conversation_id(dataset: str, request_seed: int, index: int) -> str:
    """The deterministic id of the `index`-th call of a data set: a UUIDv5."""
    return str(uuid.uuid5(_ID_NAMESPACE, f"{dataset}/{request_seed}/{index}"))
