"""The request engine: keeps several endpoints busy and loses nothing.

Requests are taken one by one as there is room for them, each lives in its own task until it is answered or given
up, and events come out as they happen. One call is made in call.py, the choice of endpoint in pool.py, what is
done about failures stands in policy.py.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Sequence

import msgspec

from tip_resources.llm.call import Call, CallResult
from tip_resources.llm.clock import Clock, SystemClock
from tip_resources.llm.endpoint_state import EndpointState, EndpointStatus
from tip_resources.llm.failures import wrong_model
from tip_resources.llm.limiter import Limiter, fixed_limiter
from tip_resources.llm.policy import backoff_seconds, rule_for
from tip_resources.llm.pool import Need, NobodyLeft, Pool
from tip_resources.llm.probe import probe_endpoint
from tip_resources.llm.served import find_model
from tip_resources.llm.transport import Transport
from tip_resources.llm.types import ChatRequest, Endpoint, EngineEvent, EngineNotice, Failure, RequestDone
from tip_resources.settings.models import EngineSettings

_logger = logging.getLogger(__name__)

# Requests under way for each call in flight: those that wait out a backoff must not keep the endpoints idle.
_REQUESTS_PER_SLOT = 2
_EVENTS_HELD = 64

Requests = Iterable[ChatRequest] | AsyncIterable[ChatRequest]


class RequestEngine:
    """Sends requests to endpoints. Use it as an async context manager, or call `aclose`.

    Args:
        endpoints: The servers to use; names must differ.
        settings: Timeouts, retries, breaker and patience.
        limiter_for: Makes the limiter of an endpoint.
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
        if transport is None:
            from tip_resources.llm.http_transport import HttpTransport

            transport = HttpTransport(settings, self._clock.wall)
        self._transport = transport
        states = [EndpointState(endpoint, limiter_for(endpoint), settings) for endpoint in endpoints]
        self._pool = Pool(states, settings, self._clock, self._chance, self._notify)

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
        """A limiter changed its limit by itself: look again who may start."""
        self._pool.wake()

    async def run(self, requests: Requests) -> AsyncGenerator[EngineEvent, None]:
        """Sends all requests; yields every `Item` as it closes and one `RequestDone`, the last, for each request.

        Requests are taken lazily: never more than twice as many as the endpoints take at once are held. Leaving
        the loop early or cancelling the task closes all streams; wrap in `contextlib.aclosing` to have it at once.
        """
        events: asyncio.Queue[EngineEvent | None] = asyncio.Queue(_EVENTS_HELD)
        driver = asyncio.create_task(self._drive(requests, events))
        try:
            while (event := await events.get()) is not None:
                yield event
            await driver
        finally:
            driver.cancel()
            await asyncio.gather(driver, return_exceptions=True)

    async def _drive(self, requests: Requests, events: asyncio.Queue[EngineEvent | None]) -> None:
        """One task per request, as many as there is room for."""
        under_way = 0
        one_ended = asyncio.Event()

        async def see_through(request: ChatRequest) -> None:
            nonlocal under_way
            await events.put(await self._answer(request, events))
            under_way -= 1
            one_ended.set()

        source = _each(requests)
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    while under_way >= max(1, _REQUESTS_PER_SLOT * self._pool.room):
                        one_ended.clear()
                        await one_ended.wait()
                    try:
                        request = await anext(source)
                    except StopAsyncIteration:
                        break
                    under_way += 1
                    group.create_task(see_through(request))
        except ExceptionGroup as error:
            await events.put(None)
            if len(error.exceptions) == 1:
                raise error.exceptions[0] from None
            raise
        await events.put(None)

    async def _answer(self, request: ChatRequest, events: asyncio.Queue[EngineEvent | None]) -> RequestDone:
        """Sees one request through all its attempts."""
        need = Need(request.max_output_tokens)
        failures: Counter[str] = Counter()
        counted = 0
        endpoint: Endpoint | None = None
        result: CallResult | None = None
        while True:
            try:
                state = await self._pool.acquire(need)
            except NobodyLeft as nobody:
                own = None if result is None else result.failure
                failure = own if own is not None and nobody.is_exhausted else nobody.failure
                return _done(request, need, endpoint, result, failure, failures)
            endpoint = state.endpoint
            result = await self._call(state, request, need, events)
            failure = result.failure
            if failure is None:
                return _done(request, need, endpoint, result, None, failures)
            failures[failure.kind] += 1
            rule = rule_for(failure)
            counted += rule.counts
            if rule.retry == "no" or result.items or counted > self._settings.retries:
                return _done(request, need, endpoint, result, failure, failures)
            await self._before_next(need, state, failure, sum(failures.values()))

    async def _call(
        self, state: EndpointState, request: ChatRequest, need: Need, events: asyncio.Queue[EngineEvent | None]
    ) -> CallResult:
        call = Call(
            self._transport,
            state.endpoint,
            request,
            dialect=state.dialect,
            attempt=need.calls + 1,
            clock=self._clock,
            emit=events.put,
            on_first_token=lambda: self._pool.came_alive(state),
        )
        try:
            result = await call.run()
            if result.failure is not None:
                result = msgspec.structs.replace(result, failure=await self._explained(state, result.failure))
        except BaseException:
            self._pool.abandon(state)
            raise
        need.calls += 1
        self._pool.finish(state, need, result)
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

    async def _before_next(self, need: Need, state: EndpointState, failure: Failure, failed: int) -> None:
        """Decides where the next attempt may go, and waits if it has to be the same endpoint."""
        rule = rule_for(failure)
        if rule.retry == "elsewhere":
            need.barred |= {state.name}
            return
        need.avoid = frozenset({state.name})
        seconds = 0.0
        if not self._pool.has_other(need):
            need.avoid = frozenset()
            # A pause is kept by the endpoint, for all calls; the backoff is this call's own.
            seconds = 0.0 if rule.effect == "pause" else backoff_seconds(failed, self._chance)
        where = f"again in {seconds:.1f} s" if seconds else "again as soon as an endpoint is free"
        self._notify(
            EngineNotice(
                kind="retrying", endpoint=state.name, reason=f"{failure.detail} Asked {where}.", failure=failure.kind
            )
        )
        if seconds:
            await self._clock.sleep(seconds)

    def _notify(self, notice: EngineNotice) -> None:
        level = logging.DEBUG if notice.kind == "retrying" else logging.INFO
        _logger.log(level, "%s: %s", notice.kind, notice.reason)
        if self._on_notice is not None:
            self._on_notice(notice)


async def _each(requests: Requests) -> AsyncIterator[ChatRequest]:
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield request
    else:
        for request in requests:
            yield request


def _done(
    request: ChatRequest,
    need: Need,
    endpoint: Endpoint | None,
    result: CallResult | None,
    failure: Failure | None,
    failures: Counter[str],
) -> RequestDone:
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
        attempts=need.calls,
        failure=None if failure is None else failure.kind,
        detail=_short_of(request, result) if failure is None else failure.detail,
        failures_by_kind=dict(failures),
        **result_fields,
    )


def _short_of(request: ChatRequest, result: CallResult | None) -> str:
    """Said of a whole answer that holds fewer items than were asked for."""
    if request.json_schema is None or result is None or result.items >= request.expected_items:
        return ""
    return f"the answer is whole but holds {result.items} of {request.expected_items} items"
