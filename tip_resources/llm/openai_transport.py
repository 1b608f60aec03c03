"""One streamed chat completion over HTTP, through the `openai` client. Knows no items, no retries, no other endpoint.

Whatever goes wrong comes out as `CallBroken` with a `Failure`; only cancellation passes through as it is.
Importing this costs half a second (openai): the engine does so when it is made.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any

import httpx2
from openai import APIConnectionError, APIError, APIStatusError, AsyncOpenAI, AsyncStream

from tip_resources.llm.failures import error_in_answer, http_failure, looks_like_html, not_openai, printable
from tip_resources.llm.http_client import AnswerTooLong, new_client
from tip_resources.llm.silence import SilenceGuard
from tip_resources.llm.transport import CallBroken, Delta, OnDelta
from tip_resources.llm.types import Endpoint, Failure
from tip_resources.settings.models import EngineSettings

_EVENT_STREAM = "text/event-stream"


class OpenAITransport:
    """Calls through `AsyncOpenAI`, one client per server and key, without its own retries and whole-call timeout."""

    def __init__(self, settings: EngineSettings, wall: Callable[[], datetime]) -> None:
        self._settings = settings
        self._wall = wall
        self._clients: dict[tuple[str, str], AsyncOpenAI] = {}

    async def call(self, endpoint: Endpoint, body: Mapping[str, Any], on_delta: OnDelta) -> None:
        """See `Transport.call`."""
        progress = _Progress(endpoint, self._settings)
        try:
            async with (
                SilenceGuard(self._settings.first_token_timeout_seconds) as guard,
                aclosing(self._deltas(endpoint, body)) as deltas,
            ):
                async for delta in deltas:
                    if delta.is_token and not progress.has_token:
                        progress.has_token = True
                        guard.allow(self._settings.between_tokens_timeout_seconds)
                    elif delta.is_token:
                        guard.heard()
                    guard.hold()
                    is_enough = await on_delta(delta)
                    guard.release()
                    if is_enough:
                        return
        except TimeoutError as error:
            raise CallBroken(progress.silence()) from error
        except APIStatusError as error:
            failure = http_failure(endpoint, error.status_code, error.body, error.response.headers, self._wall())
            raise CallBroken(failure, error.status_code) from error
        except (APIConnectionError, httpx2.TransportError, httpx2.StreamError) as error:
            raise CallBroken(progress.connection(error)) from error
        except APIError as error:
            raise CallBroken(error_in_answer(endpoint, error.body)) from error
        except (httpx2.DecodingError, json.JSONDecodeError, UnicodeDecodeError) as error:
            detail = f"{endpoint.name} sent a stream that is not JSON: {printable(str(error), endpoint)}"
            raise CallBroken(Failure(kind="reset", detail=detail)) from error

    async def aclose(self) -> None:
        """Closes all connections; streams that are still open end at once."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()

    async def _deltas(self, endpoint: Endpoint, body: Mapping[str, Any]) -> AsyncGenerator[Delta, None]:
        # cast_to=object gives plain dicts: no model is built for each token, and odd fields do no harm.
        stream = await self._client(endpoint).post(
            "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=AsyncStream[object]
        )
        try:
            kind = stream.response.headers.get("content-type", _EVENT_STREAM).partition(";")[0].strip().lower()
            if kind == "application/json":
                yield _whole_answer(endpoint, await stream.response.aread())
                return
            if kind == "text/html":
                raise CallBroken(not_openai(endpoint, "a web page"))
            has_chunks = False
            async for chunk in stream:
                if isinstance(chunk, dict):
                    has_chunks = True
                    yield _delta(chunk, "delta")
            if not has_chunks and kind != _EVENT_STREAM:
                raise CallBroken(not_openai(endpoint, f"an answer of type {printable(kind)}"))
        finally:
            await stream.close()

    def _client(self, endpoint: Endpoint) -> AsyncOpenAI:
        key = endpoint.api_key.get_secret_value() if endpoint.api_key is not None else ""
        client = self._clients.get((endpoint.url, key))
        if client is None:
            settings = self._settings
            http = new_client(
                endpoint.url,
                key,
                connect_seconds=settings.connect_timeout_seconds,
                read_seconds=None,
                most_bytes=settings.max_answer_megabytes * 1_000_000,
            )
            # Its own key is never sent: new_client decides what leaves, whatever the environment holds.
            client = AsyncOpenAI(
                base_url=endpoint.url, api_key="unused", max_retries=0, timeout=http.timeout, http_client=http
            )
            self._clients[endpoint.url, key] = client
        return client


