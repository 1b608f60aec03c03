"""Promises of the engine with many requests and several endpoints: bounded, balanced, and free to be stopped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.unit.resources.llm.helpers import DEAD_URL, FakeClock, Seen, calls_text, collect, request, settings
from tests.unit.resources.llm.scripted_server import ScriptedServer, answers, hangs, says, slowly
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.limiter import CallSample
from tip_resources.llm.types import ChatRequest, Endpoint, RequestDone

GOOD = slowly(says(calls_text(1), size=40))
DEAD = Endpoint(name="dead", url=DEAD_URL, model="phi-4")


def many(count: int) -> Iterator[ChatRequest]:
    return (request(f"r{n}", items=1) for n in range(count))


def test_no_endpoint_ever_gets_more_than_its_limit() -> None:
    async def scenario() -> tuple[Seen, ScriptedServer]:
        async with ScriptedServer([GOOD]) as server:
            return await collect([server.endpoint(concurrency=3)], many(40)), server

    seen, server = asyncio.run(scenario())
    assert len(seen.done) == 40
    assert server.most_in_flight == 3


def test_requests_are_taken_only_as_there_is_room() -> None:
    taken = 0

    def counting() -> Iterator[ChatRequest]:
        nonlocal taken
        for entry in many(1000):
            taken += 1
            yield entry

    async def scenario() -> None:
        async with (
            ScriptedServer([hangs()]) as server,
            RequestEngine([server.endpoint(concurrency=3)], settings()) as engine,
        ):
            events = engine.run(counting())
            waiting = asyncio.ensure_future(anext(events))
            while server.in_flight < 3:
                await asyncio.sleep(0.01)
            assert taken <= 6
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting

    asyncio.run(scenario())
    assert taken <= 6


def test_a_slow_reader_holds_the_requests_back() -> None:
    taken = 0

    def counting() -> Iterator[ChatRequest]:
        nonlocal taken
        for entry in many(1000):
            taken += 1
            yield entry

    async def scenario() -> None:
        async with (
            ScriptedServer([GOOD]) as server,
            RequestEngine([server.endpoint(concurrency=4)], settings()) as engine,
            contextlib.aclosing(engine.run(counting())) as events,
        ):
            await anext(events)
            await asyncio.sleep(0.3)

    asyncio.run(scenario())
    assert taken < 100


def test_requests_may_come_from_an_asynchronous_source() -> None:
    async def source() -> AsyncIterator[ChatRequest]:
        for entry in many(5):
            await asyncio.sleep(0)
            yield entry

    async def scenario() -> int:
        async with ScriptedServer([GOOD]) as server, RequestEngine([server.endpoint()], settings()) as engine:
            return len([event async for event in engine.run(source()) if isinstance(event, RequestDone)])

    assert asyncio.run(scenario()) == 5


def test_leaving_early_closes_all_streams_at_once() -> None:
    async def scenario() -> None:
        async with ScriptedServer([hangs('{"calls": [{"a": 1},')]) as server:
            async with RequestEngine([server.endpoint(concurrency=3)], settings()) as engine:
                async with contextlib.aclosing(engine.run(request(str(n), items=2) for n in range(10))) as events:
                    for _ in range(3):
                        await anext(events)
                assert engine.status()[0].in_flight == 0
                await server.until_idle()
            assert (server.closed_by_client, len(server.asked)) == (3, 3)

    asyncio.run(scenario())


def test_cancelling_the_task_closes_all_streams() -> None:
    async def scenario() -> None:
        async with ScriptedServer([hangs()]) as server:
            engine = RequestEngine([server.endpoint(concurrency=2)], settings())

            async def drain() -> None:
                async for _ in engine.run(many(5)):
                    pass

            task = asyncio.create_task(drain())
            while server.in_flight < 2:
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert engine.status()[0].in_flight == 0
            await server.until_idle()
            assert server.closed_by_client == 2
            await engine.aclose()

    asyncio.run(scenario())


def test_a_broken_source_of_requests_is_not_hidden() -> None:
    def breaking() -> Iterator[ChatRequest]:
        yield request(items=1)
        raise RuntimeError("the plan is broken")

    async def scenario() -> None:
        async with ScriptedServer([GOOD]) as server, RequestEngine([server.endpoint()], settings()) as engine:
            async for _ in engine.run(breaking()):
                pass

    with pytest.raises(RuntimeError, match="the plan is broken"):
        asyncio.run(scenario())


def test_a_dead_endpoint_costs_nothing_but_the_calls_it_held() -> None:
    async def scenario() -> Seen:
        async with ScriptedServer([GOOD]) as server:
            return await collect([DEAD, server.endpoint(concurrency=2)], many(30))

    seen = asyncio.run(scenario())
    assert len(seen.done) == 30
    assert all(done.failure is None for done in seen.done.values())
    assert {item.endpoint.name for item in seen.items} == {"box"}
    assert not [notice for notice in seen.notices if notice.kind == "waiting"]


def test_a_failed_call_goes_to_another_endpoint_without_waiting() -> None:
    async def scenario() -> tuple[Seen, ScriptedServer]:
        async with ScriptedServer([answers(500, "boom")]) as bad, ScriptedServer([GOOD]) as good:
            seen = await collect([bad.endpoint("bad"), good.endpoint("good")], [request(items=1)])
            return seen, bad

    seen, bad = asyncio.run(scenario())
    assert (seen.only.failure, seen.only.attempts, len(bad.asked)) == (None, 2, 1)
    assert seen.items[0].endpoint.name == "good"
    assert seen.items[0].attempt == 2
    assert seen.clock.slept == []


def test_an_overloaded_endpoint_hands_its_calls_on() -> None:
    async def scenario() -> Seen:
        busy, free = ScriptedServer([answers(429, "full", Retry_After="600")]), ScriptedServer([GOOD])
        async with busy, free:
            return await collect([busy.endpoint("busy"), free.endpoint("free", concurrency=1)], many(10))

    seen = asyncio.run(scenario())
    assert all(done.failure is None for done in seen.done.values())
    assert "endpoint_paused" in [notice.kind for notice in seen.notices]


def test_a_request_one_server_declines_is_asked_of_the_other() -> None:
    async def scenario() -> Seen:
        declines, takes = ScriptedServer([says("I'm sorry, I can't.")]), ScriptedServer([GOOD])
        async with declines, takes:
            return await collect([declines.endpoint("a"), takes.endpoint("b")], many(6))

    seen = asyncio.run(scenario())
    assert all(done.failure is None for done in seen.done.values())


def test_a_request_all_servers_decline_ends_with_its_own_reason() -> None:
    async def scenario() -> Seen:
        one, two = ScriptedServer([says("I'm sorry, I can't.")]), ScriptedServer([says("I'm sorry, no.")])
        async with one, two:
            return await collect([one.endpoint("a"), two.endpoint("b")], [request()])

    assert asyncio.run(scenario()).only.failure == "refusal"


def test_an_endpoint_with_a_wrong_key_does_not_stop_the_others() -> None:
    async def scenario() -> Seen:
        locked, open_one = ScriptedServer([answers(401, "no")]), ScriptedServer([GOOD])
        async with locked, open_one:
            return await collect([locked.endpoint("locked"), open_one.endpoint("open")], many(12))

    seen = asyncio.run(scenario())
    assert all(done.failure is None for done in seen.done.values())


def test_the_status_of_an_endpoint_says_why_it_is_idle() -> None:
    async def scenario() -> None:
        async with (
            ScriptedServer([answers(401, "no")]) as locked,
            ScriptedServer([GOOD]) as good,
            RequestEngine([locked.endpoint("locked"), good.endpoint("good")], settings()) as engine,
        ):
            async for _ in engine.run(many(8)):
                pass
            status = {one.name: one for one in engine.status()}
            assert status["locked"].standing == "out"
            assert "HTTP 401" in status["locked"].reason
            assert (status["good"].standing, status["good"].items) == ("ready", 8)

    asyncio.run(scenario())


class OneThenMany:
    """A limiter that learns: one call at first, four after the first success."""

    def __init__(self) -> None:
        self.limit = 1
        self.reason = "a test"
        self.samples: list[CallSample] = []

    def call_started(self, now: float, in_flight: int) -> None:
        pass

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None:
        pass

    def call_finished(self, sample: CallSample) -> None:
        self.samples.append(sample)
        self.limit = 4

    def held_down(self, now: float, weight: float) -> None:
        pass


def test_another_limiter_can_take_the_place_of_the_fixed_one() -> None:
    limiter = OneThenMany()

    async def scenario() -> int:
        async with ScriptedServer([GOOD]) as server:
            async with RequestEngine(
                [server.endpoint()], settings(), limiter_for=lambda _: limiter, clock=FakeClock()
            ) as engine:
                async for _ in engine.run(many(20)):
                    pass
            return server.most_in_flight

    assert asyncio.run(scenario()) == 4
    assert len(limiter.samples) == 20
    assert limiter.samples[0].in_flight == 1
    assert limiter.samples[0].tokens_out == 22


class Rises:
    """A limit of one until it is let go."""

    limit = 1
    reason = "told by a test"

    def call_started(self, now: float, in_flight: int) -> None: ...

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None: ...

    def call_finished(self, sample: CallSample) -> None: ...

    def held_down(self, now: float, weight: float) -> None: ...


@pytest.mark.parametrize("tells", [True, False])
def test_a_limit_that_rises_is_filled_while_the_calls_under_way_go_on(tells: bool) -> None:
    async def scenario() -> None:
        limiter = Rises()
        async with (
            ScriptedServer([hangs()]) as server,
            RequestEngine([server.endpoint()], settings(), limiter_for=lambda _: limiter) as engine,
        ):
            waiting = asyncio.ensure_future(anext(engine.run(many(20))))
            while server.in_flight < 1:
                await asyncio.sleep(0.01)
            limiter.limit = 8
            if tells:
                engine.wake()
            async with asyncio.timeout(5):
                while server.in_flight < 8:
                    await asyncio.sleep(0.01)
            waiting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await waiting

    asyncio.run(scenario())


def test_no_request_is_taken_while_other_runs_hold_the_endpoint() -> None:
    taken = 0

    def counting() -> Iterator[ChatRequest]:
        nonlocal taken
        for entry in many(5):
            taken += 1
            yield entry

    async def scenario() -> int:
        limiter, done = Rises(), 0
        limiter.limit = 0
        async with (
            ScriptedServer([GOOD]) as server,
            RequestEngine([server.endpoint()], settings(), limiter_for=lambda _: limiter) as engine,
        ):

            async def give_back() -> None:
                await asyncio.sleep(0.05)
                assert taken == 0
                limiter.limit = 2
                engine.wake()

            giving = asyncio.ensure_future(give_back())
            async for event in engine.run(counting()):
                done += isinstance(event, RequestDone)
            await giving
        return done

    assert asyncio.run(scenario()) == 5


def test_endpoints_must_be_told_apart() -> None:
    with pytest.raises(ValueError, match="different names"):
        RequestEngine([DEAD, DEAD], settings())
