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

    def stop_reason(self) -> str | None:
        """Why writing should end, in words an operator would use; None while it may go on."""
        ...


class NeverStops:
    """No budget."""

    def request_done(self, done: RequestDone) -> None:
        """Nothing to count."""

    def stop_reason(self) -> str | None:
        """Never."""
        return None
