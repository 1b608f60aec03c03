"""The accept-and-top-up loop: ask, keep what is good, ask again for what is missing.

Asked 500, delivered 500: what falls out is replaced in bounded rounds. Every accepted call is checkpointed
before the next is looked at, so a kill loses at most the calls in flight. No Dagster here. How one round asks
lives in batched_round.py and two_agent/; what came of it is counted in tally.py.
"""

import asyncio
from collections.abc import Callable, Iterable

import msgspec

from tip_assets.generation.acceptance import Gatekeeper
from tip_assets.generation.batch_sizer import BatchSizer
from tip_assets.generation.batched_round import BatchedRound
from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.conversations import call_identity
from tip_assets.generation.prompts import CallPrompt
from tip_assets.generation.stopping import NeverStops, StopsWriting
from tip_assets.generation.tally import Tally
from tip_assets.generation.two_agent.round import TwoAgentRound
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import PermanentFailure
from tip_resources.llm.answering import AnswersRequests
from tip_resources.llm.endpoint_status import EndpointStatus, why_all_rest
from tip_resources.llm.types import Endpoint
from tip_resources.settings.models import GenerationSettings
from tip_resources.storage.checkpoint import Checkpoint

# Nothing ends then, so nothing else would tell who is waited for, and for how long already.
_WAITS_TOLD_EVERY_SECONDS = 10.0


class WritingProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of the loop; `kept` counts calls of earlier, interrupted runs too."""

    kept: int
    asked: int
    rejected: int
    round: int
    tokens_out: int
    endpoints: tuple[EndpointStatus, ...] = ()


class WritingSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one shard. `failures` counts failed model calls by kind; tokens count this run only.

    `batch_size` and `batch_reason` are as they were at the end; `stopped` says why writing ended early, if it did.
    """

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
    stopped: str = ""


class CallWriter:
    """Writes the calls of one shard of a data set.

    Args:
        spec: The data set.
        plans: Gives the shard's call plans anew each time it is called.
        prompt: How its calls are asked for.
        endpoints: The servers the engine uses; their models are part of a call's identity.
        on_progress: Called after every kept call and every ended request, and every 10 s while all endpoints rest.
        stop: Says when to end before everything is there; None for never.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        plans: Callable[[], Iterable[CallPlan]],
        *,
        prompt: CallPrompt,
        engine: AnswersRequests,
        endpoints: tuple[Endpoint, ...],
        checkpoint: Checkpoint,
        gatekeeper: Gatekeeper,
        batches: BatchPlan,
        settings: GenerationSettings,
        on_progress: Callable[[WritingProgress], None],
        stop: StopsWriting | None = None,
    ) -> None:
        self._spec, self._plans, self._prompt, self._engine = spec, plans, prompt, engine
        self._settings, self._on_progress = settings, on_progress
        self._models = tuple(sorted({endpoint.model for endpoint in endpoints}))
        self._scripted = all(endpoint.scripted for endpoint in endpoints)
        self._stop = stop or NeverStops()
        self._sizer = BatchSizer(batches)
        self._tally = Tally(spec.name, checkpoint=checkpoint, gatekeeper=gatekeeper, identity=self.identity)
        self._round_number = self._asked = 0
        if spec.mode == "two_agent":
            self._round = TwoAgentRound(
                spec,
                meanings=prompt.meanings,
                facts_known=prompt.facts_known,
                engine=engine,
                batches=batches,
                settings=settings,
                tally=self._tally,
                stop=self._stop,
                report=self._report,
            )
        else:
            self._round = BatchedRound(
                spec,
                prompt=prompt,
                engine=engine,
                batches=batches,
                sizer=self._sizer,
                settings=settings,
                tally=self._tally,
                stop=self._stop,
                report=self._report,
            )

    async def write(self) -> WritingSummary:
        """Runs rounds until every call is there, the rounds are used up, or writing should stop.

        Raises:
            PermanentFailure: No call could be had for a reason that asking again cannot mend.
        """
        tally = self._tally
        self._asked = sum(1 for _ in self._plans())
        reused = tally.take_up(self._plans)
        telling = asyncio.create_task(self._tell_while_all_rest())
        try:
            await self._write_rounds()
        finally:
            telling.cancel()
            (ended,) = await asyncio.gather(telling, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended
        return WritingSummary(
            asked=self._asked,
            kept=len(tally.kept),
            reused=reused,
            rejected=dict(tally.rejected),
            failures=dict(tally.failures),
            rounds=self._round_number,
            model_calls=tally.model_calls,
            tokens_in=tally.tokens_in,
            tokens_out=tally.tokens_out,
            batch_size=self._sizer.size,
            batch_reason=self._sizer.reason,
            stopped=tally.stopped,
        )

    def identity(self, plan: CallPlan) -> str:
        """The identity a call of this plan is checkpointed under."""
        return call_identity(
            plan, self._spec, prompt_hash=self._prompt.hash, models=self._models, scripted=self._scripted
        )

    async def _write_rounds(self) -> None:
        tally = self._tally
        while len(tally.kept) < self._asked and self._round_number <= self._settings.top_up_rounds:
            if tally.stopped:
                break
            before, size, cut_off = len(tally.kept), self._sizer.size, tally.cut_off
            tally.blocked = None
            await self._round.write(tally.missing(self._plans()), self._asked - before)
            is_too_big = size > 1 and tally.cut_off > cut_off
            if tally.blocked is not None and len(tally.kept) == before and not is_too_big:
                raise PermanentFailure(f"no model call succeeded: {tally.blocked}")
            self._round_number += 1

    async def _tell_while_all_rest(self) -> None:
        while True:
            await asyncio.sleep(_WAITS_TOLD_EVERY_SECONDS)
            if why_all_rest(self._engine.status()):
                self._report()

    def _report(self) -> None:
        self._on_progress(
            WritingProgress(
                kept=len(self._tally.kept),
                asked=self._asked,
                rejected=self._tally.rejected.total(),
                round=self._round_number,
                tokens_out=self._tally.tokens_out,
                endpoints=self._engine.status(),
            )
        )
