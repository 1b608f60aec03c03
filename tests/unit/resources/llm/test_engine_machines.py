"""Promises of the engine about machines: one that is needed is left at once, and nothing is lost or given twice."""

import asyncio
import contextlib
from collections.abc import Sequence
from contextlib import ExitStack
from random import Random
from typing import Any, cast

import pytest

from tests.unit.resources.llm.helpers import DEAD_URL, FakeClock, request, settings
from tests.unit.resources.llm.machines_and_callers import (
    HOT,
    IN_USE,
    LOST,
    PAUSED,
    THROTTLED,
    Caller,
    Machines,
    rehearsal,
    status_of,
    until,
)
from tests.unit.resources.llm.scripted_server import ScriptedServer, answers, hangs, says
from tests.unit.resources.rehearsal.serving import PacedServer, paced, served, stats_of
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.flight import Flight
from tip_resources.llm.job import Job
from tip_resources.llm.machine_standing import WELL, MachineStanding
from tip_resources.llm.types import Endpoint, EngineEvent, EngineNotice, RequestDone

SLOW = 400.0  # tokens a second: an answer of three calls takes some three seconds


def kinds(notices: Sequence[EngineNotice]) -> list[str]:
    return [notice.kind for notice in notices]


def test_a_machine_that_is_needed_is_left_at_once_and_nothing_is_lost_or_given_twice() -> None:
    async def scenario(rtx: PacedServer, mac: PacedServer) -> None:
        machines, caller, notices = Machines(), Caller(12, 3), []
        endpoints = [rehearsal("rtx", rtx.url, 6), rehearsal("mac", mac.url, 6)]
        async with RequestEngine(
            endpoints, settings(hedge=False), standing_of=machines, on_notice=notices.append
        ) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            await until(lambda: caller.by_endpoint["rtx"] >= 1 and status_of(engine, "rtx").in_flight >= 4)
            machines.standings["rtx"] = IN_USE
            await until(lambda: status_of(engine, "rtx").in_flight == 0)
            await until(lambda: stats_of(rtx.url)["in_flight"] == 0)
            given_by_rtx = caller.by_endpoint["rtx"]
            status = status_of(engine, "rtx")
            assert (status.standing, status.limit, status.failures_by_kind) == ("paused", 0, {})
            assert status.reason == "its machine takes no calls now: rtx is in_use: a game (for 12 min)"
            mac.hurry()
            await asking
        assert set(caller.given) == caller.wanted
        assert set(caller.given.values()) == {1}
        assert caller.by_endpoint["rtx"] == given_by_rtx
        assert all(done.failure in (None, "moved") for done in caller.done)
        assert all(not done.failures_by_kind for done in caller.done)
        partly = [done for done in caller.done if done.failure == "moved"]
        assert partly, "a call that had given something ends with what it gave"
        assert all(0 < done.items < 3 for done in partly)
        assert kinds(notices).count("endpoint_paused") == 1
        assert "waiting" not in kinds(notices)

    with paced(SLOW) as rtx, paced(SLOW) as mac:
        asyncio.run(scenario(rtx, mac))


def test_with_no_other_endpoint_the_calls_wait_say_why_and_go_on_when_the_machine_is_back() -> None:
    async def scenario(rtx: PacedServer) -> None:
        machines, caller, notices, clock = Machines(), Caller(8, 2), [], FakeClock()
        async with RequestEngine(
            [rehearsal("rtx", rtx.url, 4)],
            settings(unavailable_limit_seconds=60),
            standing_of=machines,
            on_notice=notices.append,
            clock=clock,
        ) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            await until(lambda: status_of(engine, "rtx").in_flight == 4)
            machines.standings["rtx"] = IN_USE
            await until(lambda: status_of(engine, "rtx").in_flight == 0 and "waiting" in kinds(notices))
            for _ in range(5):
                clock.seconds += 3600  # far beyond the patience with servers that are broken
                engine.wake()
                await asyncio.sleep(0.05)
            assert not asking.done()
            rtx.hurry()
            machines.standings["rtx"] = WELL
            await asking
        assert (set(caller.given), set(caller.given.values())) == (caller.wanted, {1})
        assert all(done.failure in (None, "moved") for done in caller.done)
        (waiting,) = [notice for notice in notices if notice.kind == "waiting"]
        assert "rtx is in_use: a game (for 12 min)" in waiting.reason
        assert kinds(notices)[-2:] == ["endpoint_back", "resumed"]

    with paced(SLOW) as rtx:
        asyncio.run(scenario(rtx))


