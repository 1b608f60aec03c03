"""A chat completion request as the server understands it. Reading and checking only; answering is in answers.py."""

import json
from dataclasses import dataclass
from typing import Any

from tip_resources.rehearsal.knobs import MODEL
from tip_resources.rehearsal.wire import ApiError


@dataclass(frozen=True)
class ChatBody:
    """What a request asks for, checked. `prompt` is all `messages` (role, text) as one; no token limit is None."""

    messages: tuple[tuple[str, str], ...]
    prompt: str
    last_user_text: str
    seed: str
    is_streamed: bool
    wants_usage: bool
    max_tokens: int | None
    response_format: dict[str, Any]


def read_body(raw: bytes) -> ChatBody:
    """Checks a request body.

    Raises:
        ApiError: 400 for what cannot be read, 404 for another model.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, f"The request body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ApiError(400, "The request body is not a JSON object.")
    if body.get("model") != MODEL:
        message = f"The model {body.get('model')!r} does not exist. This scripted server has one: {MODEL!r}."
        raise ApiError(404, message, code="model_not_found", param="model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise ApiError(400, "'messages' must be a list with at least one message.", param="messages")
    if body.get("n") not in (None, 1):
        raise ApiError(400, "This scripted server gives one choice: 'n' must be 1.", param="n")
    roles_and_texts = [_message(number, message) for number, message in enumerate(messages)]
    return ChatBody(
        messages=tuple(roles_and_texts),
        prompt="".join(f"{role}\n{text}\n" for role, text in roles_and_texts),
        last_user_text=next((text for role, text in reversed(roles_and_texts) if role == "user"), ""),
        seed=str(body.get("seed")),
        is_streamed=body.get("stream") is True,
        wants_usage=_object(body, "stream_options").get("include_usage") is True,
        max_tokens=_max_tokens(body),
        response_format=_object(body, "response_format"),
    )


def _message(number: int, message: Any) -> tuple[str, str]:
    where = f"messages[{number}]"
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise ApiError(400, f"{where} is not an object with a role.", param=where)
    content = message.get("content")
    if isinstance(content, list) and all(isinstance(part, dict) and "text" in part for part in content):
        content = "".join(str(part["text"]) for part in content)
    if not isinstance(content, str):
        raise ApiError(400, f"{where}.content is not text.", param=f"{where}.content")
    return message["role"], content


def _max_tokens(body: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ApiError(400, f"'{name}' must be a whole number above 0.", param=name)
        return value
    return None


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(400, f"'{name}' must be an object.", param=name)
    return value
