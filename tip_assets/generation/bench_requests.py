"""The requests of `tip bench engine` and the test that their answers must pass. Pure."""

import hashlib
from typing import Any, Literal

import msgspec

from tip_resources.llm.types import ChatRequest, Message

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["turns"],
    "properties": {
        "turns": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["speaker", "text"],
                "properties": {
                    "speaker": {"type": "string", "enum": ["agent", "customer"]},
                    "text": {"type": "string"},
                },
            },
        }
    },
}

# What all requests share comes first, byte for byte, so that servers reuse their prefix.
_SYSTEM = (
    "You write phone calls between a customer and an agent of a call centre, as they are really spoken: with "
    "greetings, questions back, corrections, small talk where it fits, and a clear end. Each call is one JSON "
    'object: {"turns": [{"speaker": "agent" or "customer", "text": what is said}]}. The agent opens the call. '
    "Speakers take turns. No turn is longer than three sentences. Numbers and dates are spoken, not written. "
    "No stage directions, no names of real companies, no text outside the JSON."
)
_TASK = "Write one call of about twenty turns.\nReason for the call: {reason}.\nMood of the caller: {mood}.\n"
_REASONS = (
    "an invoice that is higher than agreed",
    "an appointment that has to be moved",
    "a parcel that never came",
    "a password that no longer works",
    "a contract to be ended",
    "an address that has changed",
    "a device that stopped working after an update",
)
_MOODS = ("friendly", "impatient", "worried", "confused", "angry")
_TOKEN = "RID"


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn, exactly as SCHEMA has it."""

    speaker: Literal["agent", "customer"]
    text: str


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer that satisfies SCHEMA."""

    turns: list[Turn]


def bench_request(index: int, max_output_tokens: int) -> ChatRequest:
    """Request `index`: its token, RID and six digits, is in the prompt, so that a device can count repeats."""
    task = _TASK.format(reason=_REASONS[index % len(_REASONS)], mood=_MOODS[index % len(_MOODS)])
    token = f"{_TOKEN}{index:06d}"
    return ChatRequest(
        request_id=token,
        messages=(Message("system", _SYSTEM), Message("user", f"{task}Reference of this request: {token}")),
        max_output_tokens=max_output_tokens,
        json_schema=SCHEMA,
        items_key=None,
    )


def index_of(request_id: str) -> int:
    """The index of the request with that id."""
    return int(request_id.removeprefix(_TOKEN))


def answer_in(value: Any) -> Answer | None:
    """A decoded JSON document as an answer; None when it does not satisfy SCHEMA."""
    try:
        return msgspec.convert(value, Answer, strict=True)
    except msgspec.ValidationError:
        return None


# Answers to other prompts or another schema must not be taken for answers to these.
IDENTITY = hashlib.sha256(msgspec.json.encode([SCHEMA, _SYSTEM, _TASK, _REASONS, _MOODS], order="sorted")).hexdigest()[
    :16
]
