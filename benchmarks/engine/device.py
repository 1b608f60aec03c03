"""A simulated model server that costs next to nothing, so that on a small machine it is not what is measured.

It speaks just enough HTTP/1.1 and OpenAI for the engine: chat completions as a stream or whole, the list of models,
`/stats`. Answers are rendered beforehand (answers.py); speed and slots are in pacing.py. `tip rehearsal` is the
server for trying tip out; this one is only for measuring.

    python -m benchmarks.engine.device --port 0 --knee 6 --slots 32 --time-scale 0.05
"""

import argparse
import asyncio
import gc
import json
import random
import re
import socket
import struct
import sys
import threading
from collections import Counter
from typing import Any

from benchmarks.engine.answers import Answer, answer_to
from benchmarks.engine.device_options import FAULTS, read_options
from benchmarks.engine.pacing import Pacing
from benchmarks.engine.speed import Change, Speed, read_schedule

_RID = re.compile(rb"RID\d{6}")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_IS_STREAMED = re.compile(rb'"stream":\s*true')
_MODELS = {"object": "list", "data": [{"id": "device", "object": "model", "created": 0, "owned_by": "benchmark"}]}
_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Device:
    """What the connections of one server share."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        speed = Speed(alone=options.tokens_per_second, knee=options.knee, loss=options.loss)
        self.pacing = Pacing(speed, options.slots, options.time_scale, options.first_token_ms / 1000)
        self.connections: set[Connection] = set()
        self.asked: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.repeats = 0
        self.is_away = False
        self._loop = asyncio.get_running_loop()
        self._schedule = read_schedule(options.schedule) if options.schedule else ()
        self._server: asyncio.Server | None = None
        self._port = options.port
        self._first_at: float | None = None
        self._last_at = 0.0

    async def listen(self) -> int:
        """Opens the port, the same one each time; gives its number."""
        self._server = await self._loop.create_server(
            lambda: Connection(self), "127.0.0.1", self._port, backlog=1024, reuse_address=sys.platform != "win32"
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    def first_request(self) -> None:
        """The schedule begins with the first request for an answer."""
        if self._first_at is not None:
            return
        self._first_at = self._loop.time()
        for change in self._schedule:
            self._loop.call_later(change.at * self.options.time_scale, self._apply, change)

    def fault_of(self, rid: str) -> str | None:
        """What goes wrong with this call: decided by the request and how often it came, not by who sends it."""
        drawn = random.Random(f"{self.options.fault_seed}/{rid}/{self.asked[rid]}").random()
        for kind in FAULTS:
            drawn -= getattr(self.options, f"{kind}_share")
            if drawn < 0:
                return kind
        return None

    def is_answered(self, rid: str) -> None:
        """A whole answer has left."""
        self.answered[rid] += 1
        self._last_at = self._loop.time()
        self.outcomes["ok"] += 1

    def stats(self) -> dict[str, Any]:
        """The counts; times are simulated seconds, `active_seconds` by how many streams ran."""
        best, pacing = self.pacing.speed.best, self.pacing
        span = 0.0 if self._first_at is None else max(0.0, self._last_at - self._first_at) / self.options.time_scale
        return {
            "requests": self.asked.total(),
            "answered": len(self.answered),
            "repeats_of_answered": self.repeats,
            "outcomes": dict(self.outcomes),
            "tokens": round(pacing.tokens),
            "seconds": round(span, 2),
            "seconds_until_now": 0.0 if self._first_at is None else round(self._since_first(), 2),
            "share_of_best": round(pacing.tokens / (span * best), 4) if span else None,
            "active_seconds": {str(n): round(s, 2) for n, s in sorted(pacing.active_seconds.items())},
        }

    def _since_first(self) -> float:
        return (self._loop.time() - (self._first_at or 0.0)) / self.options.time_scale

    def _apply(self, change: Change) -> None:
        if change.knee is not None:
            knee = change.knee
            self.pacing.change(lambda: setattr(self.pacing, "speed", self.pacing.speed.with_knee(knee)))
        elif change.away == "hang":
            self.pacing.change(lambda: setattr(self.pacing, "is_frozen", True))
        elif change.away == "refuse":
            self.is_away = True
            assert self._server is not None
            self._server.close()
            for connection in list(self.connections):
                connection.reset()
        else:
            self.pacing.change(lambda: setattr(self.pacing, "is_frozen", False))
            if self.is_away:
                self.is_away = False
                self._back = self._loop.create_task(self.listen())


class Connection(asyncio.Protocol):
    """One client connection; requests on it come one after the other."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._buffer = b""
        self._call: Call | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._device.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._device.connections.discard(self)
        self.end_call()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        while (head_end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:head_end]
            found = _LENGTH.search(head)
            end = head_end + 4 + (int(found.group(1)) if found else 0)
            if len(self._buffer) < end:
                return
            body, self._buffer = self._buffer[head_end + 4 : end], self._buffer[end:]
            self._request(head.split(b" ", 2)[1], body)

    def send_json(self, status: str, document: Any, headers: str = "") -> None:
        """A whole answer."""
        self.send_whole(status, json.dumps(document).encode(), headers)

    def send_whole(self, status: str, body: bytes, headers: str = "") -> None:
        """A whole answer, rendered already."""
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        self.transport.write(head.encode() + body)

    def end_call(self) -> None:
        """Nothing more is to be said to the request under way."""
        if (call := self._call) is not None:
            self._call = None
            self._device.pacing.remove(call)

    def reset(self) -> None:
        """Breaks the connection as a server that dies does."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self.transport.abort()

    def _request(self, path: bytes, body: bytes) -> None:
        device = self._device
        if path.endswith(b"/chat/completions"):
            self._chat(body)
        elif path.endswith(b"/models"):
            self.send_json("200 OK", _MODELS)
        elif path == b"/stats":
            device.pacing.change(lambda: None)
            self.send_json("200 OK", device.stats())
        else:
            self.send_json("404 Not Found", {"error": {"message": "no such page", "type": "not_found"}})

    def _chat(self, body: bytes) -> None:
        device, options = self._device, self._device.options
        device.first_request()
        rids = _RID.findall(body)
        rid = rids[-1].decode() if rids else "none"
        device.asked[rid] += 1
        device.repeats += rid in device.answered
        if options.when_full == "429" and device.pacing.is_full:
            device.outcomes["429"] += 1
            error = {"error": {"message": "all slots are busy", "type": "rate_limit_error"}}
            after = "" if options.retry_after is None else f"retry-after: {options.retry_after}\r\n"
            self.send_json("429 Too Many Requests", error, after)
            return
        fault = device.fault_of(rid)
        if fault is not None:
            device.outcomes[fault] += 1
        if fault == "error":
            error = {"error": {"message": "simulated failure", "type": "server_error"}}
            self.send_json("500 Internal Server Error", error)
            return
        answer = answer_to(rid, options.answer_tokens, options.chunk_tokens)
        is_streamed = not options.plain and _IS_STREAMED.search(body) is not None
        self._call = Call(device, self, rid, answer, fault, is_streamed)
        device.pacing.add(self._call)


class Call:
    """One answer under way."""

    def __init__(
        self, device: Device, connection: Connection, rid: str, answer: Answer, fault: str | None, is_streamed: bool
    ) -> None:
        self._device, self._connection, self._rid, self._answer = device, connection, rid, answer
        self._fault, self._is_streamed = fault, is_streamed
        self._chunk_tokens = device.options.chunk_tokens
        self._chunks_sent = self._bytes_sent = 0
        # A call that hangs does so before its first token or in the middle, by the number in its name.
        self._hangs_at_once = fault == "hang" and int(rid[3:] or 0) % 2 == 0 if rid != "none" else False
        self.tokens = answer.tokens / 2 if fault else float(answer.tokens)

    def start(self) -> None:
        """See Stream."""
        if self._hangs_at_once:
            self._device.pacing.hang(self)
        elif self._is_streamed:
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            self._connection.transport.write(head)

    def advance(self, tokens: float) -> None:
        """See Stream."""
        due = min(int(tokens / self._chunk_tokens), len(self._answer.ends))
        if self._is_streamed and due > self._chunks_sent:
            self._chunks_sent = due
            self._write(self._answer.ends[due - 1])

    def finish(self) -> None:
        """See Stream."""
        match self._fault:
            case "reset":
                self._connection.reset()
                return
            case "hang":
                self._device.pacing.hang(self)
                return
            case "truncated":
                self.advance(self.tokens)
                self._end(self._answer.cut_end)
            case _:
                self._write(len(self._answer.body))
                self._end(self._answer.end)
                self._device.is_answered(self._rid)
        self._connection.end_call()

    def _write(self, upto: int) -> None:
        if self._is_streamed and upto > self._bytes_sent:
            part = self._answer.body[self._bytes_sent : upto]
            self._bytes_sent = upto
            self._connection.transport.write(b"%x\r\n%b\r\n" % (len(part), part))

    def _end(self, end: bytes) -> None:
        if self._is_streamed:
            self._connection.transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(end), end))
        elif self._fault is None:
            self._connection.send_whole("200 OK", self._answer.whole)
        else:
            message = {"role": "assistant", "content": '{"turns":[{"speaker":"agent","text":"Good mor'}
            choice = {"index": 0, "message": message, "finish_reason": "length"}
            self._connection.send_json("200 OK", {"id": "c", "object": "chat.completion", "choices": [choice]})


async def serve(options: argparse.Namespace) -> None:
    """Runs until stdin closes or the process is stopped; prints the port."""
    device = Device(options)
    print(await device.listen(), flush=True)
    gone = asyncio.Event()
    if options.until_stdin_closes:
        loop = asyncio.get_running_loop()
        threading.Thread(target=_await_end_of_stdin, args=(loop, gone), daemon=True).start()
    gc.freeze()
    await gone.wait()


def _await_end_of_stdin(loop: asyncio.AbstractEventLoop, gone: asyncio.Event) -> None:
    while sys.stdin.buffer.read(1024):
        pass
    loop.call_soon_threadsafe(gone.set)


if __name__ == "__main__":
    asyncio.run(serve(read_options()))
