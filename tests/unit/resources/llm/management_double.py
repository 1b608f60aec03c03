"""A loopback double of a model server's management API: fixed answers by method and path, and what it was asked.

It is not Ollama, LM Studio or llama-server: it answers as their documents say they do.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[str, tuple[int, Any]]


@contextmanager
def management_double(answers: Answers) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Serves `answers` ("POST /api/generate" -> status and JSON); gives the base URL and the POSTs it got."""
    posted: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            posted.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self._answer("POST")

        def _answer(self, method: str) -> None:
            status, document = answers.get(f"{method} {self.path}", (404, {"error": "not found"}))
            data = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", posted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
