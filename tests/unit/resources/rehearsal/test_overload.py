"""Overload: what is too much is told to come again, at once, and what is inside goes on."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import openai
import pytest
import uvicorn

from tests.unit.resources.rehearsal.serving import ask, hanging, served, stats_of
from tip_resources.backpressure import MOST_REQUESTS
from tip_resources.rehearsal.connections import MOST_CONNECTIONS, Connections
from tip_resources.rehearsal.knobs import RehearsalKnobs
from tip_resources.rehearsal.listening import listening_socket, port_of
from tip_resources.rehearsal.server import create_app

_HELLO = [{"role": "user", "content": "Hello"}]


@contextmanager
def limited(*, most_requests: int = MOST_REQUESTS, most_connections: int = MOST_CONNECTIONS) -> Iterator[str]:
    """Base URL of a server with these limits and one slot."""
    connections = Connections(most_connections)
    app = create_app(RehearsalKnobs(slots=1), connections, most_requests=most_requests)
    config = uvicorn.Config(app, http=connections.protocol(), ws="none", lifespan="off", log_level="warning")
    server, listener = uvicorn.Server(config), listening_socket(0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port_of(listener)}/v1"
    finally:
        server.force_exit = server.should_exit = True
        thread.join(10)


def chat_body() -> dict[str, Any]:
    return {"model": "rehearsal", "messages": _HELLO}


def test_a_request_too_many_gets_503_with_retry_after_and_those_inside_are_answered() -> None:
    async def scenario(url: str) -> None:
        async with httpx2.AsyncClient(timeout=20) as client:
            waiting = asyncio.create_task(client.post(f"{url}/chat/completions", json=chat_body()))
            while (await client.get(url.replace("/v1", "/rehearsal/stats"))).json()["in_flight"] < 2:
                await asyncio.sleep(0.01)
            refused = await client.post(f"{url}/chat/completions", json=chat_body())
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.json()["error"]["code"] == "overloaded"
            # What tells how the server is stays reachable.
            assert (await client.get(f"{url}/models")).status_code == 200
            holder.set()
            assert (await waiting).status_code == 200
            assert (await client.post(f"{url}/chat/completions", json=chat_body())).status_code == 200

    holder = threading.Event()
    with limited(most_requests=2) as url:
        is_held = threading.Event()

        def hold() -> None:
            with hanging(url):
                is_held.set()
                holder.wait(30)

        thread = threading.Thread(target=hold)
        thread.start()
        assert is_held.wait(10)
        try:
            asyncio.run(scenario(url))
        finally:
            holder.set()
            thread.join(10)


def test_a_connection_too_many_is_told_so_and_closed_and_room_is_made_when_one_leaves() -> None:
    with limited(most_connections=3) as url:
        address = ("127.0.0.1", int(url.split(":")[2].split("/")[0]))
        idle = [socket.create_connection(address) for _ in range(3)]
        with socket.create_connection(address, timeout=10) as refused:
            refused.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
            answer = b"".join(iter(lambda: refused.recv(4096), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in head.lower()
        assert json.loads(body)["error"]["code"] == "overloaded"
        for connection in idle:
            connection.close()
        deadline = time.monotonic() + 10
        while True:
            try:
                assert ask(url, _HELLO)
                break
            except openai.APIError:
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.mark.parametrize("streams", [300])
def test_three_hundred_streams_at_once_are_far_below_the_limits(streams: int) -> None:
    async def scenario(url: str) -> list[int]:
        limits = httpx2.Limits(max_connections=streams)
        async with httpx2.AsyncClient(timeout=60, limits=limits) as client:
            body = {**chat_body(), "stream": True}
            answers = await asyncio.gather(*(client.post(f"{url}/chat/completions", json=body) for _ in range(streams)))
            return [answer.status_code for answer in answers]

    with served(time_to_first_token_ms=500) as url:
        assert set(asyncio.run(scenario(url))) == {200}
        assert stats_of(url)["peak_in_flight"] > 100