def test_a_hot_machine_that_works_alone_ends_its_calls_and_gets_no_new_ones_until_it_is_cool() -> None:
    async def scenario(rtx: PacedServer) -> None:
        machines, caller, notices = Machines(), Caller(8, 2), []
        async with RequestEngine(
            [rehearsal("rtx", rtx.url, 4)], settings(), standing_of=machines, on_notice=notices.append
        ) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            await until(lambda: status_of(engine, "rtx").in_flight == 4)
            machines.standings["rtx"] = HOT
            await until(lambda: status_of(engine, "rtx").in_flight == 0 and "waiting" in kinds(notices))
            await until(lambda: len(caller.done) == 4)
            assert stats_of(rtx.url)["requests"] == 4
            rtx.hurry()
            machines.standings.clear()
            await asking
        assert set(caller.given.values()) == {1}
        assert {done.failure for done in caller.done} == {None}

    with paced(2 * SLOW) as rtx:
        asyncio.run(scenario(rtx))


def test_calls_of_a_hot_machine_go_elsewhere_where_another_endpoint_works() -> None:
    async def scenario(rtx: PacedServer, mac: PacedServer) -> None:
        machines, caller = Machines(), Caller(8, 3)
        endpoints = [rehearsal("rtx", rtx.url, 4), rehearsal("mac", mac.url, 4)]
        async with RequestEngine(endpoints, settings(hedge=False), standing_of=machines) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            await until(lambda: status_of(engine, "rtx").in_flight == 4 and status_of(engine, "mac").in_flight == 4)
            machines.standings["rtx"] = HOT
            await until(lambda: status_of(engine, "rtx").in_flight == 0)
            assert len(caller.done) < 4, "they did not wait for their ends"
            mac.hurry()
            await asking
        assert (set(caller.given), set(caller.given.values())) == (caller.wanted, {1})

    with paced(SLOW / 4) as rtx, paced(SLOW) as mac:
        asyncio.run(scenario(rtx, mac))


def test_a_machine_that_is_lost_is_waited_for_no_longer_than_a_broken_server() -> None:
    async def scenario(url: str) -> None:
        machines, clock = Machines(rtx=LOST), FakeClock()
        async with RequestEngine(
            [rehearsal("rtx", url, 4)],
            settings(unavailable_limit_seconds=60),
            standing_of=machines,
            clock=clock,
        ) as engine:
            (done,) = await _all_done(engine)
        assert clock.seconds >= 1060
        assert done.failure == "connect"
        assert "rtx is lost: no report for 3 min" in done.detail
        assert stats_of(url)["requests"] == 0

    with served() as url:
        asyncio.run(scenario(url))


async def _all_done(engine: RequestEngine) -> list[RequestDone]:
    return [event async for event in engine.run([request()]) if isinstance(event, RequestDone)]


def test_an_engine_that_begins_while_all_machines_are_held_waits_and_says_so() -> None:
    async def scenario(url: str) -> None:
        machines, caller, notices = Machines(rtx=PAUSED), Caller(3, 1), []
        async with RequestEngine(
            [rehearsal("rtx", url, 4)], settings(), standing_of=machines, on_notice=notices.append
        ) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            await until(lambda: "waiting" in kinds(notices))
            assert stats_of(url)["requests"] == 0
            machines.standings.clear()
            await asking
        assert set(caller.given) == caller.wanted
        assert kinds(notices) == ["endpoint_paused", "waiting", "endpoint_back", "resumed"]

    with served() as url:
        asyncio.run(scenario(url))


