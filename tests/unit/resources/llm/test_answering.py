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
