"""An engine that writes down what it learns, against a real server and a real database."""

import asyncio
import uuid
from urllib.parse import urlsplit

from sqlalchemy import Engine

from tip_resources.database.endpoint_leases import LeaseStore
from tip_resources.database.endpoint_limits import LimitStore
from tip_resources.database.node_work import NodeWorkStore
from tip_resources.database.performance import PerformanceStore
from tip_resources.database.seen_endpoints import EndpointRegistry
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.engine_records import EngineRecords
from tip_resources.llm.limiter import CallSample, Learned
from tip_resources.llm.types import ChatRequest, Endpoint, Message, RequestDone
from tip_resources.rehearsal.process import rehearsal_process
from tip_resources.settings.models import EngineSettings

PROMPT = (Message("user", "Say something."),)


class Told:
    """Learns that what it was told to begin with is right."""

    def __init__(self, endpoint: Endpoint, learned: Learned | None) -> None:
        self.limit = 3 if learned is None else learned.limit
        self.reason = "starting" if learned is None else "as learned before"
        self.learned: Learned | None = None

    def call_started(self, now: float, in_flight: int) -> None: ...

    def tokens_came(self, now: float, tokens: int, in_flight: int) -> None: ...

    def held_down(self, now: float, weight: float) -> None: ...

    def call_finished(self, sample: CallSample) -> None:
        self.learned = Learned(limit=self.limit, tokens_per_second=100.0)
        self.reason = "4 at once are no faster than 3"


def test_a_run_leaves_its_limit_samples_and_endpoints_and_the_next_one_starts_there(fresh_database: Engine):
    run_id = str(uuid.uuid4())

    async def run(url: str, count: int) -> tuple[list[int], str]:
        endpoint = Endpoint(name="server", url=url, model="rehearsal")
        records = EngineRecords(fresh_database, [endpoint], learn=Told, run_id=run_id, node="desk")
        seen: list[int] = []
        async with (
            records,
            RequestEngine([endpoint], EngineSettings(), limiter_for=records.limiter_for) as engine,
        ):
            await records.attach(engine)
            reason = engine.status()[0].limit_reason
            requests = [ChatRequest(request_id=str(at), messages=PROMPT, max_output_tokens=40) for at in range(count)]
            async for event in engine.run(requests):
                assert isinstance(event, RequestDone)
                assert event.failure is None, event.detail
                seen += [lease.in_flight for lease in await asyncio.to_thread(LeaseStore(fresh_database).live)]
        return seen, reason

    with rehearsal_process() as url:
        held, first_reason = asyncio.run(run(url, 6))
        _, next_reason = asyncio.run(run(url, 1))
    assert held, "a lease is held while the run goes on"
    assert first_reason == "starting"
    assert next_reason == "4 at once are no faster than 3 (learned just now)"
    assert LeaseStore(fresh_database).live() == []
    (limit,) = LimitStore(fresh_database).all()
    assert (limit.limit, limit.model, limit.endpoint.startswith("http://desk:")) == (3, "rehearsal", True)
    samples = PerformanceStore(fresh_database).samples_of_run(run_id)
    assert [(sample.concurrency, sample.endpoint) for sample in samples] == [(0, limit.endpoint)] * 2
    assert [(sample.calls, sample.failed_calls) for sample in samples] == [(6, 0), (1, 0)]
    assert (
        NodeWorkStore(fresh_database).count_calls(
            lambda addresses: {one: urlsplit(one).hostname or "" for one in addresses}
        )
        == 2
    )
    desk = NodeWorkStore(fresh_database).recent()["desk"]
    assert (desk.calls, desk.success_ratio) == (7, 1.0)
    assert desk.tokens_out == sum(sample.tokens_out for sample in samples) > 0
    assert desk.tokens_per_second
    (known,) = EndpointRegistry(fresh_database).all()
    assert (known.state, known.models[0].name) == ("used", "rehearsal")


def test_a_scripted_server_leaves_nothing_behind(fresh_database: Engine):
    async def run(url: str) -> None:
        endpoint = Endpoint(name="server", url=url, model="rehearsal", scripted=True)
        async with (
            EngineRecords(fresh_database, [endpoint], learn=Told, run_id=str(uuid.uuid4()), node="desk") as records,
            RequestEngine([endpoint], EngineSettings(), limiter_for=records.limiter_for) as engine,
        ):
            await records.attach(engine)
            async for event in engine.run([ChatRequest(request_id="0", messages=PROMPT, max_output_tokens=40)]):
                assert isinstance(event, RequestDone)

    with rehearsal_process() as url:
        asyncio.run(run(url))
    assert LimitStore(fresh_database).all() == []
    assert EndpointRegistry(fresh_database).all() == []
    assert LeaseStore(fresh_database).live() == []
