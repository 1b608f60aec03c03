"""One question to one model: for the refinement of requests and for judges. Bulk work goes through the engine."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.failures import CallFailed, CallImpossible
from tip_resources.llm.transport import Transport
from tip_resources.llm.types import ChatRequest, Endpoint, Item, Message, RequestDone
from tip_resources.settings.models import EngineSettings

_MOST_OUTPUT_TOKENS = 2048
_TRIES = 3  # an answer that does not follow the schema is asked for again, a little warmer each time
_WARMER = 0.3
# Somebody waits for this answer: a server that is down is not waited for as long as a data set would.
_PATIENCE_SECONDS = 10.0
_LASTING = frozenset({"auth", "bad_request", "context_overflow", "model_missing", "protocol", "refusal"})


async def ask_json(
    endpoint: Endpoint,
    messages: Sequence[Message],
    json_schema: dict[str, Any],
    settings: EngineSettings,
    *,
    max_output_tokens: int = _MOST_OUTPUT_TOKENS,
    temperature: float = 0.0,
    transport: Transport | None = None,
    on_done: Callable[[RequestDone], None] = lambda done: None,
) -> Any:
    """Asks for one JSON document; returns it, checked against `json_schema`.

    `on_done` is told of every request that this took, those that came to nothing included, for it may cost money.

    Raises:
        CallFailed: The server or the model could not answer; trying later may help.
        CallImpossible: Only a person can mend it (key, model name, address); the message says how.
    """
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json_schema)
    complaint = ""
    for attempt in range(_TRIES):
        request = ChatRequest(
            request_id=f"ask-{attempt}",
            messages=tuple(messages),
            max_output_tokens=max_output_tokens,
            temperature=temperature + attempt * _WARMER,
            json_schema=json_schema,
            items_key=None,
        )
        item, _ = await _ask(endpoint, request, settings, transport, on_done)
        value = None if item is None else item.value
        error = next(iter(validator.iter_errors(value)), None)
        if error is None:
            return value
        complaint = f"{error.json_path}: {error.message[:200]}"
    schema = json.dumps(sorted(json_schema.get("properties", {})))
    raise CallFailed(
        "invalid_output",
        f"{endpoint.model} on {endpoint.name} did not follow the schema {schema} in {_TRIES} tries ({complaint}).",
    )


async def ask_text(
    endpoint: Endpoint,
    messages: Sequence[Message],
    settings: EngineSettings,
    *,
    max_output_tokens: int = _MOST_OUTPUT_TOKENS,
    temperature: float = 0.0,
    transport: Transport | None = None,
) -> str:
    """Asks for plain text; returns it without any reasoning.

    Raises:
        CallFailed: The server or the model could not answer; trying later may help.
        CallImpossible: Only a person can mend it (key, model name, address); the message says how.
    """
    request = ChatRequest(
        request_id="ask", messages=tuple(messages), max_output_tokens=max_output_tokens, temperature=temperature
    )
    _, done = await _ask(endpoint, request, settings, transport)
    return done.raw_text


async def _ask(
    endpoint: Endpoint,
    request: ChatRequest,
    settings: EngineSettings,
    transport: Transport | None,
    on_done: Callable[[RequestDone], None] = lambda done: None,
) -> tuple[Item | None, RequestDone]:
    quick = settings.model_copy(
        update={
            "retries": 1,
            "breaker_failures": 2,
            "unavailable_limit_seconds": min(settings.unavailable_limit_seconds, _PATIENCE_SECONDS),
        }
    )
    found: Item | None = None
    async with RequestEngine([endpoint], quick, transport=transport) as engine:
        async for event in engine.run([request]):
            if isinstance(event, Item):
                found = event
                continue
            on_done(event)
            if event.failure is not None and found is None:
                raise (CallImpossible if event.failure in _LASTING else CallFailed)(event.failure, event.detail)
            return found, event
    raise AssertionError("the engine ends every request")
