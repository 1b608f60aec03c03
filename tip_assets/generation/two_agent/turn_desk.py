"""Many conversations, one request engine: each asks for its next turn and waits for its own answer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from tip_resources.llm.answering import AnswersRequests
from tip_resources.llm.types import ChatRequest, RequestDone


class TurnDesk:
    """Feeds one `engine.run` from many coroutines and gives every answer to the one that asked.

    Args:
        engine: The engine; only one `run` is used.
        on_done: Told of every ended request, before the asker is.
    """

    def __init__(self, engine: AnswersRequests, on_done: Callable[[RequestDone], None]) -> None:
        self._engine, self._on_done = engine, on_done
        self._queue: asyncio.Queue[ChatRequest | None] = asyncio.Queue()
        self._waiting: dict[str, asyncio.Future[RequestDone]] = {}

    async def ask(self, request: ChatRequest) -> RequestDone:
        """Sends a request and waits for its end."""
        answer: asyncio.Future[RequestDone] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = answer
        self._queue.put_nowait(request)
        try:
            return await answer
        finally:
            self._waiting.pop(request.request_id, None)

    async def serve(self) -> None:
        """Answers until `close` was called and everything asked before has ended."""
        async with aclosing(self._engine.run(self._requests())) as events:
            async for event in events:
                if isinstance(event, RequestDone):
                    self._on_done(event)
                    answer = self._waiting.get(event.request_id)
                    if answer is not None and not answer.done():
                        answer.set_result(event)

    def close(self) -> None:
        """Nobody will ask any more."""
        self._queue.put_nowait(None)

    async def _requests(self) -> AsyncIterator[ChatRequest]:
        while (request := await self._queue.get()) is not None:
            yield request
