"""A loopback relay that lists models of any names and has the rehearsal server write for all of them.

It is no model server: it only makes one that serves several models, as LM Studio or Ollama do, out of the
scripted one, so that choosing, missing and comparing models can be tested over real HTTP.
"""

import json
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def renaming_relay(target: str, names: Sequence[str], host: str = "127.0.0.1") -> Iterator[tuple[str, list[str]]]:
    """Gives the relay's base URL, and the model each chat request asked for."""
    asked: list[str] = []
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_list = self.path == "/v1/models"
            data = [{"id": name, "object": "model", "owned_by": "test"} for name in names]
            content = json.dumps({"object": "list", "data": data}).encode() if is_list else b"{}"
            self.send_response(200 if is_list else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body["model"])
            request = urllib.request.Request(
                f"{target}/chat/completions",
                data=json.dumps({**body, "model": "rehearsal"}).encode(),
                headers={"Content-Type": "application/json"},
            )
            with opener.open(request) as answer:
                self.send_response(200)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Connection", "close")
                self.end_headers()
                while chunk := answer.read1(65536):
                    self.wfile.write(chunk)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
