"""What our own HTTP servers do when they have too much to do: 503 with Retry-After, at once, and nothing queued."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Several clients with 300 streams each, and their queues; a request waiting costs some 10 kB.
MOST_REQUESTS = 1024
_RETRY_AFTER_SECONDS = 1


class Backpressure:
    """ASGI middleware: at most so many requests are in the app at once, waiting ones included.

    Args:
        app: What answers.
        most_requests: One more is refused, in OpenAI's error form.
        retry_after_seconds: What a refused client is told.
    """

    def __init__(
        self, app: ASGIApp, *, most_requests: int = MOST_REQUESTS, retry_after_seconds: int = _RETRY_AFTER_SECONDS
    ) -> None:
        self._app = app
        self._most = most_requests
        self._retry_after = str(retry_after_seconds)
        self._inside = 0
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._inside >= self._most:
            self.refused += 1
            await self._refuse(send)
            return
        self._inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._inside -= 1

    async def _refuse(self, send: Send) -> None:
        content = overloaded_document(f"{self._most} requests are being answered or wait already")
        start: Message = {
            "type": "http.response.start",
            "status": 503,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
                (b"retry-after", self._retry_after.encode()),
            ],
        }
        await send(start)
        await send({"type": "http.response.body", "body": content})


def overloaded_document(why: str) -> bytes:
    """The body of a refusal, as OpenAI words errors."""
    message = f"Overloaded: {why}. Try again later."
    error = {"message": message, "type": "server_error", "param": None, "code": "overloaded"}
    return json.dumps({"error": error}).encode()


def refusal_on_the_wire(why: str, *, retry_after_seconds: int = _RETRY_AFTER_SECONDS) -> bytes:
    """The same refusal as HTTP/1.1, for a connection that is not even handed to an app."""
    content = overloaded_document(why)
    head = (
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n"
        f"content-length: {len(content)}\r\nretry-after: {retry_after_seconds}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + content
