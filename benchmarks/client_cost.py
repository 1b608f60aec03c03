"""What the request engine costs on our side: CPU seconds per 1,000 requests and memory at 300 streams.

The device is a raw asyncio server in a process of its own that sends an answer rendered before, in one piece or
chunk by chunk at a steady pace. The client is the engine the assets use, with its transport, the reading of the
answer and a checkpoint per answer; only its process is counted. A pace of 0 sends as fast as the socket takes.

    python benchmarks/client_cost.py                     every case below, as a table
    python benchmarks/client_cost.py client --url URL    one case against a server that runs already

`end ms` is the time from the server's last write to the item in the caller's hands: what a kill could lose.
"""

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TOKENS = 600
# Name, chunks in an answer, chunks per second and stream, streams at once, requests.
CASES = (
    ("plain", 1, 0, 6, 1000),
    ("streamed, as fast as it goes", TOKENS, 0, 6, 300),
    ("streamed, 2,000 chunks/s", TOKENS, 2000, 6, 300),
    ("streamed, 500 chunks/s", TOKENS, 500, 6, 60),
    ("streamed, 100 chunks/s", TOKENS, 100, 6, 12),
    ("300 streams, 30 chunks/s", TOKENS, 30, 300, 300),
)


def conversation_text() -> str:
    """A conversation of 16 turns in JSON, about 600 tokens of four characters."""
    words = "thank you for calling I can see your order here and it left our house on Monday morning so it will be"
    turns = [
        {"speaker": ("agent", "customer")[n % 2], "text": f"{n}: " + " ".join(words.split()[n % 5 :])}
        for n in range(16)
    ]
    return json.dumps({"calls": [{"turns": turns}]})


