"""Leases, learned limits, seen endpoints and samples, on a real PostgreSQL."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
import pytest
from sqlalchemy import Engine, create_engine, text

from tip_resources.database.endpoint_leases import Decide, Grant, Lease, LeaseStore
from tip_resources.database.endpoint_limits import LimitStore, RememberedLimit
from tip_resources.database.performance import PerformanceRecorder, PerformanceStore
from tip_resources.database.seen_endpoints import EndpointRegistry, SeenEndpoint, SeenModel
from tip_resources.domain.failures import TransientFailure
from tip_resources.llm.endpoint_state import EndpointStatus
from tip_resources.llm.limiter import Learned
from tip_resources.llm.shared_limits import SharedLimits
from tip_resources.llm.types import Endpoint

LEASE = Lease(endpoint="http://gpu:1234/v1", model="m", holder=str(uuid.uuid4()), wanted=2)
STATUS = EndpointStatus(
    name="gpu",
    url="http://127.0.0.1:1234/v1",
    model="m",
    standing="ready",
    reason="",
    in_flight=3,
    limit=6,
    calls=8,
    items=7,
    failures_by_kind={"server_error": 2},
    tokens_per_second=120.5,
    p50_call_ms=800.4,
)


def take_two(leases: Sequence[Lease], now: datetime) -> Grant:
    return Grant(2, 6)


def test_a_heartbeat_tells_everyone_oldest_first_and_a_killed_holder_is_forgotten(fresh_database: Engine):
    store = LeaseStore(fresh_database)
    second = msgspec.structs.replace(LEASE, holder=str(uuid.uuid4()), in_flight=1)
    store.heartbeat(LEASE, take_two)
    store.heartbeat(second, take_two, lease_seconds=0.05)
    live = store.heartbeat(msgspec.structs.replace(LEASE, tokens_total=40), take_two)
    assert [(one.holder, one.granted, one.tokens_total) for one in live] == [
        (LEASE.holder, 2, 40),
        (second.holder, 2, 0),
    ]
    time.sleep(0.06)
    assert [one.holder for one in store.heartbeat(LEASE, take_two)] == [LEASE.holder]
    store.release(LEASE.holder)
    assert store.live() == []


def test_holders_decide_one_after_the_other(fresh_database: Engine):
    """Each takes only what is left of one: two who decided at once would both take it."""
    engine = create_engine(fresh_database.url, pool_size=8)

    def take_the_rest(leases: Sequence[Lease], now: datetime) -> Grant:
        time.sleep(0.02)
        return Grant(1 - sum(one.granted for one in leases), 1)

    async def all_at_once() -> None:
        holders = [msgspec.structs.replace(LEASE, holder=str(uuid.uuid4())) for _ in range(6)]
        beats = (asyncio.to_thread(LeaseStore(engine).heartbeat, holder, take_the_rest) for holder in holders)
        await asyncio.gather(*beats)

    asyncio.run(all_at_once())
    engine.dispose()
    assert sorted(one.granted for one in LeaseStore(fresh_database).live()) == [0, 0, 0, 0, 0, 1]


def test_the_others_hear_a_holders_weight(fresh_database: Engine):
    store = LeaseStore(fresh_database)
    store.heartbeat(msgspec.structs.replace(LEASE, weight=4), lambda *_: Grant(1, 1))
    other = msgspec.structs.replace(LEASE, holder=str(uuid.uuid4()))
    assert [one.weight for one in store.heartbeat(other, lambda *_: Grant(1, 1))] == [4, 2]


def test_what_was_learned_is_recalled_with_its_age(fresh_database: Engine):
    store = LimitStore(fresh_database)
    assert store.recall("e", "m") is None
    store.remember(RememberedLimit(endpoint="e", model="m", limit=4, tokens_per_second=10.0))
    store.remember(
        RememberedLimit(endpoint="e", model="m", limit=6, tokens_per_second=12.5, p95_first_token_ms=90.0, reason="why")
    )
    with fresh_database.begin() as connection:
        connection.execute(text("UPDATE tip.endpoint_limits SET updated_at = updated_at - interval '3 minutes'"))
    known = store.recall("e", "m")
    assert known is not None
    assert (known.limit, known.tokens_per_second, known.p95_first_token_ms, known.reason) == (6, 12.5, 90.0, "why")
    assert known.age_seconds >= 180
    assert store.recall("e", "other") is None


def test_an_endpoint_seen_again_keeps_what_is_not_said_anew(fresh_database: Engine):
    registry = EndpointRegistry(fresh_database)
    model = SeenModel(name="m", context_window_tokens=8192, is_loaded=True)
    seen = SeenEndpoint(address="e", name="gpu", tier="network", state="answers", models=(model,))
    registry.saw([seen])
    registry.saw([msgspec.structs.replace(seen, state="used", models=(SeenModel(name="m"),))])
    (known,) = registry.all()
    assert (known.state, known.models) == ("used", (model,))


def test_a_recorder_leaves_a_last_sample_under_the_runs_id(fresh_database: Engine):
    run_id = str(uuid.uuid4())
    store = PerformanceStore(fresh_database)

    async def record() -> None:
        async with PerformanceRecorder(store, run_id, lambda: (STATUS,), address_of=lambda _: "http://here:1/v1"):
            pass

    asyncio.run(record())
    (sample,) = store.samples_of_run(run_id)
    assert (sample.endpoint, sample.concurrency, sample.throughput_per_sec) == ("http://here:1/v1", 3, 120.5)
    assert (sample.p50_latency_ms, sample.p95_latency_ms, sample.error_rate) == (800, None, 0.25)
    assert store.newest("http://here:1/v1") == sample
    assert store.samples_of_run(str(uuid.uuid4())) == []


def test_a_run_id_that_is_no_uuid_is_refused(fresh_database: Engine):
    with pytest.raises(ValueError, match="badly formed"):
        PerformanceRecorder(PerformanceStore(fresh_database), "tonight", lambda: ())


class Six:
    limit, reason, learned = 6, "still rising", Learned(limit=6, tokens_per_second=50.0)

    def call_started(self, now: float, in_flight: int) -> None: ...
    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None: ...
    def call_finished(self, sample: object) -> None: ...
    def held_down(self, now: float, weight: float) -> None: ...


def test_one_server_by_two_names_is_shared_as_by_two(fresh_database: Engine):
    endpoints = [
        Endpoint(name="one", url="http://127.0.0.1:1234/v1", model="m"),
        Endpoint(name="other", url="http://localhost:1234/v1", model="m"),
    ]

    async def run() -> list[int]:
        limits = SharedLimits(
            LeaseStore(fresh_database), LimitStore(fresh_database), endpoints, learn=lambda *_: Six(), node="here"
        )
        async with limits:
            while True:
                shares = [limits.limiter_for(endpoint).limit for endpoint in endpoints]
                if shares[1]:
                    return shares
                await asyncio.sleep(0.1)

    shares = asyncio.run(asyncio.wait_for(run(), 30))
    assert min(shares) >= 1
    assert sum(shares) == 6
    assert LeaseStore(fresh_database).live() == []


def test_a_database_that_is_away_is_told_once_and_stops_nothing():
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    endpoint = Endpoint(name="gpu", url="http://127.0.0.1:1234/v1", model="m")
    told: list[str] = []

    async def run() -> int:
        limits = SharedLimits(
            LeaseStore(away), LimitStore(away), [endpoint], learn=lambda *_: Six(), node="here", on_notice=told.append
        )
        async with limits:
            await asyncio.sleep(1.2)
            return limits.limiter_for(endpoint).limit

    assert asyncio.run(run()) == 6
    assert len(told) == 1
    assert "not shared with other runs for now" in told[0]


class Unsteady(LeaseStore):
    """A database that goes away and comes back."""

    is_away = False
    asked = 0

    def heartbeat(self, own: Lease, decide: Decide, *, lease_seconds: float = 5.0) -> Sequence[Lease]:
        self.asked += 1
        if self.is_away:
            raise TransientFailure("cannot be reached")
        return super().heartbeat(own, decide, lease_seconds=lease_seconds)


def test_while_the_database_is_away_the_last_share_holds_and_its_return_is_told(fresh_database: Engine):
    endpoint = Endpoint(name="gpu", url=LEASE.endpoint, model="m")
    older = msgspec.structs.replace(LEASE, wanted=6)
    LeaseStore(fresh_database).heartbeat(older, lambda *_: Grant(4, 6), lease_seconds=60)
    leases = Unsteady(fresh_database)
    told: list[str] = []

    async def wait_until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not is_so():
                await asyncio.sleep(0.05)

    async def run() -> list[tuple[int, str]]:
        limits = SharedLimits(
            leases, LimitStore(fresh_database), [endpoint], learn=lambda *_: Six(), node="here", on_notice=told.append
        )
        seen: list[tuple[int, str]] = []
        async with limits:
            limiter = limits.limiter_for(endpoint)
            seen.append((limiter.limit, limiter.reason))
            leases.is_away, before = True, leases.asked
            await wait_until(lambda: leases.asked >= before + 2)
            seen.append((limiter.limit, limiter.reason))
            leases.is_away = False
            await wait_until(lambda: len(told) == 2)
        return seen

    assert asyncio.run(run()) == [(2, "2 of 6: shared with another run")] * 2
    assert "not shared with other runs for now: cannot be reached" in told[0]
    assert told[1] == "Limits of model servers are shared with other runs again."
