"""The request engine: keeps several endpoints busy and loses nothing.

Requests are taken one by one as there is room for them, each lives in its own task until it is answered or given
up, and events come out as they happen. One call is made in call.py, the calls of one request are held together in
job.py, the choice of endpoint is in pool.py, what is done about failures stands in policy.py.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec

from tip_resources.llm.backlog import Requests, Source
from tip_resources.llm.call import Call, CallResult
from tip_resources.llm.clock import Clock, SystemClock
from tip_resources.llm.cut_short import was_cut_by_server
from tip_resources.llm.endpoint_state import EndpointState, EndpointStatus
from tip_resources.llm.failures import wrong_model
from tip_resources.llm.flight import Flight
from tip_resources.llm.job import Job
from tip_resources.llm.limiter import Limiter, fixed_limiter
from tip_resources.llm.machine_standing import StandingOf, moved
from tip_resources.llm.need import NobodyLeft
from tip_resources.llm.policy import rule_for, wait_seconds
from tip_resources.llm.pool import Pool
from tip_resources.llm.probe import probe_endpoint
from tip_resources.llm.served import find_model
from tip_resources.llm.speed import Lengths
from tip_resources.llm.transport import Transport
from tip_resources.llm.types import ChatRequest, Endpoint, EngineEvent, EngineNotice, Failure, RequestDone
from tip_resources.settings.models import EngineSettings

_logger = logging.getLogger(__name__)

_EVENTS_HELD = 64


class RequestEngine:
    """Sends requests to endpoints. Use it as an async context manager, or call `aclose`.

    Args:
        endpoints: The servers to use; names must differ.
        settings: Timeouts, retries, breaker and patience.
        limiter_for: Makes the limiter of an endpoint.
        standing_of: State of an endpoint's machine, read at every choice and ten times a second while calls are
            under way or wait for a machine. It must answer at once and raise nothing.
        on_notice: Told what the engine decides and why, in words; also logged.
        transport: The wire; None for HTTP.
        clock: Time; chance: jitter. Both are injected by tests.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        settings: EngineSettings,
        *,
        limiter_for: Callable[[Endpoint], Limiter] = fixed_limiter,
        standing_of: StandingOf | None = None,
        on_notice: Callable[[EngineNotice], None] | None = None,
        transport: Transport | None = None,
        clock: Clock | None = None,
        chance: random.Random | None = None,
    ) -> None:
        if len({endpoint.name for endpoint in endpoints}) != len(endpoints) or not endpoints:
            raise ValueError("an engine needs endpoints with different names")
        self._settings = settings
        self._clock = clock or SystemClock()
        self._chance = chance or random.Random()
        self._on_notice = on_notice
        self._tell_transport: Callable[[EngineSettings], None] = lambda _: None
        if transport is None:
            from tip_resources.llm.http_transport import HttpTransport

            http = HttpTransport(settings, self._clock.wall)
            transport, self._tell_transport = http, http.follow
        self._transport = transport
        lengths = Lengths()
        states = [EndpointState(endpoint, limiter_for(endpoint), settings, lengths) for endpoint in endpoints]
        self._pool = Pool(states, settings, self._clock, self._chance, self._notify, standing_of)

    async def __aenter__(self) -> "RequestEngine":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._pool.aclose()
        await self._transport.aclose()

    def status(self) -> tuple[EndpointStatus, ...]:
        """How each endpoint stands, and why."""
        return self._pool.status()

    def wake(self) -> None:
        """A limiter changed its limit by itself, or a machine its state: look again who may start."""
        self._pool.wake()

    def follow(self, settings: EngineSettings) -> None:
        """These timeouts, retries, breaker and patience hold from now on. A call that waits for its first token goes on
        waiting as long as it began to; connections that are open stay so."""
        self._settings = settings
        self._tell_transport(settings)
        self._pool.follow(settings)

    async def run(self, requests: Requests, *, expected: int | None = None) -> AsyncGenerator[EngineEvent, None]:
        """Sends all requests; yields every `Item` as it closes and one `RequestDone`, the last, for each request.

        Requests are taken lazily: never more than twice as many as the endpoints take at once are held. Leaving
        the loop early or cancelling the task closes all streams; wrap in `contextlib.aclosing` to have it at once.
        `expected` says how many there are, where `requests` cannot: then slow endpoints get no call near the end
        that they would finish last.
        """
        events: asyncio.Queue[EngineEvent | None] = asyncio.Queue(_EVENTS_HELD)
        driver = asyncio.create_task(self._drive(Source(requests, expected), events))
        try:
            while (event := await events.get()) is not None:
                yield event
            await driver
        finally:
            driver.cancel()
            await asyncio.gather(driver, return_exceptions=True)

    async def _drive(self, source: Source, events: asyncio.Queue[EngineEvent | None]) -> None:
        """One task per request, as many as there is room for."""
        under_way = 0

        async def see_through(request: ChatRequest) -> None:
            nonlocal under_way
            await events.put(await self._answer(request, events))
            under_way -= 1
            source.room_changed.set()

        requests = source.each()
        self._pool.backlog.begin(source)
        self._pool.wake()
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    while under_way >= self._pool.most_held:
                        source.room_changed.clear()
                        await source.room_changed.wait()
                    try:
                        request = await anext(requests)
                    except StopAsyncIteration:
                        break
                    under_way += 1
                    group.create_task(see_through(request))
                self._pool.backlog.end(source)
                self._pool.wake()
        except ExceptionGroup as error:
            await events.put(None)
            if len(error.exceptions) == 1:
                raise error.exceptions[0] from None
            raise
        finally:
            self._pool.backlog.end(source)
        await events.put(None)

    async def _answer(self, request: ChatRequest, events: asyncio.Queue[EngineEvent | None]) -> RequestDone:
        """Sees one request through all its attempts."""
        job = Job(request, self._call, self._pool.abandon, events.put)
        try:
            return await self._attempts(job)
        finally:
            await job.close()

    async def _attempts(self, job: Job) -> RequestDone:
        counted = 0
        endpoint: Endpoint | None = None
        result: CallResult | None = None
        while True:
            if not job.has_calls:
                try:
                    job.start(await self._pool.acquire(job.need))
                except NobodyLeft as nobody:
                    own = None if result is None else result.failure
                    failure = own if own is not None and nobody.is_exhausted else nobody.failure
                    return _done(job, endpoint, result, failure)
            flight, ended = await job.next_end()
            if ended is None or _is_moved_with_nothing(ended):
                continue
            failure = ended.failure
            if failure is not None and failure.kind != "moved":
                job.failures[failure.kind] += 1
            if job.is_lost(flight):
                continue
            endpoint, result = flight.state.endpoint, ended
            if failure is None:
                return _done(job, endpoint, result, None)
            rule = rule_for(failure)
            is_cut = was_cut_by_server(result, flight.tokens, job.request, endpoint)
            counted += rule.counts
            if (rule.retry == "no" and not is_cut) or result.items or counted > self._settings.retries:
                if job.has_calls and not result.items:
                    continue  # its twin may do better
                return _done(job, endpoint, result, failure)
            await self._before_next(job, flight.state, failure)

    async def _call(self, job: Job, flight: Flight) -> CallResult:
        state, request = flight.state, job.request
        job.need.calls += 1
        call = Call(
            self._transport,
            state.endpoint,
            request,
            dialect=state.dialect,
            attempt=job.need.calls,
            clock=self._clock,
            emit=lambda item: job.emit(flight, item),
            on_tokens=lambda tokens: self._pool.tokens_came(flight, tokens),
        )
        try:
            result = await call.run()
            if result.failure is not None:
                result = msgspec.structs.replace(result, failure=await self._explained(state, result.failure))
        except asyncio.CancelledError:
            if not flight.is_moved:
                raise
            result = call.cut_off(moved(state.name, state.standing))
            job.was_moved(flight)
            self._pool.moved(flight, result.items)
            return result
        self._pool.finish(flight, result)
        return result

    async def _explained(self, state: EndpointState, failure: Failure) -> Failure:
        """Tells a server that never fitted from one that has a bad moment."""
        if failure.kind == "protocol" and not state.has_worked:
            return msgspec.structs.replace(failure, is_permanent=True)
        if failure.kind == "model_missing":
            found = await probe_endpoint(state.endpoint, timeout_seconds=self._settings.probe_timeout_seconds)
            if found.models and find_model(found.models, state.endpoint.model) is None:
                return wrong_model(state.endpoint, tuple(model.id for model in found.models))
        return failure

    async def _before_next(self, job: Job, state: EndpointState, failure: Failure) -> None:
        """Decides where the next attempt may go, and waits if it has to be the same endpoint."""
        need, rule, failed = job.need, rule_for(failure), sum(job.failures.values())
        if rule.retry == "elsewhere":
            need.barred |= {state.name}
            return
        if job.has_calls:
            return
        seconds, need.avoid = 0.0, frozenset()
        if rule.effect != "pause":  # a pause is kept by the endpoint, for all calls
            is_accident = state.is_healthy(self._clock.now())
            if not is_accident or failed > 1:
                need.avoid = frozenset({state.name})
            if not self._pool.has_other(need):
                need.avoid = frozenset()
                usual = state.measures.usual_seconds() if is_accident else None
                # So is an open breaker: the pool waits for it and gives up in time, for one that sleeps it cannot.
                if state.is_hopeful(self._clock.now()):
                    seconds = wait_seconds(self._settings, rule, failed, usual, self._chance)
        where = f"again in {seconds:.1f} s" if seconds else "again as soon as an endpoint is free"
        self._notify(
            EngineNotice(
                kind="retrying", endpoint=state.name, reason=f"{failure.detail} Asked {where}.", failure=failure.kind
            )
        )
        if seconds:
            await self._clock.sleep(seconds)

    def _notify(self, notice: EngineNotice) -> None:
        level = logging.DEBUG if notice.kind in ("retrying", "twin") else logging.INFO
        _logger.log(level, "%s: %s", notice.kind, notice.reason)
        if self._on_notice is not None:
            self._on_notice(notice)


