"""The rows of the benchmark table as simulations: which devices, how many requests, and what an oracle needs."""

from collections.abc import Callable
from random import Random

import msgspec

from tests.unit.resources.llm.simulated_device import (
    FAULTS,
    DeviceModel,
    Health,
    SimulatedDevice,
    SimulatedTransport,
    oracle_seconds,
    tokens_of,
)
from tests.unit.resources.llm.virtual_loop import LoopClock, run_virtually
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.limiter import FixedLimiter, Limiter
from tip_resources.llm.machine_standing import StandingOf
from tip_resources.llm.types import ChatRequest, Endpoint, Item, Message
from tip_resources.settings.models import EngineSettings

_SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `limit` is what a limiter that knows the device would say."""

    name: str
    target: float
    models: tuple[DeviceModel, ...]
    requests: int = 200
    limit: int = 6


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one simulated run came to; seconds are of the device."""

    seconds: float
    oracle: float
    kept: int
    lost: int
    twice: int
    asked: int
    twins: int

    @property
    def ratio(self) -> float:
        """Makespan by that of the oracle, who knows of outages and cannot avoid them."""
        return self.seconds / self.oracle


def dies(health: Health, begins: float, ends: float) -> Callable[[float], Health]:
    """An endpoint that is away from `begins` to `ends`, in device seconds."""
    return lambda at: health if begins <= at < ends else "well"


def knee_moves(at: float) -> int:
    """6, then 2, then 6 again."""
    return 2 if 100 <= at < 200 else 6


CASES = (
    Case(name="silent queue, knee 6 of 32", target=1.08, models=(DeviceModel(),)),
    Case(
        name="silent queue, knee 24 of 64",
        target=1.25,
        models=(DeviceModel(slots=64, knee_at=lambda _: 24),),
        limit=24,
    ),
    Case(name="knee moves 6, 2, 6", target=1.20, models=(DeviceModel(knee_at=knee_moves),)),
    Case(
        name="three speeds 1 : 0.4 : 0.1",
        target=1.12,
        models=(DeviceModel(), DeviceModel(speed=0.4), DeviceModel(speed=0.1)),
    ),
    Case(name="faults", target=1.12, models=(DeviceModel(faults=FAULTS),)),
    Case(name="429 beyond 4 slots", target=1.05, models=(DeviceModel(slots=4, refuses_when_full=True),), limit=6),
    Case(
        name="429 beyond 4 slots, Retry-After",
        target=1.05,
        models=(DeviceModel(slots=4, refuses_when_full=True, retry_after_seconds=20),),
        limit=16,
    ),
    Case(
        name="one of two refuses for a third",
        target=1.25,
        models=(DeviceModel(), DeviceModel(health_at=dies("refuses", 40, 100))),
    ),
    Case(
        name="one of two hangs for a third",
        target=1.25,
        models=(DeviceModel(), DeviceModel(health_at=dies("hangs", 40, 100))),
    ),
)


def simulate(
    case: Case,
    seed: int,
    *,
    time_scale: float = 1.0,
    limiter_for: Callable[[Endpoint], Limiter] | None = None,
    tell: Callable[[str], None] | None = None,
    standing_of: StandingOf | None = None,
) -> Outcome:
    """Runs the engine through a case, in virtual time."""
    return run_virtually(_simulate(case, seed, time_scale, limiter_for, tell, standing_of))


async def _simulate(
    case: Case,
    seed: int,
    time_scale: float,
    limiter_for: Callable[[Endpoint], Limiter] | None,
    tell: Callable[[str], None] | None,
    standing_of: StandingOf | None,
) -> Outcome:
    chance, clock = Random(seed), LoopClock()
    devices = {
        f"d{n}": SimulatedDevice(f"d{n}", model, Random(f"{seed} {n}"), time_scale)
        for n, model in enumerate(case.models)
    }
    endpoints = [Endpoint(name=name, url=f"http://{name}/v1", model="m") for name in devices]
    given: dict[str, int] = {}
    engine = RequestEngine(
        endpoints,
        EngineSettings(),
        limiter_for=limiter_for or (lambda _: FixedLimiter(case.limit)),
        standing_of=standing_of,
        transport=SimulatedTransport(devices),
        clock=clock,
        chance=chance,
        on_notice=None if tell is None else (lambda notice: tell(f"{clock.now():8.2f} {notice.kind}: {notice.reason}")),
    )
    requests = [_request(seed, number) for number in range(case.requests)]
    failed = 0
    async with engine:
        started = clock.now()
        for device in devices.values():
            device.now()
        async for event in engine.run(requests):
            if isinstance(event, Item):
                given[event.request_id] = given.get(event.request_id, 0) + 1
            elif event.failure is not None:
                failed += 1
        seconds = (clock.now() - started) / time_scale
        status = engine.status()
    assert failed == case.requests - len(given)
    tokens = sum(tokens_of(request.messages[-1].content) for request in requests)
    return Outcome(
        seconds=seconds,
        oracle=oracle_seconds(case.models, tokens),
        kept=len(given),
        lost=failed,
        twice=sum(count - 1 for count in given.values()),
        asked=sum(device.counts["asked"] for device in devices.values()),
        twins=sum(one.twins for one in status),
    )


def _request(seed: int, number: int) -> ChatRequest:
    return ChatRequest(
        request_id=f"r{number}",
        messages=(Message("user", f"{seed} RID{number:06d}"),),
        max_output_tokens=1200,
        json_schema=_SCHEMA,
        items_key=None,
    )
