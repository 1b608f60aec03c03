"""One streamed chat completion over HTTP. Knows no items, no retries, no other endpoint.

Whatever goes wrong comes out as `CallBroken` with a `Failure`; only cancellation passes through as it is. What
leaves the machine stands in stream_client.py, the format in event_stream.py. Importing this costs a quarter of a
second (aiohttp): the engine does so when it is made.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

import aiohttp
import msgspec
from aiohttp.http_exceptions import HttpProcessingError

from tip_resources.llm.event_stream import ErrorInStream, EventStream, delta_of
from tip_resources.llm.failures import error_in_answer, http_failure, looks_like_html, not_openai, printable
from tip_resources.llm.pacing import SIP_SECONDS, Sips
from tip_resources.llm.silence import SilenceGuard
from tip_resources.llm.stream_client import Target, new_session, target_of
from tip_resources.llm.transport import CallBroken, Delta, OnDelta
from tip_resources.llm.types import Endpoint, Failure
from tip_resources.settings.models import EngineSettings

_EVENT_STREAM = "text/event-stream"
_FIRST_ERROR_STATUS = 300  # redirects are not followed
_WIRE_FAULTS = (aiohttp.ClientError, HttpProcessingError, OSError)
# aiohttp's word for reading on when it has closed the connection itself, because of bytes that are no HTTP.
_READ_FAULTS = (*_WIRE_FAULTS, RuntimeError)
# After the last event the server still has to end the response; a connection that ends it in time is used again.
_ENDING_SECONDS = 1.0


class HttpTransport:
    """Calls through one aiohttp session, without retries of its own and without a limit on the whole call."""

    def __init__(self, settings: EngineSettings, wall: Callable[[], datetime]) -> None:
        self._settings = settings
        self._wall = wall
        self._session: aiohttp.ClientSession | None = None
        self._targets: dict[Endpoint, Target] = {}
        self._sips = Sips()
        self._endings: set[asyncio.Task[None]] = set()

    def follow(self, settings: EngineSettings) -> None:
        """These hold from now on, the time to connect from the next session on."""
        self._settings = settings

    async def call(self, endpoint: Endpoint, body: Mapping[str, Any], on_delta: OnDelta) -> None:
        """See `Transport.call`."""
        progress = _Progress(endpoint, self._settings)
        try:
            async with SilenceGuard(self._settings.first_token_timeout_seconds) as guard:
                response = await self._send(endpoint, body, progress)
                try:
                    await self._read(response, progress, guard, on_delta)
                finally:
                    self._leave(response, progress)
        except TimeoutError as error:
            raise CallBroken(progress.silence()) from error

    async def aclose(self) -> None:
        """Closes all connections; streams that are still open end at once."""
        session, self._session = self._session, None
        self._sips = Sips()
        for ending in self._endings:
            ending.cancel()
        if session is not None:
            await session.close()

    async def _send(self, endpoint: Endpoint, body: Mapping[str, Any], progress: "_Progress") -> aiohttp.ClientResponse:
        """Sends the request; returns when the head of the answer has come."""
        if self._session is None:
            self._session = new_session(self._settings.connect_timeout_seconds)
        content = msgspec.json.encode(body)  # in the order it has: a schema's order is the answer's
        try:
            target = self._targets.get(endpoint)
            if target is None:
                target = self._targets[endpoint] = target_of(endpoint)
            return await self._session.post(target.url, data=content, **target.options)
        except (*_WIRE_FAULTS, ValueError) as error:
            raise CallBroken(progress.connection(error)) from error

    async def _read(
        self, response: aiohttp.ClientResponse, progress: "_Progress", guard: SilenceGuard, on_delta: OnDelta
    ) -> None:
        """Hands on what comes until the answer ends."""
        endpoint = progress.endpoint
        kind = response.headers.get("content-type", _EVENT_STREAM).partition(";")[0].strip().lower()
        if response.status >= _FIRST_ERROR_STATUS:
            raw = await self._whole(response, progress)
            failure = http_failure(endpoint, response.status, _error_body(raw), response.headers, self._wall())
            raise CallBroken(failure, response.status)
        if kind == "application/json":
            answer = _whole_answer(endpoint, await self._whole(response, progress), response.charset)
            await self._hand_on(answer, progress, guard, on_delta)
            return
        if kind == "text/html":
            raise CallBroken(not_openai(endpoint, "a web page"))
        stream = EventStream()
        await self._read_stream(stream, response, progress, guard, on_delta)
        if isinstance(stream.fault, ErrorInStream):
            raise CallBroken(error_in_answer(endpoint, stream.fault.body))
        if stream.fault is not None:
            detail = f"{endpoint.name} sent a stream that is not JSON: {printable(str(stream.fault), endpoint)}"
            raise CallBroken(Failure(kind="reset", detail=detail))
        if progress.is_at_end and not stream.has_chunks and kind != _EVENT_STREAM:
            raise CallBroken(not_openai(endpoint, f"an answer of type {printable(kind)}"))

    async def _read_stream(
        self,
        stream: EventStream,
        response: aiohttp.ClientResponse,
        progress: "_Progress",
        guard: SilenceGuard,
        on_delta: OnDelta,
    ) -> None:
        now = asyncio.get_running_loop().time
        read_at = 0.0
        while data := await self._next(response, progress):
            delta = stream.feed(data)
            if delta is not None and await self._hand_on(delta, progress, guard, on_delta):
                return
            if stream.is_done or stream.fault is not None:
                break
            before, read_at = read_at, now()
            if delta is not None and (delta.tokens > 1 or read_at - before < SIP_SECONDS):
                self._sips.pause(response)
        progress.is_at_end = stream.fault is None

    async def _hand_on(self, delta: Delta, progress: "_Progress", guard: SilenceGuard, on_delta: OnDelta) -> bool:
        """Gives a delta to its reader, whose slowness is no silence; True when nothing that follows is wanted."""
        if delta.is_token and not progress.has_token:
            progress.has_token = True
            guard.allow(self._settings.between_tokens_timeout_seconds)
        elif delta.is_token:
            guard.heard()
        guard.hold()
        is_enough = await on_delta(delta)
        guard.release()
        return is_enough

    async def _next(self, response: aiohttp.ClientResponse, progress: "_Progress") -> bytes:
        """The next bytes; b"" at the end."""
        try:
            data = await response.content.readany()
        except _READ_FAULTS as error:
            data = _unread(response)
            if not data:
                raise CallBroken(progress.connection(error)) from error
            response.content.set_exception(error)
        progress.received += len(data)
        if progress.received > self._settings.max_answer_megabytes * 1_000_000:
            raise CallBroken(progress.too_long())
        return data

    async def _whole(self, response: aiohttp.ClientResponse, progress: "_Progress") -> bytes:
        parts: list[bytes] = []
        while data := await self._next(response, progress):
            parts.append(data)
        return b"".join(parts)

    def _leave(self, response: aiohttp.ClientResponse, progress: "_Progress") -> None:
        """Gives the connection back if all of the answer was read, which may take a moment; else closes it."""
        if progress.is_at_end and not response.content.at_eof():
            ending = asyncio.create_task(_read_to_end(response))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)
        else:
            response.release()


class _Progress:
    """How far a call came, and what its end means by that."""

    def __init__(self, endpoint: Endpoint, settings: EngineSettings) -> None:
        self.endpoint = endpoint
        self._settings = settings
        self.has_token = False
        self.is_at_end = False  # the last event has come
        self.received = 0  # bytes

    def silence(self) -> Failure:
        """Nothing was heard for too long."""
        settings = self._settings
        if self.has_token:
            silent = f"between two tokens for {settings.between_tokens_timeout_seconds:g} s"
            name = "engine.between_tokens_timeout_seconds"
        else:
            silent = f"before the first token for {settings.first_token_timeout_seconds:g} s"
            name = "engine.first_token_timeout_seconds"
        detail = f"{self.endpoint.name} was silent {silent}. If it is only slow, raise {name}."
        return Failure(kind="timeout", detail=detail)

    def too_long(self) -> Failure:
        """The server sent more than we take."""
        most = self._settings.max_answer_megabytes
        detail = f"{self.endpoint.name} sent more than {most} MB without coming to an end."
        return Failure(kind="truncated" if self.has_token else "protocol", detail=detail)

    def connection(self, error: Exception) -> Failure:
        """The connection did not come about, or broke."""
        name, said = self.endpoint.name, printable(str(error) or type(error).__name__, self.endpoint)
        if self.has_token:
            return Failure(kind="reset", detail=f"{name} broke the connection in the middle of an answer ({said}).")
        is_late = isinstance(error, aiohttp.ConnectionTimeoutError)
        if is_late or isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ClientSSLError, ValueError)):
            reason = f"no connection within {self._settings.connect_timeout_seconds:g} s" if is_late else said
            detail = f"{name} cannot be reached at {self.endpoint.url} ({reason}). Is the server running?"
            return Failure(kind="connect", detail=detail)
        detail = f"{name} broke the connection before the first token ({said})."
        return Failure(kind="connect", detail=detail, was_sent=True)


def _unread(response: aiohttp.ClientResponse) -> bytes:
    """What came before the connection broke, while nobody was reading; aiohttp would drop it."""
    content = response.content
    content.set_exception(None)  # pyright: ignore[reportArgumentType]
    return content.read_nowait()


async def _read_to_end(response: aiohttp.ClientResponse) -> None:
    try:
        with suppress(*_READ_FAULTS):
            async with asyncio.timeout(_ENDING_SECONDS):
                while await response.content.readany():
                    pass
    finally:
        response.release()


def _as_declared(raw: bytes, charset: str | None) -> str | bytes:
    try:
        return raw.decode(charset or "")
    except (LookupError, ValueError):
        return raw


def _error_body(raw: bytes) -> Any:
    """The error object of an answer that is none, or its text."""
    text = raw.decode("utf-8", "replace").strip()
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return (body.get("error") or body) if isinstance(body, dict) else body


def _whole_answer(endpoint: Endpoint, raw: bytes, charset: str | None) -> Delta:
    """The answer of a server that does not stream, in the character set it names; else in UTF-8, -16 or -32."""
    try:
        body = json.loads(_as_declared(raw, charset))
    except (ValueError, RecursionError) as error:
        found = "JSON that is not UTF-8" if isinstance(error, UnicodeDecodeError) else "no valid JSON"
        if looks_like_html(raw[:500].decode("utf-8", "replace")):
            found = "a web page"
        raise CallBroken(not_openai(endpoint, found)) from error
    if isinstance(body, dict) and body.get("error"):
        raise CallBroken(error_in_answer(endpoint, body["error"]))
    if not isinstance(body, dict) or not isinstance(body.get("choices"), list):
        raise CallBroken(not_openai(endpoint, "JSON that is no chat completion"))
    return delta_of(body, "message")
