"""What became of the calls of one shard so far: kept, rejected, counted. Asking lives in the rounds."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from tip_assets.generation.acceptance import Gatekeeper, Refusal
from tip_assets.generation.prompts import PlannedAttempt
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.reject import Reject
from tip_resources.llm.types import RequestDone
from tip_resources.storage.checkpoint import Checkpoint
from tip_resources.storage.places import is_local

# Asking again cannot help with these: a person has to mend something first.
NEEDS_A_PERSON = frozenset({"auth", "model_missing", "bad_request", "protocol", "context_overflow"})


class Tally:
    """Keeps what is good in the checkpoint and counts everything.

    Args:
        dataset: Name of the set.
        checkpoint: Where kept calls and rejects go.
        gatekeeper: Judges calls.
        identity: Under which identity a plan's call is checkpointed.

    `blocked` holds why a model call failed that asking again cannot mend, `stopped` why a round ended before everything
    was asked for.
    """

    def __init__(
        self, dataset: str, *, checkpoint: Checkpoint, gatekeeper: Gatekeeper, identity: Callable[[CallPlan], str]
    ) -> None:
        self.checkpoint = checkpoint
        self.kept: set[int] = set()
        self.rejected: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.model_calls = self.tokens_in = self.tokens_out = 0
        self.blocked: str | None = None
        self.stopped = ""
        self._dataset, self._gatekeeper, self._identity = dataset, gatekeeper, identity
        self._is_far, self._turn = not is_local(checkpoint.folder), asyncio.Lock()
        self._attempts = Counter(checkpoint.attempts())

    async def beside(self, work: Callable[[], object]) -> None:
        """Does `work`, which keeps something; beside the loop where that takes a request to S3, so that streams go on
        meanwhile. One at a time, in the order in which they came: what is compared with kept calls must be, too."""
        if not self._is_far:
            work()
            return
        async with self._turn:
            await asyncio.to_thread(work)

    @property
    def cut_off(self) -> int:
        """Model calls so far whose answer did not fit: smaller batches mend that."""
        return self.failures["truncated"] + self.failures["context_overflow"]

    def take_up(self, plans: Callable[[], Iterable[CallPlan]]) -> int:
        """Counts what an earlier, interrupted run kept; how many calls that are."""
        finished = self.checkpoint.finished()
        planned = ((plan.index, self._identity(plan)) for plan in plans()) if finished else ()
        kept = [one for one in planned if one[1] in finished.get(one[0], ())]
        for conversation in self.checkpoint.load(kept):
            self._gatekeeper.remember(conversation)
        self.kept.update(index for index, _ in kept)
        return len(self.kept)

    def missing(self, plans: Iterable[CallPlan]) -> Iterator[PlannedAttempt]:
        """What still has to be asked for, lazily, each as a new attempt."""
        return (PlannedAttempt(plan, self._attempts[plan.index] + 1) for plan in plans if plan.index not in self.kept)

    def judge(self, conversation: Conversation, plan: CallPlan, raw_text: str) -> bool:
        """Keeps the call, or puts it aside with the reason; whether it was kept."""
        judged = self._gatekeeper.judge(conversation, plan)
        if isinstance(judged, Refusal):
            self.refuse(plan, judged, raw_text)
            return False
        self.checkpoint.save(judged, self._identity(plan))
        self.kept.add(plan.index)
        return True

    def refuse(self, plan: CallPlan, refusal: Refusal, raw_text: str) -> None:
        """A call that cannot be kept: the next attempt asks differently."""
        self._attempts[plan.index] += 1
        self.reject(plan.index, refusal, raw_text)

    def reject(self, index: int | None, refusal: Refusal, raw_text: str) -> None:
        """Keeps what could not be used, with its reason."""
        self.rejected[refusal.reason] += 1
        self.checkpoint.reject(
            Reject(dataset=self._dataset, index=index, reason=refusal.reason, detail=refusal.detail, raw_text=raw_text)
        )

    def asked(self, attempt: PlannedAttempt) -> None:
        """A call that was asked for and did not come is asked for differently next time."""
        index = attempt.plan.index
        if index not in self.kept and self._attempts[index] < attempt.attempt:
            self._attempts[index] = attempt.attempt

    def count(self, done: RequestDone) -> None:
        """Counts one ended request."""
        self.model_calls += done.attempts
        self.tokens_in += done.tokens_in or 0
        self.tokens_out += done.tokens_out or 0
        self.failures.update(done.failures_by_kind)
        if done.failure in NEEDS_A_PERSON:
            self.blocked = done.detail or done.failure
