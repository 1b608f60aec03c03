"""One request and its calls: usually one at a time, sometimes a twin beside it. The first that gives an item wins."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tip_resources.llm.call import CallResult
from tip_resources.llm.flight import Flight
from tip_resources.llm.need import Need
from tip_resources.llm.types import ChatRequest, EngineEvent, Item

# Makes one call and says how it ended; cancelling it closes the stream.
Sender = Callable[["Job", Flight], Coroutine[Any, Any, CallResult]]


class Job:
    """The life of one request. `abandon` is told of calls that were cancelled; `close` must be awaited in the end."""

    def __init__(
        self,
        request: ChatRequest,
        send: Sender,
        abandon: Callable[[Flight], None],
        put: Callable[[EngineEvent], Awaitable[None]],
    ) -> None:
        self.request = request
        self.need = Need(request.max_output_tokens, self.start, self.end_others, self.give_up, self.move)
        self.failures: Counter[str] = Counter()
        self._send = send
        self._abandon = abandon
        self._put = put
        self._winner: Flight | None = None
        self._has_given = False
        self._tasks: dict[Flight, asyncio.Task[CallResult]] = {}
        self._ended: asyncio.Queue[tuple[Flight, asyncio.Task[CallResult]]] = asyncio.Queue()

    @property
    def has_calls(self) -> bool:
        """Whether a call is under way, or has ended and was not looked at."""
        return bool(self._tasks) or not self._ended.empty()

    def start(self, flight: Flight) -> None:
        """Sends the request on this flight."""
        task = asyncio.create_task(self._send(self, flight))
        task.add_done_callback(lambda ended: self._has_ended(flight, ended))
        self._tasks[flight] = task
        if flight.is_moved:  # its machine was needed before it was sent
            task.cancel()

    async def next_end(self) -> tuple[Flight, CallResult | None]:
        """Waits until one of the calls has ended; None is the result of one that was cancelled.

        What went wrong in our own code is raised here.
        """
        flight, task = await self._ended.get()
        return flight, None if task.cancelled() else task.result()

    def is_lost(self, flight: Flight) -> bool:
        """Whether another call of this request gives the items."""
        return self._winner is not None and self._winner is not flight

    async def emit(self, flight: Flight, item: Item) -> None:
        """Gives an item out, unless another call won; the first item ends all other calls."""
        if self._winner is None:
            self._winner = flight
            self.end_others(flight)
        if self._winner is flight:
            self.need.is_settled = True
            flight.hold()
            await self._put(item)
            self._has_given = True
            flight.release(asyncio.get_running_loop().time())

    def end_others(self, flight: Flight) -> None:
        """Cancels all calls but this one."""
        for other, task in self._tasks.items():
            if other is not flight:
                task.cancel()

    def give_up(self, flight: Flight) -> None:
        """Cancels a call that hangs; others of this request are under way."""
        if (task := self._tasks.get(flight)) and not flight.is_moved:
            self.failures["timeout"] += 1
            task.cancel()

    def move(self, flight: Flight) -> None:
        """Ends a call whose machine is needed; its result says what it gave until then."""
        if flight.is_moved:
            return
        flight.is_moved = True
        if task := self._tasks.get(flight):
            # Later, since it may be this very call that runs now: it must not be cancelled while it ends by itself.
            asyncio.get_running_loop().call_soon(task.cancel)

    def was_moved(self, flight: Flight) -> None:
        """A moved call has ended. If it was about to give the first item, another call gives it."""
        if self._winner is flight and not self._has_given:
            self._winner, self.need.is_settled = None, False

    async def close(self) -> None:
        """Cancels what is under way and waits until it is gone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _has_ended(self, flight: Flight, task: asyncio.Task[CallResult]) -> None:
        self._tasks.pop(flight, None)
        if task.cancelled() or task.exception() is not None:
            self._abandon(flight)  # also when it was cancelled before its first step
        self._ended.put_nowait((flight, task))
