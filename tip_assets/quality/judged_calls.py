"""A stream of calls judged by a model, several at once, in their order; what was answered before is not asked again."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Literal

import msgspec

from tip_assets.quality.judge_answers import JudgeAnswers
from tip_assets.quality.judge_panel import ask_panel, grade_of
from tip_assets.quality.judging import JudgeAnswer, JudgeQuestion, NotForJudges, ask_judge, question_for
from tip_assets.quality.judging_budget import JudgingBudget
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade
from tip_resources.llm.failures import CallFailed, CallImpossible
from tip_resources.llm.types import Endpoint, RequestDone
from tip_resources.settings.models import EngineSettings, Settings

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetServers

_logger = logging.getLogger(__name__)

JudgeTier = Literal["network", "openai"]

_LOOK_EVERY_SECONDS = 5.0
# So many calls more than are asked at once are begun: one slow answer at the head does not idle the other slots.
_BEGUN_PER_SLOT = 2

# These are about one call or one answer; every other failure would meet the next call as well.
_ABOUT_ONE_CALL = frozenset({"invalid_output", "refusal", "empty", "truncated", "repetition", "context_overflow"})


class Judges(msgspec.Struct, frozen=True):
    """Endpoints that serve one and the same model: grades of different judges cannot be compared."""

    endpoints: tuple[Endpoint, ...]
    tier: JudgeTier
    engine: EngineSettings

    @property
    def model(self) -> str:
        """Whose grades they are."""
        return self.endpoints[0].model


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A call and what the judge said of it. Without a grade `why_not` says why; it never quotes the call.

    `why_not_kind` is a word to count by; `asked` counts the answers that no earlier run had kept.
    """

    conversation: Conversation
    plan: CallPlan | None
    grade: Grade | None = None
    answers: tuple[JudgeAnswer, ...] = ()
    asked: int = 0
    why_not: str = ""
    why_not_kind: str = ""


def find_judges(
    tier: JudgeTier,
    settings: Settings,
    *,
    environ: Mapping[str, str],
    rehearsal: bool = False,
    model: str | None = None,
    fleet: "FleetServers | None" = None,
    patience_seconds: float = 0.0,
) -> Judges:
    """Who judges now. While all machines are too hot or in use it waits, as the request engine would.

    Args:
        tier: `network` asks endpoints of this machine and the network, `openai` the paid API.
        settings: Where endpoints are looked for.
        environ: The environment, for TIP_LLM_URL and keys.
        rehearsal: Ask the scripted server, and only it.
        model: Overrides the model that the settings name for judging.
        fleet: Its machines' servers judge too; None leaves them out.
        patience_seconds: How long to wait where no server answers at all.

    Raises:
        NoEndpoint: Nobody is there to judge; the message lists what was tried and how to mend it.
    """
    from tip_resources.llm.endpoints import NoEndpoint, resolve_endpoints

    begun = time.monotonic()
    while True:
        try:
            found = asyncio.run(
                resolve_endpoints(
                    settings,
                    domain="",
                    role="judge",
                    model=model,
                    tier="openai" if tier == "openai" else None,
                    environ=environ,
                    rehearsal=rehearsal,
                    fleet=fleet,
                    waits=False,
                )
            )
            return Judges(tuple(one for one in found if one.model == found[0].model), tier, settings.engine)
        except NoEndpoint as nobody:
            held = [one.held for one in nobody.examined if one.held]
            patience = settings.engine.unavailable_limit_seconds if held else patience_seconds
            if time.monotonic() - begun >= patience:
                raise
            _logger.warning("Judging waits: %s", "; ".join(held) or str(nobody))
        time.sleep(_LOOK_EVERY_SECONDS)


def judged_calls(
    planned: Iterable[tuple[Conversation, CallPlan | None]],
    judges: Judges,
    *,
    samples: int = 1,
    answers: JudgeAnswers | None = None,
    budget: JudgingBudget | None = None,
) -> Iterator[Judged]:
    """Yields every call in order with the judge's grade, or with the reason why it has none.

    Args:
        planned: The calls, with their plans where these are known; only as many as are begun at once are held.
        judges: Who is asked.
        samples: How often each call is judged.
        answers: Where answers are kept and looked for; None keeps none.
        budget: Ends the asking when it is spent; None has no limit.

    Raises:
        CallFailed: No endpoint answers any more; what was answered is kept.
        CallImpossible: No endpoint can be used as it is set up.
    """
    with asyncio.Runner() as runner:
        desk = _Desk(judges, answers, budget)
        most = _BEGUN_PER_SLOT * sum(endpoint.concurrency for endpoint in judges.endpoints)
        begun: deque[asyncio.Task[Judged]] = deque()
        for conversation, plan in planned:
            begun.append(runner.get_loop().create_task(desk.judged(conversation, plan, samples)))
            if len(begun) >= most:
                yield runner.run(_end_of(begun.popleft()))
        while begun:
            yield runner.run(_end_of(begun.popleft()))


class _Desk:
    """Hands questions to the endpoints, each at most as many at once as it takes."""

    def __init__(self, judges: Judges, answers: JudgeAnswers | None, budget: JudgingBudget | None) -> None:
        self._judges, self._answers, self._budget = judges, answers, budget
        self._slots = [asyncio.Semaphore(endpoint.concurrency) for endpoint in judges.endpoints]
        self._next = 0

    async def judged(self, conversation: Conversation, plan: CallPlan | None, samples: int) -> Judged:
        asked = 0

        async def ask(sample: int) -> JudgeAnswer:
            nonlocal asked
            question = question_for(conversation, plan, sample)
            key = question.key(self._judges.model)
            found = self._answers.find(key) if self._answers else None
            if found is not None:
                return found
            answer = await self._ask_somebody(question)
            asked += 1
            if self._answers is not None:
                self._answers.keep(key, answer)
            return answer

        try:
            given = await ask_panel(ask, samples)
        except BadInput as error:
            kind = error.kind if isinstance(error, NotForJudges) else "bad_input"
            return Judged(conversation=conversation, plan=plan, asked=asked, why_not=str(error), why_not_kind=kind)
        except (CallFailed, CallImpossible) as error:
            if error.kind not in _ABOUT_ONE_CALL:
                raise
            why, kind = str(error), error.kind
            return Judged(conversation=conversation, plan=plan, asked=asked, why_not=why, why_not_kind=kind)
        grade = grade_of(given, tier=self._judges.tier, domain=conversation.domain)
        return Judged(conversation=conversation, plan=plan, grade=grade, answers=given, asked=asked)

    async def _ask_somebody(self, question: JudgeQuestion) -> JudgeAnswer:
        """The answer of the next endpoint in turn; one that is gone is passed over."""
        count = len(self._judges.endpoints)
        first, self._next = self._next, (self._next + 1) % count
        for turn in range(count):
            place = (first + turn) % count
            try:
                async with self._slots[place]:
                    with self._budget.room() if self._budget else nullcontext(_uncounted) as took:
                        return await ask_judge(question, self._judges.endpoints[place], self._judges.engine, took)
            except (CallFailed, CallImpossible) as error:
                if error.kind in _ABOUT_ONE_CALL or turn == count - 1:
                    raise
                _logger.warning("A judge is passed over: %s", error)
        raise AssertionError("there is at least one endpoint")


def _uncounted(_done: RequestDone) -> None:
    """Nobody counts."""


async def _end_of(task: "asyncio.Task[Judged]") -> Judged:
    return await task
