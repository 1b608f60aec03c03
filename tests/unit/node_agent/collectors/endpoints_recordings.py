"""Model servers on the loopback address: real HTTP, with pages as the servers write them."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from node_agent.collectors.endpoints import EndpointsCollector
from node_agent.report import ServedEndpoint


@dataclass(frozen=True)
class Page:
    """One answer; a body that is no text is sent as JSON."""

    body: Any
    status: int = 200
    content_type: str = "application/json"

    def to_bytes(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass
class Running:
    """A server that runs, and the paths it was asked for."""

    port: int
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(
    pages: Mapping[str, Page], otherwise: Page = Page("Not Found", 404, "text/plain"), port: int = 0
) -> Iterator[Running]:
    """A web server with these pages, at any free port unless one is named."""
    running = Running(0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            page = pages.get(self.path, otherwise)
            body = page.to_bytes()
            with suppress(ConnectionError):
                self.send_response(page.status)
                self.send_header("Content-Type", page.content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        running.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def listening(talk: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A program at a port that does what it likes with each connection, until the event says to stop."""
    stop = threading.Event()
    talkers: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def converse(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection, stop)

        def accept() -> None:
            while not stop.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    talkers.append(threading.Thread(target=converse, args=(connection,), daemon=True))
                    talkers[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            for thread in (accepting, *talkers):
                thread.join()


def model_list(*entries: Mapping[str, Any]) -> Page:
    """The OpenAI list of models, which every server has."""
    return Page(
        {"object": "list", "data": [{"object": "model", "created": 1_735_142_223, **entry} for entry in entries]}
    )


def found(running: Running, **options: Any) -> ServedEndpoint:
    """The one endpoint that is found at the running server's port."""
    (endpoint,) = EndpointsCollector((running.port,), **options).collect()
    assert endpoint.url == f"http://127.0.0.1:{running.port}/v1"
    return endpoint


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
