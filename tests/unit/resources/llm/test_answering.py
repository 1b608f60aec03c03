"""The meter counts what an engine was given and has not ended, sent or not."""

import asyncio
from collections.abc import AsyncGenerator

from tests.unit.resources.llm.helpers import request
from tip_resources.llm.answering import Metered, each
from tip_resources.llm.types import EngineEvent, RequestDone


class HoldsTwo:
    """Stands for an engine: takes two requests before it ends the first."""

    def status(self):
        return ()

    async def run(self, requests) -> AsyncGenerator[EngineEvent, None]:
        held = []
        async for one in each(requests):
            held.append(one)
            if len(held) == 2:
                yield done(held.pop(0).request_id)
        for one in held:
            yield done(one.request_id)


def done(name: str) -> RequestDone:
    return RequestDone(request_id=name, endpoint=None, items=0, attempts=1)


def test_requests_taken_and_not_ended_are_counted() -> None:
    async def go() -> list[int]:
        metered = Metered(HoldsTwo())
        counts = []
        async for _ in metered.run(request(str(n)) for n in range(4)):
            counts.append(metered.in_flight())
        return counts

    assert asyncio.run(go()) == [1, 1, 1, 0]


class AnswersAtOnce:
    """Stands for an engine that sends whatever it is given and ends it a moment later."""

    def __init__(self) -> None:
        self.most = 0

    def status(self):
        return ()

    async def run(self, requests) -> AsyncGenerator[EngineEvent, None]:
        ended: asyncio.Queue[str | None] = asyncio.Queue()
        under_way = 0

        async def take() -> None:
            nonlocal under_way
            async for one in each(requests):
                under_way += 1
                self.most = max(self.most, under_way)
                asyncio.get_running_loop().call_later(0.001, ended.put_nowait, one.request_id)
            while under_way:
                await asyncio.sleep(0.001)
            await ended.put(None)

        taking = asyncio.create_task(take())
        while (name := await ended.get()) is not None:
            under_way -= 1
            yield done(name)
        await taking


def test_requests_without_room_wait_until_others_have_ended() -> None:
    async def go(limit: int) -> int:
        engine = AnswersAtOnce()
        metered = Metered(engine, lambda: metered.in_flight() < limit)
        names = [event.request_id async for event in metered.run(request(str(n)) for n in range(30))]
        assert len(names) == 30
        return engine.most

    assert asyncio.run(go(4)) == 4
    assert asyncio.run(go(0)) == 1  # with nothing under way the next one goes, or it would wait for ever
