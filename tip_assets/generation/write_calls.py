"""The accept-and-top-up loop: ask, keep what is good, ask again for what is missing.

Asked 500, delivered 500: what falls out is replaced in bounded rounds. Every accepted call is checkpointed
before the next is looked at, so a kill loses at most the calls in flight. No Dagster here.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import msgspec

from tip_assets.generation.acceptance import Gatekeeper, Refusal
from tip_assets.generation.batching import BatchPlan, chunks
from tip_assets.generation.conversations import asked_attempt, call_identity, to_conversation
from tip_assets.generation.prompts import CallPrompt, PlannedAttempt
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import to_json
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import PermanentFailure
from tip_resources.domain.reject import Reject
from tip_resources.llm.endpoint_state import EndpointStatus
from tip_resources.llm.engine import RequestEngine
from tip_resources.llm.types import ChatRequest, Endpoint, Item, RequestDone
from tip_resources.settings.models import GenerationSettings
from tip_resources.storage.checkpoint import CallUsage, Checkpoint

# Asking again cannot help with these: a person has to mend something first.
_NEEDS_A_PERSON = frozenset({"auth", "model_missing", "bad_request", "protocol", "context_overflow"})


class WritingProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the loop; `kept` counts calls of earlier, interrupted runs too."""

    kept: int
    asked: int
    rejected: int
    round: int
    tokens_out: int
    endpoints: tuple[EndpointStatus, ...] = ()


class WritingSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one shard. `failures` counts failed model calls by kind; tokens count this run only."""

    asked: int
    kept: int
    reused: int
    rejected: dict[str, int]
    failures: dict[str, int]
    rounds: int
    model_calls: int
    tokens_in: int
    tokens_out: int
    batch_size: int
    batch_reason: str


class CallWriter:
    """Writes the calls of one shard of a data set.

    Args:
        spec: The data set.
        prompt: How its calls are asked for.
        plans: Gives the shard's call plans anew each time it is called.
        endpoints: The servers the engine uses; their models are part of a call's identity.
        on_progress: Called after every kept call and every ended request.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        plans: Callable[[], Iterable[CallPlan]],
        *,
        prompt: CallPrompt,
        engine: RequestEngine,
        endpoints: tuple[Endpoint, ...],
        checkpoint: Checkpoint,
        gatekeeper: Gatekeeper,
        batches: BatchPlan,
        settings: GenerationSettings,
        on_progress: Callable[[WritingProgress], None],
    ) -> None:
        self._spec, self._plans, self._prompt, self._engine = spec, plans, prompt, engine
        self._checkpoint, self._gatekeeper = checkpoint, gatekeeper
        self._batches, self._settings, self._on_progress = batches, settings, on_progress
        self._models = tuple(sorted({endpoint.model for endpoint in endpoints}))
        self._scripted = all(endpoint.scripted for endpoint in endpoints)
        self._attempts = Counter(checkpoint.attempts())
        self._kept: set[int] = set()
        self._open: dict[str, tuple[ChatRequest, list[PlannedAttempt]]] = {}
        self._rejected: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._model_calls = self._tokens_in = self._tokens_out = self._round = 0
        self._asked = 0

    async def write(self) -> WritingSummary:
        """Runs rounds until every call is there, or the rounds are used up.

        Raises:
            PermanentFailure: No call could be had for a reason that asking again cannot mend.
        """
        self._asked = sum(1 for _ in self._plans())
        reused = self._take_up()
        batch_size = self._batches.size
        while len(self._kept) < self._asked and self._round <= self._settings.top_up_rounds:
            before = len(self._kept)
            cut_off = self._cut_off()
            blocked = await self._write_round(batch_size)
            is_too_big = batch_size > 1 and self._cut_off() > cut_off
            if blocked is not None and len(self._kept) == before and not is_too_big:
                raise PermanentFailure(f"no model call succeeded: {blocked}")
            if is_too_big:
                batch_size //= 2
            self._round += 1
        return WritingSummary(
            asked=self._asked,
            kept=len(self._kept),
            reused=reused,
            rejected=dict(self._rejected),
            failures=dict(self._failures),
            rounds=self._round,
            model_calls=self._model_calls,
            tokens_in=self._tokens_in,
            tokens_out=self._tokens_out,
            batch_size=self._batches.size,
            batch_reason=self._batches.reason,
        )

    def identity(self, plan: CallPlan) -> str:
        """The identity a call of this plan is checkpointed under."""
        return call_identity(
            plan, self._spec, prompt_hash=self._prompt.hash, models=self._models, scripted=self._scripted
        )

    def _cut_off(self) -> int:
        """Model calls so far whose answer did not fit: smaller batches mend that."""
        return self._failures["truncated"] + self._failures["context_overflow"]

    def _take_up(self) -> int:
        finished = self._checkpoint.finished()
        for plan in self._plans() if finished else ():
            identity = self.identity(plan)
            if identity in finished.get(plan.index, ()):
                self._gatekeeper.remember(self._checkpoint.load(plan.index, identity))
                self._kept.add(plan.index)
        return len(self._kept)

    async def _write_round(self, batch_size: int) -> str | None:
        """One pass over what is missing; the reason when a failure needs a person."""
        blocked = None
        async for event in self._engine.run(self._requests(batch_size)):
            if isinstance(event, Item):
                self._take_item(event)
            else:
                self._take_end(event)
                if event.failure in _NEEDS_A_PERSON:
                    blocked = event.detail or event.failure
            self._report()
        return blocked

    def _requests(self, batch_size: int) -> Iterator[ChatRequest]:
        missing = (
            PlannedAttempt(plan, self._attempts[plan.index] + 1)
            for plan in self._plans()
            if plan.index not in self._kept
        )
        for attempts in chunks(missing, batch_size):
            request = self._prompt.request(
                attempts,
                self._spec,
                request_id=uuid.uuid4().hex,
                exchanges=self._batches.exchanges,
                max_output_tokens=self._batches.max_output_tokens * len(attempts) // self._batches.size,
                temperature=self._settings.temperature,
            )
            self._open[request.request_id] = (request, attempts)
            yield request

    def _take_item(self, item: Item) -> None:
        request, asked = self._open[item.request_id]
        attempt = asked_attempt(item, asked)
        if attempt is None:
            self._reject(None, Refusal("unasked", f"item {item.position} was not asked for"), item)
            return
        plan = attempt.plan
        if plan.index in self._kept:  # answered twice: the first one stands
            self._reject(None, Refusal("answered_twice", f"call {plan.index} came again"), item)
            return
        result = to_conversation(item, attempt, request, self._spec, self._prompt.hash)
        refusal = result if isinstance(result, Refusal) else self._gatekeeper.judge(result, plan)
        if refusal is not None:
            self._attempts[plan.index] += 1
            self._reject(plan.index, refusal, item)
        elif not isinstance(result, Refusal):
            self._checkpoint.save(result, self.identity(plan))
            self._kept.add(plan.index)

    def _reject(self, index: int | None, refusal: Refusal, item: Item) -> None:
        self._rejected[refusal.reason] += 1
        self._checkpoint.reject(
            Reject(
                dataset=self._spec.name,
                index=index,
                reason=refusal.reason,
                detail=refusal.detail,
                raw_text=item.raw_text or to_json(item.value).decode(),
            )
        )

    def _take_end(self, done: RequestDone) -> None:
        _, asked = self._open.pop(done.request_id)
        self._model_calls += done.attempts
        self._tokens_in += done.tokens_in or 0
        self._tokens_out += done.tokens_out or 0
        self._failures.update(done.failures_by_kind)
        for attempt in asked:
            # A call that was asked for and did not come is asked for differently next time.
            if attempt.plan.index not in self._kept and self._attempts[attempt.plan.index] < attempt.attempt:
                self._attempts[attempt.plan.index] = attempt.attempt
        if done.failure and not done.items and done.raw_text:
            self._rejected[done.failure] += 1
            self._checkpoint.reject(
                Reject(
                    dataset=self._spec.name,
                    index=None,
                    reason=done.failure,
                    detail=done.detail,
                    raw_text=done.raw_text,
                )
            )
        if done.items:
            self._checkpoint.save_usage(
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

    def _report(self) -> None:
        self._on_progress(
            WritingProgress(
                kept=len(self._kept),
                asked=self._asked,
                rejected=self._rejected.total(),
                round=self._round,
                tokens_out=self._tokens_out,
            )
        )