@pytest.mark.parametrize("other", ["is broken", "is out for good"])
def test_calls_wait_for_a_held_machine_however_the_other_endpoint_is(other: str) -> None:
    async def scenario(url: str) -> None:
        machines, caller, notices, clock = Machines(rtx=PAUSED), Caller(3, 1), [], FakeClock()
        async with ScriptedServer([answers(401, "wrong key")]) as locked:
            dead = Endpoint(name="bad", url=DEAD_URL, model="m")
            bad = locked.endpoint("bad") if other == "is out for good" else dead
            async with RequestEngine(
                [bad, rehearsal("rtx", url, 4)],
                settings(unavailable_limit_seconds=60),
                standing_of=machines,
                on_notice=notices.append,
                clock=clock,
            ) as engine:
                asking = asyncio.ensure_future(caller.get_all(engine))
                await until(lambda: "waiting" in kinds(notices))
                for _ in range(5):
                    clock.seconds += 3600
                    engine.wake()
                    await asyncio.sleep(0.05)
                assert not asking.done()
                machines.standings.clear()
                await asking
        assert set(caller.given) == caller.wanted
        assert {done.failure for done in caller.done} == {None}

    with served() as url:
        asyncio.run(scenario(url))


def test_a_machine_that_takes_no_new_calls_finishes_those_it_has() -> None:
    async def scenario(rtx: PacedServer, mac: PacedServer) -> None:
        machines, caller = Machines(), Caller(12, 1)
        endpoints = [rehearsal("rtx", rtx.url, 3), rehearsal("mac", mac.url, 3)]
        async with RequestEngine(endpoints, settings(hedge=False), standing_of=machines) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            await until(lambda: status_of(engine, "rtx").in_flight == stats_of(rtx.url)["in_flight"] == 3)
            before = stats_of(rtx.url)["requests"]
            machines.standings["rtx"] = PAUSED
            mac.hurry()
            await asking
        assert set(caller.given.values()) == {1}
        assert {done.failure for done in caller.done} == {None}
        assert stats_of(rtx.url)["requests"] == before
        assert stats_of(rtx.url)["outcomes"] == {"ok": before}

    with paced(SLOW) as rtx, paced(SLOW) as mac:
        asyncio.run(scenario(rtx, mac))


def test_a_throttled_machine_keeps_its_share_of_the_calls_and_gets_all_back() -> None:
    async def scenario(rtx: PacedServer) -> None:
        machines, caller = Machines(), Caller(60, 1)
        async with RequestEngine([rehearsal("rtx", rtx.url, 10)], settings(), standing_of=machines) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            await until(lambda: status_of(engine, "rtx").in_flight == 10)
            machines.standings["rtx"] = THROTTLED
            await until(lambda: status_of(engine, "rtx").in_flight <= 7)
            done, most = len(caller.done), 0

            def has_gone_on() -> bool:
                nonlocal most
                most = max(most, status_of(engine, "rtx").in_flight)
                return len(caller.done) >= done + 10

            await until(has_gone_on)
            status = status_of(engine, "rtx")
            assert (most, status.limit) == (7, 7)
            assert status.limit_reason == "7 of 10: rtx is throttled: CPU at 76 C (for 3 min)"
            machines.standings.clear()
            await until(lambda: status_of(engine, "rtx").in_flight == 10)
            assert status_of(engine, "rtx").limit_reason == "set in the settings"
            rtx.hurry()
            await asking
        assert set(caller.given.values()) == {1}

    with paced(1000.0) as rtx:
        asyncio.run(scenario(rtx))


def test_a_call_that_hangs_and_its_twin_are_both_moved() -> None:
    async def scenario() -> None:
        machines, notices = Machines(third=PAUSED), []
        talks = says('{"calls": [{"call": 1}]}')
        replies = [talks, talks, talks, talks, hangs()]
        async with ScriptedServer(replies) as one, ScriptedServer([hangs()]) as two, ScriptedServer([talks]) as three:
            endpoints = [one.endpoint("one", concurrency=1), two.endpoint("two"), three.endpoint("third")]
            machines.standings["two"] = PAUSED
            async with RequestEngine(endpoints, settings(), standing_of=machines, on_notice=notices.append) as engine:
                ended = [
                    event
                    async for event in engine.run([request(f"warm{n}", items=1) for n in range(4)])
                    if isinstance(event, RequestDone)
                ]
                assert len(ended) == 4

                async def ask() -> list[Any]:
                    return [event async for event in engine.run([request("last", items=1)])]

                asking = asyncio.ensure_future(ask())
                await until(lambda: one.in_flight == 1)
                machines.standings["two"] = WELL
                await until(lambda: two.in_flight >= 1)
                machines.standings |= {"one": IN_USE, "two": IN_USE, "third": WELL}
                item, done = await asking
                assert (item.endpoint.name, done.failure, done.items) == ("third", None, 1)
                assert one.in_flight == two.in_flight == 0
                assert status_of(engine, "one").failures_by_kind == status_of(engine, "two").failures_by_kind == {}
            assert "twin" in kinds(notices)

    asyncio.run(scenario())