def rendered(chunks: int) -> list[bytes]:
    """The answer as the pieces of an HTTP stream; the last one also ends it."""
    text = conversation_text()
    size = -(-len(text) // chunks)

    def event(document: dict[str, Any]) -> bytes:
        base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
        data = b"data: " + json.dumps(base | document).encode() + b"\n\n"
        return b"%x\r\n%s\r\n" % (len(data), data)

    pieces = [
        event({"choices": [{"index": 0, "delta": {"content": text[at : at + size]}, "finish_reason": None}]})
        for at in range(0, len(text), size)
    ]
    end = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    end += event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": TOKENS}})
    pieces[-1] += end + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
    return pieces


class Device(asyncio.Protocol):
    """Answers any POST with the pieces; writes the moment of its last write to the shared file."""

    def __init__(self, pieces: list[bytes], rate: float) -> None:
        self._pieces, self._rate, self._seen = pieces, rate, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, rest = self._seen.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if len(rest) < length:
            return
        self._seen = b""
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        self._at, self._began = 0, asyncio.get_running_loop().time()
        self._send()

    def _send(self) -> None:
        loop = asyncio.get_running_loop()
        due = len(self._pieces) if not self._rate else int((loop.time() - self._began) * self._rate) + 1
        while self._at < min(due, len(self._pieces)):
            self._transport.write(self._pieces[self._at])
            self._at += 1
        if self._at < len(self._pieces):
            loop.call_at(self._began + self._at / self._rate, self._send)
        else:
            print(time.time_ns(), flush=True)


async def serve(chunks: int, rate: float) -> None:
    """Prints its port, then the moment (ns) of the last write of each answer."""
    pieces = rendered(chunks)
    server = await asyncio.get_running_loop().create_server(lambda: Device(pieces, rate), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def spend(url: str, streams: int, requests: int, folder: Path) -> dict[str, Any]:
    """Sends the requests through the engine; returns what that cost this process."""
    import msgspec
    import psutil
    from upath import UPath

    from tip_resources.domain.conversation import Conversation
    from tip_resources.llm.engine import RequestEngine
    from tip_resources.llm.types import ChatRequest, Endpoint, Item, Message
    from tip_resources.settings.models import EngineSettings
    from tip_resources.storage.checkpoint import Checkpoint

    endpoint = Endpoint(name="device", url=url, model="bench", concurrency=streams)
    checkpoint = Checkpoint(UPath(folder))
    schema = {"type": "object", "properties": {"calls": {"type": "array", "items": {"type": "object"}}}}
    messages = (Message("system", "You write calls. " * 60), Message("user", "Write one call."))
    ends: list[int] = []
    kept = 0

    def asked(count: int) -> Iterator[ChatRequest]:
        for n in range(count):
            yield ChatRequest(request_id=f"RID{n:06d}", messages=messages, max_output_tokens=2000, json_schema=schema)

    async def drive(count: int) -> None:
        nonlocal kept
        async for event in engine.run(asked(count)):
            if isinstance(event, Item):
                ends.append(time.time_ns())
                call = msgspec.convert(event.value | {"id": event.request_id, "index": kept}, Conversation)
                checkpoint.save(call, "0123456789abcdef")
                kept += 1

    async with RequestEngine([endpoint], EngineSettings()) as engine:
        await drive(1)  # the imports that wait for the first call
        gc.collect()
        process = psutil.Process()
        imports = peak = process.memory_info().rss

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, process.memory_info().rss)
                await asyncio.sleep(0.1)

        watcher = asyncio.create_task(watch())
        kept = 0
        ends.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        await drive(requests)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        watcher.cancel()
    return {
        "requests": requests,
        "kept": kept,
        "cpu_seconds_per_1000": round(cpu * 1000 / requests, 2),
        "wall_seconds": round(wall, 2),
        "memory_above_imports_mb": round((peak - imports) / 1e6, 1),
        "ends": ends,
    }


@contextmanager
def device(chunks: int, rate: float) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A device of its own; yields its URL."""
    command = [sys.executable, __file__, "serve", "--chunks", str(chunks), "--rate", str(rate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1", process
    finally:
        process.terminate()
        process.wait()


def one_case(name: str, chunks: int, rate: float, streams: int, requests: int) -> None:
    with device(chunks, rate) as (url, server):
        command = [sys.executable, __file__, "client", "--url", url]
        command += ["--streams", str(streams), "--requests", str(requests)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        server.terminate()
        assert server.stdout is not None
        sent = [int(line) for line in server.stdout.read().split()][1:]
    # Streams run side by side, so means are compared: each answer has one last write and one item.
    end = (statistics.fmean(found["ends"]) - statistics.fmean(sent)) / 1e6 if len(sent) == found["kept"] else None
    late = "-" if end is None else f"{end:.1f}"
    print(
        f"{name:30} {found['kept']:5} of {requests:5} {found['cpu_seconds_per_1000']:8.2f} "
        f"{found['memory_above_imports_mb']:8.1f} {late:>8} {found['wall_seconds']:8.2f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", nargs="?", choices=("all", "serve", "client"), default="all")
    parser.add_argument("--only", default="", help="part of the name of the cases to run")
    parser.add_argument("--chunks", type=int, default=TOKENS)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--url", default="")
    parser.add_argument("--streams", type=int, default=6)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--profile", default="", help="write a cProfile of the client here")
    options = parser.parse_args()
    if options.what == "serve":
        asyncio.run(serve(options.chunks, options.rate))
    elif options.what == "client":
        sys.path.insert(0, str(ROOT))
        with tempfile.TemporaryDirectory() as folder:
            work = spend(options.url, options.streams, options.requests, Path(folder))
            if options.profile:
                import cProfile

                profile = cProfile.Profile()
                profile.runcall(asyncio.run, work)
                profile.dump_stats(options.profile)
            else:
                print(json.dumps(asyncio.run(work)))
    else:
        print(f"{'case':30} {'kept':>14} {'CPU s/1k':>8} {'MB':>8} {'end ms':>8} {'wall s':>8}")
        for case in CASES:
            if options.only in case[0]:
                one_case(*case)


if __name__ == "__main__":
    main()
