"""What one server understands of the protocol, and the request body that suits it.

A server that answers 400 to an option is asked again without it, and what worked is remembered by the engine
per endpoint. Where a schema cannot be enforced it is told in words, at the end of the system message, so that
the part of the prompt that calls share stays the same for the server's prefix cache.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from tip_resources.domain.codec import to_json
from tip_resources.llm.types import ChatRequest, Message

_FORMAT_WORDS = re.compile(r"response_format|json_schema|json_object|grammar|schema|structured output", re.IGNORECASE)
_TAKES_JSON_OBJECT = re.compile(r"'json_object'|\"json_object\"", re.IGNORECASE)


def is_refusal(status: int | None, words: str) -> bool:
    """Whether an answer refuses the request for what it asks, not for want of time or room.

    llama-cpp-python answers 500 where it means 422 (llama_cpp/server/errors.py turns every exception into one).
    """
    return status in (400, 422) or (status == 500 and "validation error" in words)


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """The options a server takes; the first guess is that it takes all."""

    structure: Literal["json_schema", "json_object", "words"] = "json_schema"
    reports_usage: bool = True
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    takes_temperature: bool = True
    takes_seed: bool = True

    def body(self, model: str, request: ChatRequest) -> dict[str, Any]:
        """The whole request body: canonical for equal input, with nothing secret in it."""
        messages = request.messages
        body: dict[str, Any] = {"model": model, "stream": True, self.limit_field: request.max_output_tokens}
        if self.reports_usage:
            body["stream_options"] = {"include_usage": True}
        if self.takes_temperature:
            body["temperature"] = request.temperature
        if self.takes_seed and request.seed is not None:
            body["seed"] = request.seed
        if request.json_schema is not None:
            if self.structure == "json_schema":
                schema = {"name": "answer", "strict": True, "schema": request.json_schema}
                body["response_format"] = {"type": "json_schema", "json_schema": schema}
            elif self.structure == "json_object":
                body["response_format"] = {"type": "json_object", "schema": request.json_schema}
            if self.structure != "json_schema":
                messages = with_schema_in_words(messages, request.json_schema)
        body["messages"] = [{"role": message.role, "content": message.content} for message in messages]
        return body

    def after_refusal(self, words: str, body: Mapping[str, Any]) -> "Dialect | None":
        """What to try next when a server answered 400 or 422 with `words`; None when there is nothing left to drop.

        An option that the words name goes first; where they name none, structure goes before the usage report.
        """
        options = (
            (
                "limit_field",
                self.limit_field == "max_tokens" and "max_completion_tokens" in words,
                "max_completion_tokens",
            ),
            ("reports_usage", self.reports_usage and re.search(r"stream_options|include_usage", words), False),
            ("takes_temperature", self.takes_temperature and re.search(r"\btemperature\b", words), False),
            ("takes_seed", "seed" in body and re.search(r"\bseed\b", words), False),
            ("structure", "response_format" in body, self._simpler_structure(words)),
            ("reports_usage", self.reports_usage and not _FORMAT_WORDS.search(words), False),
        )
        for field, applies, value in options:
            if applies:
                return msgspec.structs.replace(self, **{field: value})
        return None

    def _simpler_structure(self, words: str) -> str:
        # llama-cpp-python refuses json_schema by naming what it takes: json_object with a schema beside it.
        return "json_object" if self.structure == "json_schema" and _TAKES_JSON_OBJECT.search(words) else "words"


def with_schema_in_words(messages: tuple[Message, ...], schema: Mapping[str, Any]) -> tuple[Message, ...]:
    """The same messages with the schema told at the end of the (first) system message."""
    words = (
        "Answer with one JSON document and nothing else: no explanation, no code fence. "
        f"It must follow this JSON schema:\n{to_json(schema).decode()}"
    )
    if messages and messages[0].role == "system":
        return (Message("system", f"{messages[0].content}\n\n{words}"), *messages[1:])
    return (Message("system", words), *messages)