class _Progress:
    """How far a call came, and what its end means by that."""

    def __init__(self, endpoint: Endpoint, settings: EngineSettings) -> None:
        self._endpoint = endpoint
        self._settings = settings
        self.has_token = False

    def silence(self) -> Failure:
        """Nothing was heard for too long."""
        settings = self._settings
        if self.has_token:
            silent = f"between two tokens for {settings.between_tokens_timeout_seconds:g} s"
            name = "engine.between_tokens_timeout_seconds"
        else:
            silent = f"before the first token for {settings.first_token_timeout_seconds:g} s"
            name = "engine.first_token_timeout_seconds"
        detail = f"{self._endpoint.name} was silent {silent}. If it is only slow, raise {name}."
        return Failure(kind="timeout", detail=detail)

    def connection(self, error: Exception) -> Failure:
        """The connection did not come about, or broke."""
        cause = error.__cause__ if isinstance(error, APIConnectionError) and error.__cause__ else error
        name, said = self._endpoint.name, printable(str(cause) or type(cause).__name__, self._endpoint)
        if isinstance(cause, AnswerTooLong):
            detail = f"{name} sent more than {self._settings.max_answer_megabytes} MB without coming to an end."
            return Failure(kind="truncated" if self.has_token else "protocol", detail=detail)
        if self.has_token:
            return Failure(kind="reset", detail=f"{name} broke the connection in the middle of an answer ({said}).")
        if isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout)):
            what = f"no connection within {self._settings.connect_timeout_seconds:g} s"
            reason = what if isinstance(cause, httpx2.TimeoutException) else said
            detail = f"{name} cannot be reached at {self._endpoint.url} ({reason}). Is the server running?"
            return Failure(kind="connect", detail=detail)
        detail = f"{name} broke the connection before the first token ({said})."
        return Failure(kind="connect", detail=detail, was_sent=True)


def _whole_answer(endpoint: Endpoint, raw: bytes) -> Delta:
    """The answer of a server that does not stream."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        found = "a web page" if looks_like_html(raw[:500].decode("utf-8", "replace")) else "no valid JSON"
        raise CallBroken(not_openai(endpoint, found)) from error
    if isinstance(body, dict) and body.get("error"):
        raise CallBroken(error_in_answer(endpoint, body["error"]))
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise CallBroken(not_openai(endpoint, "JSON that is no chat completion"))
    return _delta(body, "message")


def _delta(chunk: Mapping[str, Any], field: str) -> Delta:
    """What one chunk says; fields of the wrong type say nothing."""
    usage = chunk.get("usage")
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    choices = chunk.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get(field)
    message = message if isinstance(message, dict) else {}
    text, refusal = _text(message, "content"), _text(message, "refusal")
    reasoning = _text(message, "reasoning_content") or _text(message, "reasoning")
    reason = choice.get("finish_reason")
    return Delta(
        text=text,
        refusal=refusal,
        finish_reason=reason if isinstance(reason, str) else None,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        is_token=bool(text or refusal or reasoning),
        tokens=int(bool(text or refusal or reasoning)),
    )


def _text(message: Mapping[str, Any], field: str) -> str:
    value = message.get(field)
    return value if isinstance(value, str) else ""


def _count(usage: Any, field: str) -> int | None:
    value = usage.get(field) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else None
