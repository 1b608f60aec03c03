"""When writing should end before everything is there: a budget (spending.py), a disk without room."""

import time
from collections.abc import Callable
from typing import Protocol

from tip_resources.llm.types import RequestDone

LOOK_SECONDS = 1.0


class StopsWriting(Protocol):
    """Told of every ended request; from the moment it gives a reason, no new request is sent.

    What is in flight ends by itself and is kept.
    """

    def request_done(self, done: RequestDone) -> None:
        """Takes note of what a request came to."""
        ...

    def stop_reason(self, more: int = 1) -> str | None:
        """Why not so many `more` requests may be begun, in words an operator would use; None while they may."""
        ...

    def reserve(self, requests: int) -> None:
        """Told how many requests are still to come of what was begun, those in flight included."""
        ...


class NeverStops:
    """No budget."""

    def request_done(self, done: RequestDone) -> None:
        """Nothing to count."""

    def stop_reason(self, more: int = 1) -> str | None:
        """Never."""
        return None

    def reserve(self, requests: int) -> None:
        """Nothing to count."""


class StopsForRoom:
    """Ends the writing when the disk runs short, and tells in `reason` that it was this.

    Args:
        shortage: Why nothing more is to be written; None while there is room. Asked once a second at most.
        other: What may end it besides.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        shortage: Callable[[], str | None],
        other: StopsWriting,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shortage, self._other, self._clock = shortage, other, clock
        self._looked_at: float | None = None
        self.reason = ""

    def request_done(self, done: RequestDone) -> None:
        """Passes it on."""
        self._other.request_done(done)

    def stop_reason(self, more: int = 1) -> str | None:
        """The shortage, else what the other says."""
        now = self._clock()
        if not self.reason and (self._looked_at is None or now - self._looked_at >= LOOK_SECONDS):
            self._looked_at = now
            self.reason = f"stopped: {short}" if (short := self._shortage()) else ""
        return self.reason or self._other.stop_reason(more)

    def reserve(self, requests: int) -> None:
        """Passes it on."""
        self._other.reserve(requests)
