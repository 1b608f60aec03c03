"""One pass over the missing calls in `batched` mode: several calls a request. Rounds live in write_calls.py."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from functools import partial
from itertools import islice

from tip_assets.generation.acceptance import Refusal
from tip_assets.generation.batch_sizer import BatchOutcome, BatchSizer
from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.conversations import asked_attempt, to_conversation
from tip_assets.generation.prompts import CallPrompt, PlannedAttempt
from tip_assets.generation.slots import slots_of
from tip_assets.generation.stopping import StopsWriting
from tip_assets.generation.tally import Tally
from tip_resources.domain.codec import to_json
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.answering import AnswersRequests
from tip_resources.llm.types import ChatRequest, Item, RequestDone
from tip_resources.settings.models import GenerationSettings
from tip_resources.storage.checkpoint import CallUsage


class _Asked:
    """One request under way: what it asked for, and which positions of it came and were kept."""

    def __init__(self, request: ChatRequest, attempts: list[PlannedAttempt]) -> None:
        self.request, self.attempts = request, attempts
        self.came: set[int] = set()
        self.kept: set[int] = set()


class BatchedRound:
    """Asks for the missing calls in batches whose size follows what comes back.

    Args:
        spec: The data set.
        prompt: How its calls are asked for.
        batches: Exchanges and tokens of a call.
        sizer: How many calls go into a request; learns over all rounds.
        tally: Takes what comes.
        report: Called after every event.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        *,
        prompt: CallPrompt,
        engine: AnswersRequests,
        batches: BatchPlan,
        sizer: BatchSizer,
        settings: GenerationSettings,
        tally: Tally,
        stop: StopsWriting,
        report: Callable[[], None],
    ) -> None:
        self._spec, self._prompt, self._engine = spec, prompt, engine
        self._batches, self._sizer, self._settings = batches, sizer, settings
        self._tally, self._stop, self._report = tally, stop, report
        self._open: dict[str, _Asked] = {}
        self._moved: list[PlannedAttempt] = []

    async def write(self, attempts: Iterator[PlannedAttempt], missing: int) -> None:
        """Asks for `attempts`, of which there are `missing`; ends early when writing should stop.

        What was left of an answer whose machine was needed for something else is asked for again in the same round
        and in the same words: nothing was wrong with it.
        """
        await self._ask(attempts, missing)
        while self._moved and not self._tally.stopped:
            again, self._moved = self._moved, []
            await self._ask(iter(again), len(again))

    async def _ask(self, attempts: Iterator[PlannedAttempt], missing: int) -> None:
        async with aclosing(self._engine.run(self._requests(attempts, missing))) as events:
            async for event in events:
                if isinstance(event, Item):
                    await self._tally.beside(partial(self._take_item, event))
                else:
                    await self._take_end(event)
                self._report()

    async def _requests(self, attempts: Iterator[PlannedAttempt], missing: int) -> AsyncIterator[ChatRequest]:
        while batch := list(islice(attempts, self._sizer.next_size(missing, slots_of(self._engine)))):
            if reason := self._stop.stop_reason():
                self._tally.stopped = reason
                return
            missing -= len(batch)
            request = self._prompt.request(
                batch,
                self._spec,
                request_id=uuid.uuid4().hex,
                exchanges=self._batches.exchanges,
                max_output_tokens=self._batches.max_output_tokens * len(batch) // self._batches.size,
                temperature=self._settings.temperature,
                tells_whole_glossary=self._batches.tells_whole_glossary,
            )
            self._open[request.request_id] = _Asked(request, batch)
            yield request

    def _take_item(self, item: Item) -> None:
        asked = self._open[item.request_id]
        raw_text = item.raw_text or to_json(item.value).decode()
        place = asked_attempt(item, asked.attempts)
        if place is None:
            self._tally.reject(None, Refusal("unasked", f"item {item.position} was not asked for"), raw_text)
            return
        asked.came.add(place)
        attempt = asked.attempts[place]
        plan = attempt.plan
        if plan.index in self._tally.kept:  # answered twice: the first one stands
            self._tally.reject(None, Refusal("answered_twice", f"call {plan.index} came again"), raw_text)
            return
        result = to_conversation(item, attempt, asked.request, self._spec, self._prompt.hash)
        if isinstance(result, Refusal):
            self._tally.refuse(plan, result, raw_text)
        elif self._tally.judge(result, plan, raw_text):
            asked.kept.add(place)

    async def _take_end(self, done: RequestDone) -> None:
        asked = self._open.pop(done.request_id)
        self._stop.request_done(done)
        self._tally.count(done)
        for place, attempt in enumerate(asked.attempts):
            if done.failure != "moved" or place in asked.came:
                self._tally.asked(attempt)
            elif attempt.plan.index not in self._tally.kept:
                self._moved.append(attempt)
        self._sizer.observed(
            BatchOutcome(
                asked=len(asked.attempts), kept=frozenset(asked.kept), finished=done.items, failure=done.failure
            )
        )
        await self._tally.beside(partial(self._keep_end, done))

    def _keep_end(self, done: RequestDone) -> None:
        if done.failure and not done.items and done.raw_text:
            self._tally.reject(None, Refusal(done.failure, done.detail), done.raw_text)
        if done.items or done.tokens_out:  # an answer that brought nothing was paid for all the same
            self._tally.checkpoint.save_usage(
                CallUsage(
                    call_id=done.call_id,
                    endpoint=done.endpoint.url if done.endpoint else "",
                    tokens_in=done.tokens_in,
                    tokens_out=done.tokens_out,
                    duration_ms=done.duration_ms,
                    items=done.items,
                    failure=done.failure,
                )
            )
