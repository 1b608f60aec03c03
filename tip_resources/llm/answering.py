"""What writing needs of an engine, whether it streams calls (engine.py) or hands them in as a batch."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from contextlib import aclosing
from typing import Protocol

from tip_resources.llm.endpoint_state import EndpointStatus
from tip_resources.llm.types import ChatRequest, EngineEvent, RequestDone


class AnswersRequests(Protocol):
    """Takes requests and gives every `Item`, and one `RequestDone`, the last, for each of them."""

    def run(self, requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]) -> AsyncGenerator[EngineEvent, None]:
        """Sends all requests and yields what comes."""
        ...

    def status(self) -> tuple[EndpointStatus, ...]:
        """How each endpoint stands."""
        ...


class Metered:
    """An engine that knows how many requests it was given that have not ended, and holds back those for which
    there is no room yet.

    Args:
        engine: The engine. One that takes all requests before it answers any must not be held back.
        has_room: Whether one more may be given out now; asked again whenever one ends. While nothing is under way
            it is not asked: whoever makes the requests then decides whether to stop.
    """

    def __init__(self, engine: AnswersRequests, has_room: Callable[[], bool] = lambda: True) -> None:
        self._engine, self._has_room = engine, has_room
        self._open = 0
        self._one_ended = asyncio.Event()

    def in_flight(self) -> int:
        """Requests taken and not ended, sent or not."""
        return self._open

    def status(self) -> tuple[EndpointStatus, ...]:
        """As the engine says."""
        return self._engine.status()

    async def run(
        self, requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]
    ) -> AsyncGenerator[EngineEvent, None]:
        """As the engine's."""
        self._open = 0
        async with aclosing(self._engine.run(self._given_out(requests))) as events:
            async for event in events:
                if isinstance(event, RequestDone):
                    self._open -= 1
                yield event
                # After the event was dealt with, so that what it cost is counted.
                self._one_ended.set()

    async def _given_out(
        self, requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]
    ) -> AsyncGenerator[ChatRequest, None]:
        source = each(requests)
        while True:
            while self._open and not self._has_room():
                self._one_ended.clear()
                await self._one_ended.wait()
            try:
                request = await anext(source)
            except StopAsyncIteration:
                return
            self._open += 1
            yield request


async def each(requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]) -> AsyncGenerator[ChatRequest, None]:
    """The requests one by one, from either kind of source."""
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield request
    else:
        for request in requests:
            yield request
