"""What writing needs of an engine, whether it streams calls (engine.py) or hands them in as a batch."""

from collections.abc import AsyncGenerator, AsyncIterable, Iterable
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
    """An engine that knows how many requests it was given that have not ended: those not yet sent are among them."""

    def __init__(self, engine: AnswersRequests) -> None:
        self._engine = engine
        self._open = 0

    def in_flight(self) -> int:
        """Requests taken and not ended."""
        return self._open

    def status(self) -> tuple[EndpointStatus, ...]:
        """As the engine says."""
        return self._engine.status()

    async def run(
        self, requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]
    ) -> AsyncGenerator[EngineEvent, None]:
        """As the engine's."""
        self._open = 0
        events = self._engine.run(self._counted(requests))
        try:
            async for event in events:
                if isinstance(event, RequestDone):
                    self._open -= 1
                yield event
        finally:
            await events.aclose()

    async def _counted(
        self, requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]
    ) -> AsyncGenerator[ChatRequest, None]:
        async for request in each(requests):
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
