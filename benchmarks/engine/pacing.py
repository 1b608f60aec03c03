"""Time on the device: which streams run, how far each is, who waits. Knows no sockets.

All running streams get the same share of the total speed. So one number is enough for all of them: `_served`, the
tokens that a stream running since the start would have; a stream is as far as that number has grown since it began.
"""

import asyncio
import heapq
import itertools
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Protocol

from benchmarks.engine.speed import Speed

_TICK_SECONDS = 0.005  # real; what is due since the last tick leaves in one write per stream


class Stream(Protocol):
    """An answer under way, as the pacing needs it."""

    tokens: float
    """Until it stops, whole or not."""

    def start(self) -> None:
        """It has a slot."""

    def advance(self, tokens: float) -> None:
        """So many tokens are written by now."""

    def finish(self) -> None:
        """All of its tokens are written."""


class Pacing:
    """The slots of one device and the streams in them.

    Args:
        speed: To begin with.
        slots: Streams at once; the others wait in the order they came.
        time_scale: Real seconds in a simulated one.
        first_token_seconds: Simulated; silence in the slot before a stream begins.
    """

    def __init__(self, speed: Speed, slots: int, time_scale: float, first_token_seconds: float) -> None:
        self.speed = speed
        self.is_frozen = False
        self.active_seconds: defaultdict[int, float] = defaultdict(float)
        self.tokens = 0.0
        self._slots, self._scale, self._first = slots, time_scale, first_token_seconds
        self._loop = asyncio.get_running_loop()
        self._running: dict[Stream, float] = {}
        self._ends: list[tuple[float, int, Stream]] = []
        self._numbers = itertools.count()
        self._prefilling: dict[Stream, asyncio.TimerHandle] = {}
        self._hung: set[Stream] = set()
        self._waiting: deque[Stream] = deque()
        self._served = 0.0
        self._at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def taken(self) -> int:
        """Slots in use."""
        return len(self._running) + len(self._prefilling) + len(self._hung)

    @property
    def is_full(self) -> bool:
        """Whether a request would have to wait."""
        return self.taken >= self._slots or bool(self._waiting)

    def add(self, stream: Stream) -> None:
        """A request: it gets a slot, or waits for one."""
        self._catch_up()
        self._waiting.append(stream)
        self._admit()
        self._plan()

    def hang(self, stream: Stream) -> None:
        """A stream stops for ever but keeps its slot."""
        self._running.pop(stream, None)
        self._hung.add(stream)

    def remove(self, stream: Stream) -> None:
        """Its client is gone."""
        self._catch_up()
        self._running.pop(stream, None)
        self._hung.discard(stream)
        if (timer := self._prefilling.pop(stream, None)) is not None:
            timer.cancel()
        if stream in self._waiting:
            self._waiting.remove(stream)
        self._admit()
        self._plan()

    def change(self, apply: Callable[[], None]) -> None:
        """Changes speed or freezes, from now on."""
        self._catch_up()
        apply()
        self._plan()

    def _admit(self) -> None:
        while self._waiting and self.taken < self._slots:
            stream = self._waiting.popleft()
            stream.start()
            if stream in self._hung:
                continue
            if self._first:
                self._prefilling[stream] = self._loop.call_later(self._first * self._scale, self._begin, stream)
            else:
                self._run(stream)

    def _begin(self, stream: Stream) -> None:
        self._catch_up()
        del self._prefilling[stream]
        self._run(stream)
        self._plan()

    def _run(self, stream: Stream) -> None:
        self._running[stream] = self._served
        heapq.heappush(self._ends, (self._served + stream.tokens, next(self._numbers), stream))

    def _catch_up(self) -> None:
        """Lives through the time since the last call, stream by stream as they end in it."""
        now = self._loop.time()
        left, self._at = now - self._at, now
        while left > 0 and self._running and not self.is_frozen:
            while self._ends[0][2] not in self._running:
                heapq.heappop(self._ends)
            streams = len(self._running)
            rate = self.speed.total(streams) / streams / self._scale
            end = self._ends[0][0]
            step = min(left, max(0.0, end - self._served) / rate)
            is_end = step < left
            self._served = end if is_end else self._served + step * rate
            self.active_seconds[streams] += step / self._scale
            self.tokens += step * rate * streams
            left -= step
            if is_end:
                _, _, stream = heapq.heappop(self._ends)
                del self._running[stream]
                stream.finish()
                self._admit()
        if not self._running and not self.is_frozen:
            self.active_seconds[0] += left / self._scale

    def _plan(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._running or self.is_frozen:
            return
        while self._ends[0][2] not in self._running:
            heapq.heappop(self._ends)
        streams = len(self._running)
        to_end = (self._ends[0][0] - self._served) * streams * self._scale / self.speed.total(streams)
        self._timer = self._loop.call_later(min(_TICK_SECONDS, max(0.0, to_end)), self._tick)

    def _tick(self) -> None:
        self._catch_up()
        for stream, began in list(self._running.items()):
            stream.advance(self._served - began)
        self._plan()
