"""What an engine shares through the database while it runs: limits, samples, and which endpoints it uses."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

from sqlalchemy import Engine

from tip_resources.database.endpoint_leases import LeaseStore
from tip_resources.database.endpoint_limits import LimitStore
from tip_resources.database.performance import PerformanceRecorder, PerformanceStore, run_uuid
from tip_resources.database.seen_endpoints import EndpointRegistry, SeenEndpoint, SeenModel
from tip_resources.database.trouble import DATABASE_TROUBLE
from tip_resources.domain.priority import SHARE_WEIGHT
from tip_resources.llm.addresses import shared_address
from tip_resources.llm.limiter import Limiter
from tip_resources.llm.shared_limiter import Learn
from tip_resources.llm.shared_limits import SharedLimits, WatchedEngine
from tip_resources.llm.types import Endpoint


class EngineRecords:
    """Bundles `SharedLimits` and `PerformanceRecorder`. Use it as an async context manager around the engine.

    Args:
        database: Where the records are kept.
        endpoints: The engine's endpoints.
        learn: Makes the limiter that finds the limit of an endpoint.
        run_id: Dagster's run id; for anything else `performance.new_run_id()`.
        node: This machine's name.
        weight: Its part of servers that others use too.
        on_notice: Told once when the database is away, and once when it is back.

    Raises:
        ValueError: The run id is not a UUID.
    """

    def __init__(
        self,
        database: Engine,
        endpoints: Sequence[Endpoint],
        *,
        learn: Learn,
        run_id: str,
        node: str,
        weight: int = SHARE_WEIGHT["normal"],
        on_notice: Callable[[str], None] | None = None,
    ) -> None:
        self._run_id = run_uuid(run_id)
        self._endpoints = endpoints
        self._node = node
        self._on_notice = on_notice
        self._samples = PerformanceStore(database)
        self._registry = EndpointRegistry(database)
        self._limits = SharedLimits(
            LeaseStore(database),
            LimitStore(database),
            endpoints,
            learn=learn,
            node=node,
            run_id=run_id,
            weight=weight,
            on_notice=on_notice,
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "EngineRecords":
        await self._stack.enter_async_context(self._limits)
        await asyncio.to_thread(self._saw)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def limiter_for(self, endpoint: Endpoint) -> Limiter:
        """What `RequestEngine` wants as its own `limiter_for`."""
        return self._limits.limiter_for(endpoint)

    def weigh(self, weight: int) -> None:
        """Its part of servers that others use too, within a second."""
        self._limits.weigh(weight)

    async def attach(self, engine: WatchedEngine) -> None:
        """Begins to sample the engine, and lets it know of changed shares. Call it once, when the engine is made."""
        self._limits.attach(engine)
        address_of = partial(shared_address, node=self._node)
        recorder = PerformanceRecorder(self._samples, self._run_id, engine.status, address_of=address_of)
        await self._stack.enter_async_context(recorder)

    def _saw(self) -> None:
        seen: dict[str, SeenEndpoint] = {}
        for endpoint in self._endpoints:
            if endpoint.scripted:  # started for one set, on whatever port is free
                continue
            address = shared_address(endpoint.url, self._node)
            model = SeenModel(name=endpoint.model, context_window_tokens=endpoint.context_window_tokens)
            others = seen[address].models if address in seen else ()
            seen[address] = SeenEndpoint(
                address=address,
                name=endpoint.name,
                tier=endpoint.tier,
                state="used",
                details={"url": endpoint.url},
                models=(*others, model),
            )
        if not seen:
            return
        try:
            self._registry.saw(list(seen.values()))
        except DATABASE_TROUBLE as trouble:
            if self._on_notice is not None:
                self._on_notice(f"The endpoints in use could not be noted: {trouble}")
