"""A running engine follows the settings, over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import pytest

from tests.unit.resources.llm.helpers import request
from tests.unit.resources.llm.scripted_server import ScriptedServer, hangs
from tip_assets.generation import following
from tip_assets.generation.engine import engine_for
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.types import RequestDone
from tip_resources.settings.models import EngineSettings, GenerationSettings, Settings

pytestmark = pytest.mark.usefixtures("quick_looks")


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)


def at_once(low: int, high: int, **engine: float) -> Settings:
    generation = GenerationSettings.model_validate({"concurrency": {"low": low, "high": high}})
    return Settings(generation=generation, engine=EngineSettings.model_validate({"max_concurrency": high, **engine}))


class Live:
    """Settings that somebody changes."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self) -> Settings:
        return self.settings


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.005)


async def asking(engine: RequestEngine, requests: int, then: Callable[[], Awaitable[None]]) -> list[RequestDone]:
    """What became of the requests that ended before `then` was done."""
    done: list[RequestDone] = []

    async def ask() -> None:
        async with aclosing(engine.run([request(f"r{number}") for number in range(requests)])) as events:
            async for event in events:
                if isinstance(event, RequestDone):
                    done.append(event)

    task = asyncio.create_task(ask())
    await then()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return done


def test_more_calls_are_in_flight_when_the_settings_say_so_and_fewer_when_they_say_that() -> None:
    live = Live(at_once(1, 1))

    async def scenario() -> None:
        async with (
            ScriptedServer([hangs()]) as server,
            engine_for([server.endpoint(concurrency=1)], live(), live=live) as engine,
        ):

            async def changes() -> None:
                await until(lambda: server.in_flight == 1)
                assert engine.status()[0].limit == 1
                live.settings = at_once(3, 4)
                await until(lambda: server.in_flight == 4)
                live.settings = at_once(1, 2)
                await until(lambda: engine.status()[0].limit == 2)
                assert "the settings changed" in engine.status()[0].limit_reason
                assert server.most_in_flight == 4, "calls under way are not broken off"

            await asking(engine, 12, changes)

    asyncio.run(scenario())


def test_a_shorter_time_to_the_first_token_counts_from_the_next_call_on() -> None:
    live = Live(at_once(1, 1, retries=0))

    async def scenario() -> list[RequestDone]:
        async with (
            ScriptedServer([hangs()]) as server,
            engine_for([server.endpoint(concurrency=1)], live(), live=live) as engine,
        ):
            done: list[RequestDone] = []

            async def changes() -> None:
                await until(lambda: server.in_flight == 1)
                live.settings = at_once(2, 2, retries=0, first_token_timeout_seconds=0.05)
                await until(lambda: len(server.asked) >= 3)

            done += await asking(engine, 5, changes)
            return done

    done = asyncio.run(scenario())
    assert done and all(one.failure == "timeout" for one in done)
    assert "r0" not in {one.request_id for one in done}, "it waits as long as it began to"


def test_patience_with_servers_that_are_away_ends_when_it_is_cut_short() -> None:
    live = Live(at_once(1, 1, retries=0))

    async def scenario() -> list[RequestDone]:
        async with ScriptedServer([hangs()]) as server:
            endpoint = server.endpoint(concurrency=1)
        async with engine_for([endpoint], live(), live=live) as engine:
            done: list[RequestDone] = []

            async def changes() -> None:
                await until(lambda: engine.status()[0].standing != "ready")
                live.settings = at_once(1, 1, retries=0, unavailable_limit_seconds=0.1)
                await asyncio.sleep(0.5)

            done += await asking(engine, 2, changes)
            return done

    assert {one.request_id for one in asyncio.run(scenario())} == {"r0", "r1"}
