"""A bound on what clients can take: connections, and the time each may need. Below the routes, in uvicorn's protocol.

uvicorn closes a connection that is idle between two requests, but waits without end for a request that comes one
byte a second, and for a client that does not read its answer.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.responses import PlainTextResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

RETRY_AFTER_SECONDS = 2


@dataclass(frozen=True)
class Bounds:
    """At most `connections` are served at once; each has `seconds` for sending a request and taking its answer."""

    connections: int = 32
    seconds: float = 5.0


async def _busy(scope: Any, receive: Any, send: Any) -> None:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS), "Connection": "close"}
    await PlainTextResponse("all connections are in use\n", 503, headers)(scope, receive, send)


class BoundedProtocol(H11Protocol):
    """One connection. When there are too many, the one that has kept us waiting longest makes room.

    A client that trickles its request, or holds a finished connection open, can so not lock the others out. Only
    when all are being answered is a newcomer sent away, with 503 and `Retry-After`.
    """

    def __init__(self, *, bounds: Bounds, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._bounds = bounds
        self._deadline: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the newcomer and start its time."""
        if not self._make_room():
            self._is_refused = True
            self.app = _busy
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget its time."""
        self._stop_clock()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Give the next request on this connection its own time."""
        self._start_clock()
        super().on_response_complete()

    def _make_room(self) -> bool:
        others = [other for other in self.connections if isinstance(other, BoundedProtocol)]
        served = [other for other in others if not other._is_refused]
        waiting = [other for other in served if other.cycle is None or other.cycle.response_complete]
        refused = [other for other in others if other._is_refused]
        if len(served) < self._bounds.connections:
            return True
        if waiting:
            _oldest(waiting)._drop()
            return True
        # Those sent away are counted too until they have gone.
        if len(refused) >= self._bounds.connections:
            _oldest(refused)._drop()
        return False

    def _start_clock(self) -> None:
        self._stop_clock()
        if not self.transport.is_closing():
            self._deadline = self.loop.call_later(self._bounds.seconds, self._drop)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop(self) -> None:
        self.connections.discard(self)
        self.transport.abort()


def _oldest(connections: list["BoundedProtocol"]) -> "BoundedProtocol":
    return min(connections, key=lambda each: each._deadline.when() if each._deadline else 0.0)
