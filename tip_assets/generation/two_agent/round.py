"""One pass over the missing calls in `two_agent` mode: many calls under way, each asking for one turn at a time."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tip_assets.generation.acceptance import Refusal
from tip_assets.generation.batching import BatchPlan
from tip_assets.generation.prompts import FactsKnown, PlannedAttempt
from tip_assets.generation.slots import slots_of
from tip_assets.generation.stopping import StopsWriting
from tip_assets.generation.tally import Tally
from tip_assets.generation.two_agent.call import TwoAgentCall
from tip_assets.generation.two_agent.turn_desk import TurnDesk
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.answering import AnswersRequests
from tip_resources.llm.types import RequestDone
from tip_resources.settings.models import GenerationSettings

# A call under way has one request at a time, and none while its answer is judged: twice the slots keep them busy.
_CALLS_PER_SLOT = 2


class TwoAgentRound:
    """Plays the missing calls.

    Args:
        spec: The data set.
        meanings: A sentence for every step of an intent path.
        facts_known: Which facts only one side knows.
        batches: Exchanges of a call, as the context window allows.
        tally: Takes what comes.
        stop: While it gives a reason no further call is begun; those under way are played to their end, for which
            it reserves their turns.
        report: Called after every ended turn.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        *,
        meanings: Mapping[str, str],
        facts_known: FactsKnown,
        engine: AnswersRequests,
        batches: BatchPlan,
        settings: GenerationSettings,
        tally: Tally,
        stop: StopsWriting,
        report: Callable[[], None],
    ) -> None:
        self._spec, self._meanings, self._facts_known = spec, meanings, facts_known
        self._engine, self._batches, self._settings = engine, batches, settings
        self._tally, self._stop, self._report = tally, stop, report
        self._under_way: set[TwoAgentCall] = set()

    async def write(self, attempts: Iterator[PlannedAttempt], missing: int) -> None:
        """Plays `attempts`, of which there are `missing`; begins no more of them once writing should stop."""
        try:
            await self._play_all(attempts)
        except ExceptionGroup as error:
            if len(error.exceptions) == 1:
                raise error.exceptions[0] from None
            raise

    async def _play_all(self, attempts: Iterator[PlannedAttempt]) -> None:
        desk = TurnDesk(self._engine, self._take_end)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(desk.serve())
            playing: set[asyncio.Task[None]] = set()
            for attempt in attempts:
                call = self._call(attempt, desk)
                while playing and not serving.done() and not self._has_room(call):
                    _, playing = await asyncio.wait({*playing, serving}, return_when=asyncio.FIRST_COMPLETED)
                    playing.discard(serving)
                if reason := self._stop.stop_reason(call.turns_left):
                    self._tally.stopped = reason
                    break
                self._under_way.add(call)
                playing.add(group.create_task(self._play(call)))
            if playing:
                await asyncio.wait(playing)
            desk.close()

    def _has_room(self, call: TwoAgentCall) -> bool:
        """Whether one more call may be begun now: there are slots for it, and the budget has room for all its turns."""
        if len(self._under_way) >= _CALLS_PER_SLOT * slots_of(self._engine):
            return False
        self._reserve()
        return self._stop.stop_reason(call.turns_left) is None

    def _reserve(self) -> None:
        self._stop.reserve(sum(call.turns_left for call in self._under_way))

    def _call(self, attempt: PlannedAttempt, desk: TurnDesk) -> TwoAgentCall:
        return TwoAgentCall(
            attempt,
            self._spec,
            ask=desk.ask,
            exchanges=self._batches.exchanges,
            meanings=self._meanings,
            facts_known=self._facts_known,
            settings=self._settings,
        )

    async def _play(self, call: TwoAgentCall) -> None:
        result = await call.play()
        self._under_way.discard(call)
        self._reserve()
        await self._tally.beside(partial(self._keep, call, result))
        self._report()

    def _keep(self, call: TwoAgentCall, result: Conversation | Refusal) -> None:
        if isinstance(result, Refusal):
            self._tally.refuse(call.attempt.plan, result, call.raw_text)
        else:
            self._tally.checkpoint.save_usage(call.usage())
            self._tally.judge(result, call.attempt.plan, call.raw_text)

    def _take_end(self, done: RequestDone) -> None:
        self._stop.request_done(done)
        self._tally.count(done)
        self._report()
