"""The request engine as everything that asks models for calls uses it: the assets, the CLI, the benchmark."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from tip_assets.generation.following import Following
from tip_assets.generation.standings import Standings
from tip_resources.domain.priority import SHARE_WEIGHT, Priority
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.types import Endpoint, EngineNotice
from tip_resources.settings.models import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tip_resources.fleet.fleet_servers import FleetServers
    from tip_resources.llm.engine_records import EngineRecords


class SharedRecords(msgspec.Struct, frozen=True):
    """Where engines share limits and keep what they learn and how they fared. `run_id` is a UUID.

    `priority` decides how much of a server each gets that several use at once; `priority_now` reads it while the
    engine runs, for an engine that follows the settings.
    """

    database: "Engine"
    run_id: str
    node: str
    priority: Priority = "normal"
    priority_now: Callable[[], Priority] | None = None


@asynccontextmanager
async def engine_for(
    endpoints: Sequence[Endpoint],
    settings: Settings,
    *,
    shared: SharedRecords | None = None,
    fleet: "FleetServers | None" = None,
    on_notice: Callable[[EngineNotice], None] | None = None,
    live: Callable[[], Settings] | None = None,
) -> AsyncIterator[RequestEngine]:
    """An engine over `endpoints` that finds their limits by itself.

    Args:
        endpoints: The servers.
        settings: Of the engine, and the band its limits start in.
        shared: Limits are shared with other processes and kept for the next run; None learns for this run alone.
        fleet: Its machines' heat and people decide which endpoints get calls; None holds nothing back.
        on_notice: Told what the engine decides and why.
        live: The settings as they are now, which the engine follows; None keeps to `settings`.
    """
    following = Following(settings, live or (lambda: settings))

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
                    learn=following.learn,
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
                limiter_for=following.learn if records is None else records.limiter_for,
                standing_of=None if standings is None else standings.of,
                on_notice=on_notice,
            )
        )
        if records is not None:
            await records.attach(engine)
        if standings is not None:
            standings.attach(engine)
        if live is not None:
            await stack.enter_async_context(following)
            following.attach(engine, None if records is None else partial(_weigh, records, shared))
        yield engine


def _weigh(records: "EngineRecords", shared: SharedRecords | None) -> None:
    if shared is not None and shared.priority_now is not None:
        records.weigh(SHARE_WEIGHT[shared.priority_now()])
