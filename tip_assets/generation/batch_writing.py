"""Writing through OpenAI's batch API: the same requests and events as the engine's, at half the price, within a day.

Every request asks for one call and is named by its content, so that whatever a run that was killed has handed in
serves the next one: a request is sent again only when no batch of the set has it, or its batch brought no answer
(which is not charged). The wire is openai_batch.py, one answer is read in batch_answers.py.
"""

import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from tip_assets.generation.batch_answers import events_of, refusal_of, unanswered, why_unanswered
from tip_assets.generation.batch_records import BatchRecord, BatchRecords
from tip_assets.generation.batch_requests import OPENAI_DIALECT, batch_body, named
from tip_resources.llm.clock import Clock, SystemClock
from tip_resources.llm.endpoint_state import EndpointStatus
from tip_resources.llm.failures import CallFailed, CallImpossible
from tip_resources.llm.openai_batch import (
    MOST_BYTES,
    MOST_REQUESTS,
    BatchAnswer,
    BatchState,
    OpenAIBatches,
    read_answers,
    request_line,
)
from tip_resources.llm.types import ChatRequest, Endpoint, EngineEvent, EngineNotice, Failure, RequestDone
from tip_resources.settings.models import EngineSettings

T = TypeVar("T")

_FIRST_LOOK_SECONDS, _LAST_LOOK_SECONDS, _LOOK_GROWTH = 5.0, 60.0, 1.5


class _HandedIn:
    """A batch under way and the requests of this run that it will answer."""

    def __init__(self, record: BatchRecord, batch_id: str, *, is_earlier: bool) -> None:
        self.record, self.batch_id, self.is_earlier = record, batch_id, is_earlier
        self.requests: dict[str, ChatRequest] = {}
        self.said = ""


