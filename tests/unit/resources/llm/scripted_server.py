"""A real HTTP server on loopback that does to a client whatever a test asks: the good answers and every fault.

It runs on the test's own event loop. A reply is a coroutine function that writes to the connection.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tip_resources.llm.types import Endpoint

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]
Page = tuple[int, str, bytes]

MODELS = {"object": "list", "data": [{"id": "phi-4", "object": "model", "owned_by": "test"}]}


class Asked:
    """One request as it came."""

    def __init__(self, path: str, headers: Mapping[str, str], body: Any) -> None:
        self.path = path
        self.headers = headers
        self.body = body


class ScriptedServer:
    """Answers chat completions with `replies` in order; the last one answers all that follow."""

    def __init__(
        self,
        replies: Sequence[Reply] | Callable[[Asked], Reply] = (),
        *,
        models: Any = MODELS,
        pages: Mapping[str, Page] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._host = host
        self._replies = replies
        self._pages = dict(pages or {})
        self._pages.setdefault("/v1/models", json_page(models))
        self.asked: list[Asked] = []
        self.paths: list[str] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.closed_by_client = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> "ScriptedServer":
        self._server = await asyncio.start_server(self._serve, self._host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://{self._host}:{self.port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def endpoint(self, name: str = "box", **fields: Any) -> Endpoint:
        return Endpoint(**{"name": name, "url": self.url, "model": "phi-4", **fields})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            raw = await reader.readexactly(int(headers.get("content-length", "0")))
            self.paths.append(path)
            if path.endswith("/chat/completions"):
                await self._complete(Asked(path, headers, json.loads(raw)), reader, writer)
            else:
                status, kind, content = self._pages.get(path, (404, "text/plain", b"not here"))
                await respond(writer, status, content, {"Content-Type": kind})
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            self._tasks.discard(task)
            writer.close()

    async def until_idle(self) -> None:
        """Waits until no call is under way any more."""
        while self.in_flight:
            await asyncio.sleep(0.005)

    async def _complete(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(self.asked)
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if callable(self._replies):
                reply = self._replies(asked)
            else:
                reply = self._replies[min(number, len(self._replies) - 1)]
            talk = asyncio.ensure_future(reply(writer))
            leave = asyncio.ensure_future(reader.read(1))
            await asyncio.wait((talk, leave), return_when=asyncio.FIRST_COMPLETED)
            if not talk.done():
                self.closed_by_client += 1
            talk.cancel()
            leave.cancel()
            await asyncio.gather(talk, leave, return_exceptions=True)
        finally:
            self.in_flight -= 1


def json_page(document: Any, status: int = 200) -> Page:
    return status, "application/json", json.dumps(document).encode()


async def respond(writer: asyncio.StreamWriter, status: int, content: bytes, headers: Mapping[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + content)
    await writer.drain()


async def begin_stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n")
    writer.write(b"Connection: close\r\n\r\n")
    await writer.drain()


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()


async def send_event(writer: asyncio.StreamWriter, document: Any) -> None:
    await send(writer, b"data: " + json.dumps(document).encode() + b"\n\n")


async def send_text(writer: asyncio.StreamWriter, text: str, size: int = 7) -> None:
    for at in range(0, len(text), size):
        await send_event(writer, {"choices": [{"index": 0, "delta": {"content": text[at : at + size]}}]})


def says(text: str, *, finish: str | None = "stop", usage: bool = True, size: int = 7) -> Reply:
    """A streamed answer that ends as a server ends one."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        await begin_stream(writer)
        await send_event(writer, {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        await send_text(writer, text, size)
        if finish:
            await send_event(writer, {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        if usage:
            await send_event(writer, {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 22}})
        await send(writer, b"data: [DONE]\n\n")
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    return reply


def slowly(reply: Reply, seconds: float = 0.005) -> Reply:
    """The same after a moment's thought, so that calls overlap."""

    async def thinks_first(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await reply(writer)

    return thinks_first


def answers(status: int, content: Any, **headers: str) -> Reply:
    """An answer that is no stream; dicts as JSON."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        is_text = isinstance(content, str)
        raw = content.encode() if is_text else json.dumps(content).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await respond(writer, status, raw, {"Content-Type": "text/plain" if is_text else "application/json"} | named)

    return reply


def resets(text: str = "") -> Reply:
    """Breaks the connection, at once or after some text."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        if text:
            await begin_stream(writer)
            await send_text(writer, text)
        writer.transport.abort()

    return reply


def hangs(text: str = "") -> Reply:
    """Says nothing more, at once or after some text, and keeps the connection."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        if text:
            await begin_stream(writer)
            await send_text(writer, text)
        await asyncio.sleep(3600)

    return reply


def sends_raw(*parts: bytes) -> Reply:
    """A stream of the given bytes, ended properly."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        await begin_stream(writer)
        for part in parts:
            await send(writer, part)
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    return reply


def never_ends(text: str) -> Reply:
    """Repeats itself until the client has enough."""

    async def reply(writer: asyncio.StreamWriter) -> None:
        await begin_stream(writer)
        while True:
            await send_text(writer, text, size=len(text))
            await asyncio.sleep(0)

    return reply
