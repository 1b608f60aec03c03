"""The rules of lex_schema.json as types, which msgspec checks a hundred times faster than the schema is walked.

What fits is accepted without asking the schema; what does not is left to it, which says what is wrong. So a rule may
be stricter here than there, and none may be wider (tests/unit/assets/exports/test_lex_schema.py).
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

_Id = Annotated[str, Meta(min_length=1)]
_Millis = Annotated[int, Meta(ge=0)]


class _Participant(Struct):
    ParticipantId: _Id
    ParticipantRole: Literal["AGENT", "CUSTOMER"]


class _RedactedPii(Struct):
    RedactionEntitiesRequested: list[_Id]
    RedactionMaskMode: Literal["PII", "ENTITY_TYPE"]


class _RedactionTypesMetadata(Struct):
    PII: _RedactedPii | UnsetType = UNSET


class _ContentMetadata(Struct):
    RedactionTypes: Annotated[list[Literal["PII"]], Meta(min_length=1, max_length=1)]
    Output: Literal["Raw", "Redacted"]
    RedactionTypesMetadata: _RedactionTypesMetadata | UnsetType = UNSET


class _CustomerMetadata(Struct):
    ContactId: Annotated[str, Meta(min_length=1, max_length=256)]


class _Timestamps(Struct):
    BeginOffsetMillis: _Millis
    EndOffsetMillis: _Millis


class _Redaction(Struct):
    RedactedTimestamps: Annotated[list[_Timestamps], Meta(min_length=1)]


class _Turn(Struct):
    ParticipantId: _Id
    Id: _Id
    Content: Annotated[str, Meta(pattern=r"\S")]
    BeginOffsetMillis: _Millis | UnsetType = UNSET
    EndOffsetMillis: _Millis | UnsetType = UNSET
    Redaction: _Redaction | UnsetType = UNSET


class _Transcript(Struct):
    Version: Literal["1.1.0"]
    Participants: Annotated[list[_Participant], Meta(min_length=1)]
    ContentMetadata: _ContentMetadata
    CustomerMetadata: _CustomerMetadata
    Transcript: Annotated[list[_Turn], Meta(min_length=1)]
    Channel: Literal["VOICE", "CHAT"] | UnsetType = UNSET
    LanguageCode: Annotated[str, Meta(pattern="^[a-z]{2,3}-[A-Z]{2}$")] | UnsetType = UNSET


def surely_fits(document: Any) -> bool:
    """Whether a decoded transcript file obeys the schema for certain; False says nothing."""
    try:
        metadata = msgspec.convert(document, _Transcript).ContentMetadata.RedactionTypesMetadata
    except msgspec.ValidationError:
        return False
    if metadata is UNSET or metadata.PII is UNSET:
        return True
    entities = metadata.PII.RedactionEntitiesRequested
    return len(set(entities)) == len(entities)