class BatchEngine:
    """Answers requests through the batch API. Use it as an async context manager, or call `aclose`.

    Args:
        endpoint: OpenAI and the model.
        settings: Retries, and how long OpenAI may be out of reach.
        records: Where the set's batches are kept.
        on_notice: Told how the batches stand.
        most_requests: Of one batch; OpenAI's own limit unless a test says less.
        clock: Time, injected by tests.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        settings: EngineSettings,
        records: BatchRecords,
        *,
        on_notice: Callable[[EngineNotice], None] | None = None,
        most_requests: int = MOST_REQUESTS,
        clock: Clock | None = None,
    ) -> None:
        self._endpoint, self._settings, self._records = endpoint, settings, records
        self._on_notice, self._most_requests = on_notice, most_requests
        self._clock = clock or SystemClock()
        self._batches = OpenAIBatches(endpoint)
        self._dialect = OPENAI_DIALECT
        self._waiting: list[_HandedIn] = []
        self._tries: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._calls = self._items = 0

    async def __aenter__(self) -> "BatchEngine":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes all connections; batches that were handed in go on at OpenAI."""
        await self._batches.aclose()

    def status(self) -> tuple[EndpointStatus, ...]:
        """How the batches stand, in the shape of an endpoint's status."""
        under_way = sum(len(one.requests) for one in self._waiting)
        return (
            EndpointStatus(
                name=self._endpoint.name,
                url=self._endpoint.url,
                model=self._endpoint.model,
                standing="ready",
                reason="",
                in_flight=under_way,
                limit=self._most_requests,
                calls=self._calls,
                items=self._items,
                failures_by_kind=dict(self._failures),
                limit_reason=f"batch API, {len(self._waiting)} batches under way",
            ),
        )

    async def run(
        self, requests: Iterable[ChatRequest] | AsyncIterable[ChatRequest]
    ) -> AsyncGenerator[EngineEvent, None]:
        """Hands all requests in, then waits for the batches and yields what they bring.

        Raises:
            CallImpossible: A batch was cancelled by somebody, or OpenAI refuses us; what came until then was yielded.
            CallFailed: OpenAI was out of reach for too long. The batches go on; the next run finds them.
        """
        self._waiting, self._tries = [], Counter()
        earlier = await self._earlier()
        fresh: dict[str, ChatRequest] = {}
        size = 0
        async for name, request in named(self._endpoint.model, requests):
            if (found := earlier.get(name)) is not None:
                found.requests[name] = request
                continue
            line = len(self._line(name, request))
            if len(fresh) >= self._most_requests or size + line > MOST_BYTES:
                await self._hand_in(fresh)
                fresh, size = {}, 0
            fresh[name] = request
            size += line
        await self._hand_in(fresh)
        self._waiting += [one for one in dict.fromkeys(earlier.values()) if one.requests]
        pause = _FIRST_LOOK_SECONDS
        while self._waiting:
            for handed_in in list(self._waiting):
                state = await self._patiently(lambda one=handed_in: self._batches.state(one.batch_id))
                self._say(handed_in, state)
                if not state.has_ended:
                    continue
                pause = _FIRST_LOOK_SECONDS
                async with aclosing(self._answers(handed_in, state)) as events:
                    async for event in events:
                        self._count(event)
                        yield event
                self._waiting.remove(handed_in)
            if self._waiting:
                await self._clock.sleep(pause)
                pause = min(_LAST_LOOK_SECONDS, pause * _LOOK_GROWTH)

    async def _earlier(self) -> dict[str, _HandedIn]:
        """What earlier runs of the set handed in, by the name of the request; of several batches the newest."""
        found: dict[str, _HandedIn] = {}
        for record, known_id in self._records.all():
            if (record.url, record.model) != (self._endpoint.url, self._endpoint.model):
                continue
            batch_id = known_id
            if batch_id is None:
                state = await self._patiently(lambda one=record: self._batches.find(one.ticket))
                if state is None:
                    continue  # it was never made: nothing was sent, or it was refused
                batch_id = state.id
                self._records.sent(record.ticket, batch_id)
            handed_in = _HandedIn(record, batch_id, is_earlier=True)
            found.update(dict.fromkeys(record.custom_ids, handed_in))
        return found

    def _line(self, name: str, request: ChatRequest) -> bytes:
        return request_line(name, batch_body(self._dialect, self._endpoint.model, request))

    async def _hand_in(self, requests: dict[str, ChatRequest]) -> None:
        """Makes a batch of `requests`; what it is to be is on record before anything is sent."""
        if not requests:
            return
        record = BatchRecord(
            ticket=uuid.uuid4().hex,
            url=self._endpoint.url,
            model=self._endpoint.model,
            created_at=self._clock.wall().isoformat(timespec="milliseconds"),
            custom_ids=tuple(requests),
            dialect=self._dialect,
        )
        self._records.asked(record)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{record.ticket}.jsonl"
            with file.open("wb") as lines:
                for name, request in requests.items():
                    lines.write(self._line(name, request))
            file_id = await self._patiently(lambda: self._batches.upload(file))
        state = await self._patiently(lambda: self._made(file_id, record.ticket))
        self._records.sent(record.ticket, state.id)
        handed_in = _HandedIn(record, state.id, is_earlier=False)
        handed_in.requests = dict(requests)
        self._tries.update(requests.keys())
        self._waiting.append(handed_in)

    async def _made(self, file_id: str, ticket: str) -> BatchState:
        """Makes the batch, unless an attempt that seemed to fail has made it."""
        found = await self._batches.find(ticket)
        return found or await self._batches.create(file_id, ticket)

    async def _answers(self, handed_in: _HandedIn, state: BatchState) -> AsyncGenerator[EngineEvent, None]:
        """The events of a batch that has ended; what can be asked again at once is handed in anew."""
        again: dict[str, ChatRequest] = {}
        dialect = handed_in.record.dialect
        with tempfile.TemporaryDirectory() as folder:
            for file_id in filter(None, (state.output_file, state.error_file)):
                file = Path(folder) / f"{file_id}.jsonl"
                await self._patiently(lambda one=file_id, target=file: self._batches.download(one, target))
                for answer in read_answers(file):
                    request = handed_in.requests.pop(answer.custom_id, None)
                    if request is None:
                        continue  # answered in an earlier run and kept, or no longer wanted
                    tries = max(1, self._tries[answer.custom_id])
                    failure = refusal_of(answer, self._endpoint)
                    if failure is None:
                        for event in events_of(answer, request, self._endpoint, state, dialect, tries):
                            yield event
                    elif self._may_ask_again(answer, failure, request, handed_in):
                        again[answer.custom_id] = request
                    else:
                        yield unanswered(request, self._endpoint, failure, tries)
        if handed_in.is_earlier:
            # It brought nothing for these, and nothing was charged: this run asks for them.
            again |= handed_in.requests
            handed_in.requests = {}
        await self._hand_in(again)
        if handed_in.requests and state.status == "cancelled":
            left = len(handed_in.requests)
            raise CallImpossible(
                "bad_request",
                f"The batch {state.id} was cancelled at OpenAI with {left} requests unanswered. What was answered is "
                "kept; ask for the data set again to send the rest.",
            )
        failure = why_unanswered(state, self._endpoint)
        for name, request in handed_in.requests.items():
            yield unanswered(request, self._endpoint, failure, self._tries[name])

    def _may_ask_again(self, answer: BatchAnswer, failure: Failure, request: ChatRequest, handed_in: _HandedIn) -> bool:
        """Whether the same request may fare better in another batch: in simpler words, or because the trouble passes.

        Nothing is charged for a request that was refused.
        """
        if handed_in.is_earlier:
            return True
        if answer.status in (400, 422):
            asked = batch_body(handed_in.record.dialect, self._endpoint.model, request)
            simpler = handed_in.record.dialect.after_refusal(failure.detail, asked)
            if simpler is not None:
                self._dialect = simpler
            return simpler is not None
        passes = failure.kind in ("overloaded", "server_error")
        return passes and self._tries[answer.custom_id] <= self._settings.retries

    async def _patiently(self, do: Callable[[], Awaitable[T]]) -> T:
        """Does it again while OpenAI is out of reach, for as long as the settings allow."""
        until = self._clock.now() + self._settings.unavailable_limit_seconds
        pause = _FIRST_LOOK_SECONDS
        while True:
            try:
                return await do()
            except CallFailed as error:
                if self._clock.now() + pause > until:
                    raise
                self._notify(f"{error} Tried again in {pause:.0f} s.")
            await self._clock.sleep(pause)
            pause = min(_LAST_LOOK_SECONDS, pause * _LOOK_GROWTH)

    def _say(self, handed_in: _HandedIn, state: BatchState) -> None:
        words = f"batch {state.id} is {state.status}: {state.completed + state.failed} of {state.total} requests done"
        if words != handed_in.said:
            handed_in.said = words
            self._notify(words)

    def _notify(self, reason: str) -> None:
        if self._on_notice is not None:
            self._on_notice(EngineNotice(kind="waiting", endpoint=self._endpoint.name, reason=reason))

    def _count(self, event: EngineEvent) -> None:
        if isinstance(event, RequestDone):
            self._calls += event.attempts
            self._failures.update(event.failures_by_kind)
        else:
            self._items += 1
