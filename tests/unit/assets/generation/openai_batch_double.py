"""Stands for OpenAI's files and batches: a real HTTP server on loopback that keeps what it is given in memory.

A batch has ended after it was looked at `looks` times. `answer` gives the lines of the output and error files: for
the body of a request a (status, body) pair, or None for one that is left unanswered.
"""

import json
import threading
import time
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[int, Any] | None]


def completion(text: str, *, tokens_in: int = 100, tokens_out: int = 50, finish_reason: str = "stop") -> Any:
    """A whole answer of the chat API."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": tokens_in, "completion_tokens": tokens_out},
    }


class BatchDouble:
    """The server. Use it as a context manager."""

    def __init__(self, answer: Answer, *, looks: int = 1, ends: str = "completed", errors: list[Any] | None = None):
        self.answer, self.looks, self.ends, self.errors = answer, looks, ends, errors
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.lose_replies_to: list[str] = []  # paths: what was asked is done, but the reply is a 500
        self.asked: list[dict[str, Any]] = []  # bodies of all requests of all batches
        self.calls: list[str] = []
        self._looked: dict[str, int] = {}

    def __enter__(self) -> "BatchDouble":
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                double.serve(self, "GET", b"")

            def do_POST(self) -> None:
                double.serve(self, "POST", self.rfile.read(int(self.headers.get("content-length") or 0)))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, handler: BaseHTTPRequestHandler, method: str, body: bytes) -> None:
        path = handler.path.partition("?")[0].removeprefix("/v1")
        self.calls.append(f"{method} {path}")
        reply = self._reply(method, path, handler, body)
        status = 200
        if path in self.lose_replies_to and method == "POST":
            self.lose_replies_to.remove(path)
            status, reply = 500, {"error": {"message": "the reply was lost"}}
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        handler.send_response(status)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _reply(self, method: str, path: str, handler: BaseHTTPRequestHandler, body: bytes) -> Any:
        parts = path.strip("/").split("/")
        if (method, path) == ("POST", "/files"):
            return self._upload(handler.headers["content-type"], body)
        if (method, path) == ("POST", "/batches"):
            return self._make(json.loads(body))
        if path == "/batches":
            return {"object": "list", "data": list(self.batches.values())[::-1], "has_more": False}
        if path == "/models":
            return {"object": "list", "data": [{"id": "gpt-4.1-mini", "object": "model", "owned_by": "openai"}]}
        if parts[0] == "batches":
            return self._look(parts[1])
        return self.files[parts[1]]

    def _upload(self, content_type: str, body: bytes) -> Any:
        message = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
        fields = {
            str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
            for part in message.get_payload()
            if isinstance(part, Message)
        }
        assert fields["purpose"] == b"batch"
        return self._kept(fields["file"], "batch")

    def _kept(self, data: Any, purpose: str) -> Any:
        name = f"file-{len(self.files)}"
        self.files[name] = data
        return {"id": name, "object": "file", "bytes": len(data), "created_at": 1, "filename": name, "purpose": purpose}

    def _make(self, asked: dict[str, Any]) -> Any:
        name = f"batch_{len(self.batches)}"
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert len({line["custom_id"] for line in lines}) == len(lines)
        self.asked += [line["body"] for line in lines]
        self.batches[name] = {
            **asked,
            "id": name,
            "object": "batch",
            "created_at": int(time.time()),
            "status": "in_progress",
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        return self.batches[name]

    def _look(self, name: str) -> Any:
        batch = self.batches[name]
        self._looked[name] = self._looked.get(name, 0) + 1
        if self._looked[name] >= self.looks and batch["status"] == "in_progress":
            self._end(batch)
        return batch

    def _end(self, batch: dict[str, Any]) -> None:
        batch["status"] = self.ends
        if self.errors is not None:
            batch["errors"] = {"object": "list", "data": self.errors}
            return
        good, bad = [], []
        for line in map(json.loads, self.files[batch["input_file_id"]].splitlines()):
            answered = self.answer(line["body"])
            row: dict[str, Any] = {"id": "r", "custom_id": line["custom_id"], "response": None, "error": None}
            if answered is None:
                if self.ends == "expired":
                    row["error"] = {"code": "batch_expired", "message": "This request could not be executed in time."}
                    bad.append(row)
                continue
            row["response"] = {"status_code": answered[0], "request_id": "x", "body": answered[1]}
            (good if answered[0] == 200 else bad).append(row)
        batch["request_counts"] |= {"completed": len(good), "failed": len(bad)}
        for field, rows in (("output_file_id", good), ("error_file_id", bad)):
            if rows:
                data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
                batch[field] = self._kept(data, "batch_output")["id"]
