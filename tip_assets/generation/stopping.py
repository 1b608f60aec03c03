"""When writing should end before everything is there: a budget, a person. Who decides lives in spending.py."""

from typing import Protocol

from tip_resources.llm.types import RequestDone


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
