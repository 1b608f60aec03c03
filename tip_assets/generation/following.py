"""Lets a running engine follow the settings, and the priority of what it makes, as they are now.

What follows: timeouts, retries, breaker, patience, hedging, guardrails, and how many calls are in flight. What a call
is made of (servers, model, prompt, seed, batches) is settled when writing begins: provenance says so of the whole.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

import msgspec

from tip_resources.database.trouble import DATABASE_TROUBLE
from tip_resources.llm.hill_climb import HillClimb
from tip_resources.llm.learning import bounds_of, guardrails_of, learning_limiter
from tip_resources.llm.limiter import Learned
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import EngineSettings, Settings

# Live settings are at most 2 s old themselves (settings/live.py).
LOOK_SECONDS = 1.0


class FollowingEngine(Protocol):
    """What is needed of a `RequestEngine`."""

    def follow(self, settings: EngineSettings) -> None:
        """These hold from now on."""
        ...


class Following:
    """What one engine follows. Use it as an async context manager around the engine, and make its limiters by `learn`.

    Args:
        settings: Those of the beginning.
        live: Those of now; asked once a second, in a thread.
    """

    def __init__(self, settings: Settings, live: Callable[[], Settings]) -> None:
        self._settings, self._live = settings, live
        self._limiters: list[tuple[Endpoint, HillClimb]] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._task.cancel()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        if error is None and isinstance(ended, Exception):  # following had ended in a fault
            raise ended

    def learn(self, endpoint: Endpoint, learned: Learned | None = None) -> HillClimb:
        """The limiter of an endpoint, which keeps to the settings from now on."""
        limiter = learning_limiter(endpoint, self._settings, learned)
        self._limiters.append((endpoint, limiter))
        return limiter

    def attach(self, engine: FollowingEngine, weigh: Callable[[], None] | None = None) -> None:
        """Begins to follow. `weigh` brings the engine's part of shared servers up to date; it may ask the database."""
        self._task = asyncio.create_task(self._follow(engine, weigh))

    async def _follow(self, engine: FollowingEngine, weigh: Callable[[], None] | None) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = await asyncio.to_thread(self._look, weigh)
            before, self._settings = self._settings, now
            if (now.engine, now.generation.concurrency) == (before.engine, before.generation.concurrency):
                continue
            start = now.generation.concurrency.high
            for endpoint, limiter in self._limiters:
                wanted = msgspec.structs.replace(endpoint, concurrency=start)
                limiter.follow(bounds_of(wanted, now), guardrails_of(now))
            engine.follow(now.engine)

    def _look(self, weigh: Callable[[], None] | None) -> Settings:
        if weigh is not None:
            with suppress(*DATABASE_TROUBLE):  # the share stays; whoever shares the limits tells that it is away
                weigh()
        return self._live()