def _is_moved_with_nothing(result: CallResult) -> bool:
    """Whether the request is to be asked anew as if nothing had been."""
    return result.failure is not None and result.failure.kind == "moved" and not result.items


def _done(job: Job, endpoint: Endpoint | None, result: CallResult | None, failure: Failure | None) -> RequestDone:
    request = job.request
    if result is None:
        result_fields = {}
    else:
        first = result.time_to_first_token_seconds
        result_fields = {
            "raw_text": result.raw_text if request.json_schema is not None else result.text,
            "tokens_in": result.tokens_in,
            "tokens_out": result.tokens_out,
            "time_to_first_token_ms": None if first is None else first * 1000,
            "duration_ms": result.duration_seconds * 1000,
            "call_id": result.call_id,
            "request_hash": result.request_hash,
            "started_at": result.started_at,
            "finish_reason": result.finish_reason,
            "skipped": result.skipped,
        }
    return RequestDone(
        request_id=request.request_id,
        endpoint=endpoint,
        items=0 if result is None else result.items,
        attempts=job.need.calls,
        failure=None if failure is None else failure.kind,
        detail=_short_of(request, result) if failure is None else failure.detail,
        failures_by_kind=dict(job.failures),
        **result_fields,
    )


def _short_of(request: ChatRequest, result: CallResult | None) -> str:
    """Said of a whole answer that holds fewer items than were asked for."""
    if request.json_schema is None or result is None or result.items >= request.expected_items:
        return ""
    return f"the answer is whole but holds {result.items} of {request.expected_items} items"
