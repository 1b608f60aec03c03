"""One process that uses an endpoint as hard as it may: python sharing_holder.py DATABASE_URL. Prints its limit."""

import asyncio
import sys

from sqlalchemy import create_engine

from tip_resources.database.endpoint_leases import LeaseStore
from tip_resources.database.endpoint_limits import LimitStore
from tip_resources.llm.clock import SystemClock
from tip_resources.llm.limiter import CallSample, Learned, Limiter
from tip_resources.llm.shared_limits import SharedLimits
from tip_resources.llm.types import Endpoint

ENDPOINT = Endpoint(name="gpu", url="http://gpu:1234/v1", model="m")
CALL_SECONDS = 0.1


class Six:
    """It has found out that six at once are best."""

    limit, reason, learned = 6, "8 at once are 10% slower than 6", Learned(limit=6, tokens_per_second=60.0)

    def call_started(self, now: float, in_flight: int) -> None: ...
    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None: ...
    def call_finished(self, sample: CallSample) -> None: ...
    def held_down(self, now: float, weight: float) -> None: ...


async def work(limiter: Limiter) -> None:
    """Keeps as many calls in flight as allowed, for ever."""
    clock, in_flight, said = SystemClock(), 0, ""

    async def call() -> None:
        nonlocal in_flight
        started = clock.now()
        await asyncio.sleep(CALL_SECONDS)
        limiter.tokens_came(clock.now(), 10, in_flight)
        sample = CallSample(
            failure=None,
            started_at_seconds=started,
            duration_seconds=CALL_SECONDS,
            time_to_first_token_seconds=CALL_SECONDS,
            characters_out=10,
            tokens_out=10,
            in_flight=in_flight,
            ended_at_seconds=clock.now(),
        )
        in_flight -= 1
        limiter.call_finished(sample)

    calls: set[asyncio.Task[None]] = set()
    while True:
        while in_flight < limiter.limit:
            in_flight += 1
            limiter.call_started(clock.now(), in_flight)
            calls.add(task := asyncio.create_task(call()))
            task.add_done_callback(calls.discard)
        if said != (said := f"{limiter.limit} | {limiter.reason}"):
            print(said, flush=True)
        await asyncio.sleep(0.01)


async def main() -> None:
    """Works until killed."""
    engine = create_engine(sys.argv[1])
    limits = SharedLimits(LeaseStore(engine), LimitStore(engine), [ENDPOINT], learn=lambda *_: Six(), node="here")
    async with limits:
        await work(limits.limiter_for(ENDPOINT))


asyncio.run(main())
