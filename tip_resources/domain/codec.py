"""The one canonical JSON form of the domain types.

Encoding is sorted-key JSON, so equal values are equal bytes. Decoding a conversation keeps fields it does
not know under `annotations.extra` instead of dropping them. Files and streams of lines live in storage.
"""

import re
from typing import Any, TypeVar, get_args

import msgspec

from tip_resources.domain.conversation import Annotations, Conversation, Speaker
from tip_resources.domain.failures import BadInput

T = TypeVar("T")

_ENCODER = msgspec.json.Encoder(order="deterministic")
_CONVERSATION_FIELDS = frozenset(Conversation.__struct_fields__)
_ANNOTATION_FIELDS = frozenset(Annotations.__struct_fields__)
_SPEAKERS = get_args(Speaker)
# Where the decoder found what it cannot use, as it says it.
_OF_A_SPEAKER = re.compile(r"`\$\.turns\[\d*\]\.speaker`$")


def to_json(value: Any) -> bytes:
    """Canonical JSON of a domain value, on one line, keys sorted."""
    return _ENCODER.encode(value)


def from_json(data: bytes | str, kind: type[T], *, where: str = "") -> T:
    """Decodes and checks `data` as `kind`.

    Raises:
        BadInput: Not JSON, or not of that shape; the message names the field.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not a valid {kind.__name__}: {error}", where=where) from error


def from_builtins(value: Any, kind: type[T], *, where: str = "") -> T:
    """Checks plain dicts and lists (from YAML, a model, a database row) as `kind`.

    Raises:
        BadInput: Not of that shape; the message names the field.
    """
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"not a valid {kind.__name__}: {error}", where=where) from error


def to_builtins(value: Any) -> Any:
    """The plain dicts, lists and numbers of a domain value."""
    return msgspec.to_builtins(value, order="deterministic")


def conversation_from_json(data: bytes | str, *, where: str = "") -> Conversation:
    """Decodes one line of JSONL; unknown fields are kept under `annotations.extra`.

    Raises:
        BadInput: Not JSON, or not a conversation; the message names the field.
    """
    try:
        raw = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not valid JSON: {error}", where=where) from error
    if not isinstance(raw, dict):
        raise BadInput(f"expected a JSON object, found {type(raw).__name__}.", where=where)
    return conversation_from_builtins(raw, where=where)


def conversation_from_builtins(raw: dict[str, Any], *, where: str = "") -> Conversation:
    """As `conversation_from_json`, from an already parsed object."""
    known = {key: value for key, value in raw.items() if key in _CONVERSATION_FIELDS}
    unknown = {key: value for key, value in raw.items() if key not in _CONVERSATION_FIELDS}
    annotations = known.get("annotations") or {}
    if not isinstance(annotations, dict):
        raise BadInput("annotations must be a JSON object.", where=where)
    unknown |= {key: value for key, value in annotations.items() if key not in _ANNOTATION_FIELDS}
    if unknown:
        extra = annotations.get("extra") or {}
        if not isinstance(extra, dict):
            raise BadInput("annotations.extra must be a JSON object.", where=where)
        annotations = {key: value for key, value in annotations.items() if key in _ANNOTATION_FIELDS}
        known["annotations"] = {**annotations, "extra": {**unknown, **extra}}
    elif "annotations" in known:
        known["annotations"] = annotations
    try:
        return from_builtins(known, Conversation, where=where)
    except BadInput as error:
        if not _OF_A_SPEAKER.search(error.what):
            raise
        mend = f"A speaker is {', '.join(_SPEAKERS[:-1])} or {_SPEAKERS[-1]}."
        raise BadInput(f"{error.what}.", where=where, mend=mend) from error
