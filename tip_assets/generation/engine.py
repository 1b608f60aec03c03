"""The request engine as everything that asks models for calls uses it: the assets, the CLI, the benchmark."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from tip_assets.generation.standings import Standings
from tip_resources.domain.priority import SHARE_WEIGHT, Priority
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.hill_climb import HillClimb
from tip_resources.llm.learning import learning_limiter
from tip_resources.llm.limiter import Learned
from tip_resources.llm.types import Endpoint, EngineNotice
from tip_resources.settings.models import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tip_resources.fleet.fleet_servers import FleetServers


class SharedRecords(msgspec.Struct, frozen=True):
    """Where engines share limits and keep what they learn and how they fared. `run_id` is a UUID.

    `priority` decides how much of a server each gets that several use at once.
    """

    database: "Engine"
    run_id: str
    node: str
    priority: Priority = "normal"


@asynccontextmanager
async def engine_for(
    endpoints: Sequence[Endpoint],
    settings: Settings,
    *,
    shared: SharedRecords | None = None,
    fleet: "FleetServers | None" = None,
    on_notice: Callable[[EngineNotice], None] | None = None,
) -> AsyncIterator[RequestEngine]:
    """An engine over `endpoints` that finds their limits by itself.

    Args:
        endpoints: The servers.
        settings: Of the engine, and the band its limits start in.
        shared: Limits are shared with other processes and kept for the next run; None learns for this run alone.
        fleet: Its machines' heat and people decide which endpoints get calls; None holds nothing back.
        on_notice: Told what the engine decides and why.
    """

    def learn(endpoint: Endpoint, learned: Learned | None = None) -> HillClimb:
        return learning_limiter(endpoint, settings, learned)

    def tell(reason: str) -> None:
        if on_notice is not None:
            on_notice(EngineNotice(kind="database", reason=reason))

    async with AsyncExitStack() as stack:
        standings = None if fleet is None else await stack.enter_async_context(Standings(fleet))
        records = None
        if shared is not None:
            from tip_resources.llm.engine_records import EngineRecords

            records = await stack.enter_async_context(
                EngineRecords(
                    shared.database,
                    endpoints,
                    learn=learn,
                    run_id=shared.run_id,
                    node=shared.node,
                    weight=SHARE_WEIGHT[shared.priority],
                    on_notice=tell,
                )
            )
        engine = await stack.enter_async_context(
            RequestEngine(
                endpoints,
                settings.engine,
                limiter_for=learn if records is None else records.limiter_for,
                standing_of=None if standings is None else standings.of,
                on_notice=on_notice,
            )
        )
        if records is not None:
            await records.attach(engine)
        if standings is not None:
            standings.attach(engine)
        yield engine
