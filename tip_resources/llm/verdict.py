"""How a call ended: what was received, judged. Pure; what is then done about a failure stands in policy.py."""

import re

import msgspec

from tip_resources.llm.failures import printable
from tip_resources.llm.types import Failure, FailureKind

_QUOTED_CHARACTERS = 200
_DECLINES = re.compile(
    r"^\W*(?:i'?m sorry|i am sorry|sorry,|i apologi[sz]e|i can(?:no|')t (?:help|assist|fulfil|comply|provide|create)"
    r"|i(?:'m| am) (?:unable|not able) to|as an ai\b)",
    re.IGNORECASE,
)


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known when a call has ended. `expected_items` None is an answer in plain text.

    `text` is the answer without reasoning, `is_open` that it stops inside its JSON, `broken` why the transport
    gave up, if it did.
    """

    endpoint_name: str
    expected_items: int | None
    max_output_tokens: int
    items: int
    text: str
    refusal: str
    is_open: bool
    is_endless: bool
    is_repeating: bool = False
    finish_reason: str | None
    tokens_out: int | None
    broken: Failure | None


def failure_of(ending: Ending) -> Failure | None:
    """Why the answer is not whole; None when it is. What was received counts for more than how it ended."""
    if ending.expected_items is not None and ending.items >= ending.expected_items:
        return None
    if ending.broken is not None:
        return ending.broken
    for look in (_cut_off, _declined, _empty, _broken_off, _unusable):
        if found := look(ending):
            kind, detail = found
            return Failure(kind=kind, detail=printable(detail))
    return None


def _cut_off(ending: Ending) -> tuple[FailureKind, str] | None:
    if ending.is_endless:
        return (
            "truncated",
            f"{ending.endpoint_name} ignored the limit on output tokens and was cut off{_counted(ending)}.",
        )
    if ending.is_repeating:
        return (
            "repetition",
            f"the model of {ending.endpoint_name} said the same over and over and was cut off{_counted(ending)}.",
        )
    if ending.finish_reason != "length":
        return None
    spent = _counted(ending) if ending.text else ": all of it was spent on reasoning"
    return "truncated", f"{ending.endpoint_name} stopped at the limit of {ending.max_output_tokens} tokens{spent}."


def _declined(ending: Ending) -> tuple[FailureKind, str] | None:
    sounds_so = ending.expected_items is not None and not ending.items and _DECLINES.match(ending.text)
    if not (ending.refusal or ending.finish_reason == "content_filter" or sounds_so):
        return None
    words = ending.refusal or ending.text[:_QUOTED_CHARACTERS] or "content filter"
    return "refusal", f"the model of {ending.endpoint_name} declined: {words}"


def _empty(ending: Ending) -> tuple[FailureKind, str] | None:
    return None if ending.text else ("empty", f"{ending.endpoint_name} sent an empty answer.")


def _broken_off(ending: Ending) -> tuple[FailureKind, str] | None:
    """A stream that just ends, without a reason or a count, was cut off, unless its JSON is whole."""
    if ending.finish_reason is not None or ending.tokens_out is not None:
        return None
    if ending.expected_items is not None and not ending.is_open:
        return None
    return "reset", f"{ending.endpoint_name} ended the stream in the middle of an answer{_counted(ending)}."


def _unusable(ending: Ending) -> tuple[FailureKind, str] | None:
    if ending.expected_items is None:
        return None
    if ending.is_open:
        kind: FailureKind = "truncated" if ending.items else "invalid_output"
        return kind, f"the model of {ending.endpoint_name} stopped in the middle of its JSON{_counted(ending)}."
    if not ending.items:
        return "invalid_output", f"{ending.endpoint_name} sent no usable JSON: {ending.text[:_QUOTED_CHARACTERS]}"
    return None


def _counted(ending: Ending) -> str:
    if ending.expected_items is None:
        return ""
    return f"; {ending.items} of {ending.expected_items} items were finished"
