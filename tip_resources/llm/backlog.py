"""What is still to be sent: how many requests the runs of an engine have not taken from their sources yet."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sized

from tip_resources.llm.types import ChatRequest

Requests = Iterable[ChatRequest] | AsyncIterable[ChatRequest]


class Source:
    """The requests of one run, taken one by one. `expected` is how many there are; None when nobody knows.

    `room_changed` is set when a request has ended or the endpoints take another number of calls.
    """

    def __init__(self, requests: Requests, expected: int | None) -> None:
        self._requests = requests
        self.room_changed = asyncio.Event()
        self.left: int | None = len(requests) if expected is None and isinstance(requests, Sized) else expected

    async def each(self) -> AsyncIterator[ChatRequest]:
        """The requests; counts them down."""
        if isinstance(self._requests, AsyncIterable):
            async for request in self._requests:
                self._count()
                yield request
        else:
            for request in self._requests:
                self._count()
                yield request
        self.left = 0

    def _count(self) -> None:
        self.left = None if self.left is None else max(0, self.left - 1)


class Backlog:
    """All runs of one engine."""

    def __init__(self) -> None:
        self._sources: set[Source] = set()

    def begin(self, source: Source) -> None:
        """A run begins."""
        self._sources.add(source)

    def room_changed(self) -> None:
        """Tells all runs to look whether they may take more."""
        for source in self._sources:
            source.room_changed.set()

    def end(self, source: Source) -> None:
        """A run has taken all it will."""
        self._sources.discard(source)

    @property
    def is_open(self) -> bool:
        """Whether a run has requests that it has not taken yet, or may have."""
        return bool(self._sources)

    @property
    def left(self) -> int | None:
        """Requests not taken yet; None when unknown."""
        left = 0
        for source in self._sources:
            if source.left is None:
                return None
            left += source.left
        return left