def test_a_machine_is_left_though_nothing_else_happens_and_others_wait_for_it() -> None:
    async def scenario() -> None:
        machines, notices = Machines(), []
        async with (
            ScriptedServer([hangs()]) as server,
            RequestEngine(
                [server.endpoint("rtx", concurrency=2)], settings(), standing_of=machines, on_notice=notices.append
            ) as engine,
        ):
            asking = asyncio.ensure_future(anext(engine.run([request(str(n)) for n in range(6)])))
            await until(lambda: server.in_flight == 2)
            machines.standings["rtx"] = IN_USE
            await until(lambda: server.in_flight == 0)
            assert kinds(notices) == ["endpoint_paused", "waiting"]
            machines.standings.clear()
            await until(lambda: server.in_flight == 2)
            assert len(server.asked) == 4
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asking

    asyncio.run(scenario())


def test_a_call_whose_machine_is_needed_before_it_was_sent_is_not_sent() -> None:
    sent, abandoned = [], []

    async def send(_job: Job, flight: Flight) -> Any:
        sent.append(flight)

    async def put(_event: EngineEvent) -> None: ...

    async def scenario() -> None:
        job = Job(request(), send, abandoned.append, put)
        flight = Flight(cast(Any, None), job.need, 0.0)
        job.move(flight)
        job.start(flight)
        assert await job.next_end() == (flight, None)
        assert (sent, abandoned, job.has_calls) == ([], [flight], False)

    asyncio.run(scenario())


def test_a_machine_need_not_wait_for_a_reader_who_is_busy_and_nothing_is_lost_by_it() -> None:
    async def scenario(url: str) -> None:
        machines, caller = Machines(), Caller(80, 2)
        caller.reads.clear()
        async with RequestEngine([rehearsal("rtx", url, 80)], settings(), standing_of=machines) as engine:
            asking = asyncio.ensure_future(caller.get_all(engine))
            # All is answered, and more than the engine holds for its reader.
            await until(lambda: stats_of(url)["outcomes"].get("ok", 0) >= 80)
            assert status_of(engine, "rtx").in_flight > 0
            machines.standings["rtx"] = IN_USE
            await until(lambda: status_of(engine, "rtx").in_flight == 0)
            machines.standings.clear()
            caller.reads.set()
            await asking
        assert (set(caller.given), set(caller.given.values())) == (caller.wanted, {1})

    with served() as url:
        asyncio.run(scenario(url))


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_two_hundred_requests_come_exactly_once_while_machines_come_and_go(seed: int) -> None:
    chance = Random(seed)
    choices = (WELL, THROTTLED, PAUSED, IN_USE, MachineStanding(0.2, "rtx is throttled"))

    async def flip(machines: Machines, engine: RequestEngine, names: Sequence[str]) -> None:
        for _ in range(60):
            machines.standings[chance.choice(names)] = chance.choice(choices)
            if chance.random() < 0.5:
                engine.wake()
            await asyncio.sleep(chance.uniform(0, 0.03))
        machines.standings.clear()

    async def scenario(urls: Sequence[str]) -> Caller:
        machines, caller = Machines(), Caller(200, 2)
        endpoints = [rehearsal(f"m{n}", url, 8) for n, url in enumerate(urls)]
        async with RequestEngine(endpoints, settings(), standing_of=machines, chance=chance) as engine:
            flipping = asyncio.ensure_future(flip(machines, engine, [endpoint.name for endpoint in endpoints]))
            await caller.get_all(engine)
            await flipping
            assert all(status.in_flight == 0 and not status.failures_by_kind for status in engine.status())
        return caller

    with ExitStack() as stack:
        caller = asyncio.run(scenario([stack.enter_context(served(tokens_per_second=4000.0)) for _ in range(3)]))
    assert (set(caller.given), set(caller.given.values())) == (caller.wanted, {1})
    assert {done.failure for done in caller.done} <= {None, "moved"}
    assert any(done.attempts > 1 for done in caller.done)
