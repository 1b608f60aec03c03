"""Shares the limits of endpoints between processes, by leases in PostgreSQL, and keeps what was learned.

Every second each engine tells how busy it is and hears the same of the others. What follows from it is decided
in shared_limiter.py and sharing.py. A database that is away stops nothing: everyone goes on with its last share.
"""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from tip_resources.database.endpoint_leases import Lease, LeaseStore
from tip_resources.database.endpoint_limits import LimitStore, RememberedLimit
from tip_resources.database.trouble import DATABASE_TROUBLE
from tip_resources.domain.priority import SHARE_WEIGHT
from tip_resources.llm.addresses import shared_address
from tip_resources.llm.clock import Clock, SystemClock
from tip_resources.llm.endpoint_state import EndpointStatus
from tip_resources.llm.limiter import Limiter
from tip_resources.llm.shared_limiter import Learn, SharedLimiter
from tip_resources.llm.types import Endpoint

HEARTBEAT_SECONDS = 1.0
# What was learned is written again when it changed by more than this share.
_WORTH_WRITING = 0.02


class WatchedEngine(Protocol):
    """What is needed of a `RequestEngine`."""

    def wake(self) -> None:
        """Look again who may start."""
        ...

    def status(self) -> tuple[EndpointStatus, ...]:
        """How each endpoint stands."""
        ...


class SharedLimits:
    """The limiters of one engine's endpoints. Use it as an async context manager around the engine.

    Args:
        leases: Who else uses the endpoints.
        limits: What was learned about them before.
        endpoints: The engine's endpoints.
        learn: Makes the limiter that finds the limit of an endpoint.
        node: This machine's name, by which others know its loopback addresses.
        run_id: Whose calls these are, for people.
        weight: Its part beside other engines, by the priority of what it makes (domain/priority.py).
        on_notice: Told once when the database cannot be reached, and once when it can be again.
    """

    def __init__(
        self,
        leases: LeaseStore,
        limits: LimitStore,
        endpoints: Sequence[Endpoint],
        *,
        learn: Learn,
        node: str,
        run_id: str = "",
        weight: int = SHARE_WEIGHT["normal"],
        on_notice: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.on_change: Callable[[], None] = _nothing
        self._leases, self._limits = leases, limits
        self._run_id = run_id
        self._weight = weight
        self._host = socket.gethostname()
        self._on_notice = on_notice
        self._clock = clock or SystemClock()
        self._status: Callable[[], tuple[EndpointStatus, ...]] | None = None
        # A holder of its own for each: two of them may be one server by different names, and share it then.
        self._limiters = [
            (shared_address(endpoint.url, node), SharedLimiter(endpoint, learn, str(uuid.uuid4())))
            for endpoint in endpoints
        ]
        self._written: dict[str, RememberedLimit] = {}
        self._is_away = False
        self._stop = asyncio.Event()
        self._beats: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "SharedLimits":
        await self._guarded(self._begin)
        await self._beat()
        self._beats = asyncio.create_task(self._keep_beating())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        if self._beats is not None:
            await self._beats
        await self._guarded(self._end)

    def limiter_for(self, endpoint: Endpoint) -> Limiter:
        """The limiter of one of the endpoints; what `RequestEngine` wants as its own `limiter_for`."""
        return next(limiter for _, limiter in self._limiters if limiter.endpoint.name == endpoint.name)

    def attach(self, engine: WatchedEngine) -> None:
        """Tells the engine of changed shares, and counts its calls by its own word: it knows cancelled ones."""
        self.on_change = engine.wake
        self._status = engine.status

    def weigh(self, weight: int) -> None:
        """Its part beside other engines from the next heartbeat on."""
        self._weight = weight

    async def _keep_beating(self) -> None:
        while not self._stop.is_set():
            try:
                await asyncio.wait_for(self._stop.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                await self._beat()

    async def _beat(self) -> None:
        """One heartbeat for every endpoint."""
        in_flight = {one.name: one.in_flight for one in self._status()} if self._status is not None else {}
        limits_before = [limiter.limit for _, limiter in self._limiters]
        for address, limiter in self._limiters:
            limiter.in_flight = in_flight.get(limiter.endpoint.name, limiter.in_flight)
            own = Lease(
                endpoint=address,
                model=limiter.endpoint.model,
                holder=limiter.holder,
                run_id=self._run_id,
                host=self._host,
                pid=os.getpid(),
                wanted=limiter.wanted(),
                in_flight=limiter.in_flight,
                tokens_total=limiter.tokens_total,
                weight=self._weight,
            )
            live: list[Lease] = []
            if not await self._guarded(partial(self._renew, own, limiter, live)):
                return
            if limiter.heard(live, self._clock.now()):
                await self._guarded(partial(self._recall, address, limiter))
        if self._learned_something():
            await self._guarded(self._write_learned)
        if limits_before != [limiter.limit for _, limiter in self._limiters]:
            self.on_change()

    async def _guarded(self, work: Callable[[], None]) -> bool:
        """Does something with the database in a thread; says so once when it cannot be reached."""
        try:
            await asyncio.to_thread(work)
        except DATABASE_TROUBLE as error:
            if not self._is_away:
                said = " ".join(str(error).split())
                self._tell(f"Limits of model servers are not shared with other runs for now: {said}")
            self._is_away = True
            return False
        if self._is_away:
            self._tell("Limits of model servers are shared with other runs again.")
        self._is_away = False
        return True

    def _renew(self, own: Lease, limiter: SharedLimiter, live: list[Lease]) -> None:
        live += self._leases.heartbeat(own, limiter.decide)

    def _begin(self) -> None:
        for address, limiter in self._limiters:
            self._recall(address, limiter)

    def _recall(self, address: str, limiter: SharedLimiter) -> None:
        known = self._limits.recall(address, limiter.endpoint.model) if _is_kept(limiter) else None
        limiter.start(known, self._clock.now())

    def _learned_something(self) -> list[tuple[SharedLimiter, RememberedLimit]]:
        """What is worth writing, since it is not what was written last."""
        learned = [(limiter, limiter.to_remember(address)) for address, limiter in self._limiters if _is_kept(limiter)]
        return [(limiter, new) for limiter, new in learned if new is not None and self._is_news(limiter, new)]

    def _is_news(self, limiter: SharedLimiter, learned: RememberedLimit) -> bool:
        known = self._written.get(limiter.endpoint.name)
        return known is None or _differs(learned, known)

    def _write_learned(self) -> None:
        for limiter, learned in self._learned_something():
            self._limits.remember(learned)
            self._written[limiter.endpoint.name] = learned

    def _end(self) -> None:
        self._written.clear()
        self._write_learned()
        for _, limiter in self._limiters:
            self._leases.release(limiter.holder)

    def _tell(self, reason: str) -> None:
        if self._on_notice is not None:
            self._on_notice(reason)


def _is_kept(limiter: SharedLimiter) -> bool:
    """A scripted server is started for one set, on whatever port is free: the next one there is another."""
    return not limiter.endpoint.scripted


def _differs(one: RememberedLimit, other: RememberedLimit) -> bool:
    is_as_fast = abs(one.tokens_per_second - other.tokens_per_second) <= _WORTH_WRITING * other.tokens_per_second
    return one.limit != other.limit or one.reason != other.reason or not is_as_fast


def _nothing() -> None:
    """Nobody to tell yet."""
