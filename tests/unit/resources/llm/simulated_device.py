"""Simulated model servers behind a `Transport`, in virtual time: the device model of reference/peers-measured.md.

One stream alone makes 100 tokens/s, the aggregate grows to 4x at the knee (6) and loses 3 % of it per stream
beyond; what exceeds the slots queues in silence or is refused with 429. `time_scale` 1/20 runs it 20 times faster.
"""

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Literal

import msgspec

from tip_resources.llm.transport import CallBroken, Delta, OnDelta
from tip_resources.llm.types import Endpoint, Failure

TOKENS = 600
_TOKENS_SPREAD = 0.2
_TICK_SECONDS = 0.05
_TOKENS_PER_SECOND = 100.0
_GAIN_AT_SIX = 4.0

Fault = Literal["500", "reset", "hang_connect", "hang_first", "hang_middle", "truncated"]
Health = Literal["well", "refuses", "hangs"]
FAULTS: Mapping[Fault, float] = {
    "500": 0.05,
    "reset": 0.02,
    "hang_connect": 0.01 / 3,
    "hang_first": 0.01 / 3,
    "hang_middle": 0.01 / 3,
    "truncated": 0.02,
}


class DeviceModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a device can do. `knee_at` and `health_at` take seconds of the device since its first call."""

    speed: float = 1.0
    slots: int = 32
    refuses_when_full: bool = False
    retry_after_seconds: float | None = None
    first_token_seconds: float = 0.1
    faults: Mapping[Fault, float] = {}
    knee_at: Callable[[float], int] = lambda _: 6
    health_at: Callable[[float], Health] = lambda _: "well"
    gain_at_knee: float | None = None

    def tokens_per_second(self, streams: int, at: float) -> float:
        """All streams together."""
        knee = self.knee_at(at)
        peak = self.gain_at_knee or 1 + (_GAIN_AT_SIX - 1) * (knee - 1) / 5
        slope = (peak - 1) / max(1, knee - 1)
        gain = 1 + slope * (min(streams, knee) - 1)
        return _TOKENS_PER_SECOND * self.speed * gain * max(0.1, 1 - 0.03 * max(0, streams - knee))

    def best_tokens_per_second(self, at: float) -> float:
        """What an oracle would get out of it."""
        return max(self.tokens_per_second(streams, at) for streams in range(1, self.slots + 1))


class _Stream:
    def __init__(self, tokens: int) -> None:
        self.tokens = tokens
        self.made = 0.0
        self.given = 0
        self.is_silent = False
        self.news = asyncio.Event()
        self.admitted = asyncio.Event()
        self.broken: Failure | None = None


class SimulatedDevice:
    """One server. Its time is the loop's, divided by `time_scale`."""

    def __init__(self, name: str, model: DeviceModel, chance: Random, time_scale: float = 1.0) -> None:
        self.name = name
        self.model = model
        self.made_tokens = 0.0
        self.counts: Counter[str] = Counter()
        self.most_active = 0
        self._chance = chance
        self._scale = time_scale
        self._active: set[_Stream] = set()
        self._waiting: deque[_Stream] = deque()
        self._ticker: asyncio.Task[None] | None = None
        self._began: float | None = None

    def now(self) -> float:
        """Device seconds since its first call."""
        time = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = time
        return (time - self._began) / self._scale

    async def call(self, body: Mapping[str, Any], on_delta: OnDelta) -> None:
        """Answers one request as `Transport.call` does."""
        self.counts["asked"] += 1
        fault = self._fault()
        await self._sleep(0.01)
        await self._endure(fault)
        stream = await self._admit(tokens_of(body["messages"][-1]["content"]))
        try:
            await self._sleep(self.model.first_token_seconds)
            if fault == "hang_first":
                stream.is_silent = True
                await asyncio.Event().wait()
            breaks_at = int(stream.tokens * self._chance.uniform(0.05, 0.95))
            await self._stream(stream, on_delta, fault, breaks_at)
        finally:
            self._leave(stream)

    async def _endure(self, fault: Fault | None) -> None:
        health = self.model.health_at(self.now())
        if health == "refuses":
            raise CallBroken(Failure(kind="connect", detail=f"{self.name} refused"))
        if health == "hangs" or fault == "hang_connect":
            await asyncio.Event().wait()
        if fault == "500":
            raise CallBroken(Failure(kind="server_error", detail=f"{self.name} answered HTTP 500"), 500)

    async def _admit(self, tokens: int) -> _Stream:
        stream = _Stream(tokens)
        if len(self._active) >= self.model.slots:
            if self.model.refuses_when_full:
                self.counts["refused"] += 1
                after = self.model.retry_after_seconds
                failure = Failure(
                    kind="overloaded",
                    detail=f"{self.name} answered HTTP 429",
                    retry_after_seconds=None if after is None else after * self._scale,
                )
                raise CallBroken(failure, 429)
            self._waiting.append(stream)
            try:
                await stream.admitted.wait()
            except asyncio.CancelledError:
                self._leave(stream)
                raise
        else:
            self._active.add(stream)
        if self._ticker is None or self._ticker.done():
            self._ticker = asyncio.create_task(self._tick())
        self.most_active = max(self.most_active, len(self._active))
        return stream

    def _leave(self, stream: _Stream) -> None:
        self._active.discard(stream)
        if stream in self._waiting:
            self._waiting.remove(stream)
        while self._waiting and len(self._active) < self.model.slots:
            following = self._waiting.popleft()
            self._active.add(following)
            following.admitted.set()

    async def _stream(self, stream: _Stream, on_delta: OnDelta, fault: Fault | None, breaks_at: int) -> None:
        opened = False
        while stream.given < stream.tokens:
            await stream.news.wait()
            stream.news.clear()
            if stream.broken is not None:
                raise CallBroken(stream.broken)
            until = min(int(stream.made), stream.tokens)
            if (count := until - stream.given) <= 0:
                continue
            stream.given = until
            text = ("" if opened else '{"text": "') + "word " * count
            opened = True
            await on_delta(Delta(text=text, is_token=True, tokens=count))
            if fault is not None and until >= breaks_at:
                if fault == "reset":
                    raise CallBroken(Failure(kind="reset", detail=f"{self.name} broke the connection"))
                if fault == "hang_middle":
                    stream.is_silent = True
                    await asyncio.Event().wait()
                if fault == "truncated":
                    await on_delta(Delta(finish_reason="length", tokens_out=until))
                    return
        await on_delta(Delta(text='"}', finish_reason="stop", tokens_out=stream.tokens, is_token=True, tokens=1))
        self.counts["whole"] += 1

    async def _tick(self) -> None:
        while self._active:
            await self._sleep(_TICK_SECONDS)
            now = self.now()
            health = self.model.health_at(now)
            if health == "hangs":
                for stream in self._active:
                    stream.is_silent = True
            talking = [stream for stream in self._active if not stream.is_silent]
            if health == "refuses":
                for stream in talking:
                    stream.broken = Failure(kind="reset", detail=f"{self.name} went away")
                    stream.news.set()
                continue
            if not talking:
                continue
            made = self.model.tokens_per_second(len(talking), now) * _TICK_SECONDS / len(talking)
            for stream in talking:
                stream.made += made
                self.made_tokens += made
                stream.news.set()

    def _fault(self) -> Fault | None:
        draw = self._chance.random()
        for fault, share in self.model.faults.items():
            if draw < share:
                self.counts[fault] += 1
                return fault
            draw -= share
        return None

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._scale)


class SimulatedTransport:
    """Several devices, found by the name of the endpoint."""

    def __init__(self, devices: Mapping[str, SimulatedDevice]) -> None:
        self.devices = devices

    async def call(self, endpoint: Endpoint, body: Mapping[str, Any], on_delta: OnDelta) -> None:
        """See `Transport.call`."""
        await self.devices[endpoint.name].call(body, on_delta)

    async def aclose(self) -> None:
        """Nothing is open."""


def tokens_of(prompt: str) -> int:
    """How long the answer to a prompt is: always the same, about 600 tokens."""
    return int(TOKENS * Random(prompt).uniform(1 - _TOKENS_SPREAD, 1 + _TOKENS_SPREAD))


def oracle_seconds(models: Sequence[DeviceModel], tokens: float) -> float:
    """The least device seconds in which all devices together make that many tokens."""
    made, step = 0.0, 0.1
    for count in itertools.count():
        at = count * step
        made += step * sum(model.best_tokens_per_second(at) for model in models if model.health_at(at) == "well")
        if made >= tokens:
            return at + step
    raise AssertionError
