"""Plays one two-agent call turn by turn, and makes a Conversation of it."""

import random
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from importlib.metadata import version

from tip_assets.generation.acceptance import Refusal
from tip_assets.generation.prompts import FactsKnown, PlannedAttempt, variation
from tip_assets.generation.two_agent.orchestration import Cue, cues, cut_short
from tip_assets.generation.two_agent.prompts import TWO_AGENT_HASH, TWO_AGENT_TEMPLATE, brief, turn_request
from tip_assets.generation.two_agent.spoken_line import spoken_line
from tip_resources.domain.conversation import Conversation, Turn, conversation_id
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.provenance import Provenance, Tier
from tip_resources.llm.types import ChatRequest, RequestDone
from tip_resources.settings.models import GenerationSettings, IntRange
from tip_resources.storage.checkpoint import CallUsage

DISTRIBUTION = "transcript-intelligence-platform"

# A line may be this many times as long as a planned turn before it is cut off.
_LONGEST_LINE = 4
# Answers in which nobody says anything usable, besides what the engine itself tries again.
_TRIES_A_TURN = 3
# These are the answer's fault, so another seed may mend them; the engine has dealt with all others.
_ASKED_AGAIN = frozenset({"refusal", "empty", "truncated", "placeholder", "model_text", "markup", "speaker_label"})
_FURTHEST: tuple[Tier, ...] = ("local", "network", "openai")

_GOODBYE = re.compile(r"\b(?:good ?bye|bye|take care|have a (?:good|nice|great) (?:day|one|evening))\b", re.IGNORECASE)

AskTurn = Callable[[ChatRequest], Awaitable[RequestDone]]


class TwoAgentCall:
    """One attempt at one planned call.

    Args:
        attempt: What to play.
        ask: Gets a side's answer from a model.
        exchanges: The least and most customer-agent pairs.
        meanings: A sentence for every step of the intent path.
        facts_known: Which facts only one side knows.
    """

    def __init__(
        self,
        attempt: PlannedAttempt,
        spec: DatasetSpec,
        *,
        ask: AskTurn,
        exchanges: IntRange,
        meanings: Mapping[str, str],
        facts_known: FactsKnown,
        settings: GenerationSettings,
    ) -> None:
        self.attempt, self._spec, self._ask, self._settings = attempt, spec, ask, settings
        self._seed = variation(spec.seed, attempt.plan.index, attempt.attempt)
        self._cues = cues(attempt.plan, exchanges, self._seed, meanings)
        self._chance = random.Random(f"{self._seed}/cuts")
        self._briefs = {role: brief(attempt.plan, role, spec, facts_known) for role in ("agent", "customer")}
        self._answers: list[RequestDone] = []  # those that were used
        self._all: list[RequestDone] = []
        self.said: list[Turn] = []

    @property
    def raw_text(self) -> str:
        """What was said so far, for the rejects."""
        return "\n".join(f"{turn.speaker}: {turn.text}" for turn in self.said)

    @property
    def turns_left(self) -> int:
        """Turns that are still to be said, if each comes at the first try."""
        return len(self._cues) - len(self.said)

    async def play(self) -> Conversation | Refusal:
        """The call, or why it came to nothing; a turn that fails for good ends it."""
        for cue in self._cues:
            if cue.interrupts:
                cut = cut_short(self.said[-1].text, self._chance)
                self.said[-1] = Turn(speaker=self.said[-1].speaker, text=cut)
            turn = await self._turn(cue)
            if isinstance(turn, Refusal):
                return Refusal(turn.reason, f"turn {len(self.said)}, the {cue.speaker}'s: {turn.detail}")
            self.said.append(turn)
            if cue.stage == self._cues[-1].stage and self._is_over():
                break
        return self._conversation()

    def _is_over(self) -> bool:
        """Both have said goodbye; a model may do so before its last cue."""
        return len(self.said) >= 2 and all(_GOODBYE.search(turn.text) for turn in self.said[-2:])

    async def _turn(self, cue: Cue) -> Turn | Refusal:
        result: Turn | Refusal = Refusal("empty", "not asked")
        for number in range(1, _TRIES_A_TURN + 1):
            request = turn_request(
                self._briefs[cue.speaker],
                cue,
                self.said,
                request_id=uuid.uuid4().hex,
                call_seed=self._seed,
                attempt=number,
                max_output_tokens=_LONGEST_LINE * self._settings.tokens_per_turn,
                temperature=self._settings.temperature,
            )
            done = await self._ask(request)
            self._all.append(done)
            result = spoken_line(done, cue.speaker)
            if isinstance(result, Turn):
                self._answers.append(done)
                return result
            if result.reason not in _ASKED_AGAIN:
                break
        return result

    def usage(self) -> CallUsage:
        """Tokens and time of all turns, failed ones included, under an id of the whole call."""
        return CallUsage(
            call_id=self._call_id,
            endpoint=", ".join(_distinct(done.endpoint.url for done in self._all if done.endpoint)),
            tokens_in=_sum(done.tokens_in for done in self._all),
            tokens_out=_sum(done.tokens_out for done in self._all),
            duration_ms=sum(done.duration_ms for done in self._all),
            items=1,
        )

    @property
    def _call_id(self) -> str:
        return f"two-agent-{self._answers[0].call_id}"

    def _conversation(self) -> Conversation:
        plan, spec, usage = self.attempt.plan, self._spec, self.usage()
        first = self._answers[0]
        endpoints = [done.endpoint for done in self._answers if done.endpoint is not None]
        tiers: list[Tier] = [endpoint.tier for endpoint in endpoints]
        provenance = Provenance(
            model=", ".join(_distinct(endpoint.model for endpoint in endpoints)),
            endpoint=usage.endpoint,
            node=", ".join(_distinct(endpoint.node for endpoint in endpoints)),
            tier=max(tiers, key=_FURTHEST.index),
            prompt_template=TWO_AGENT_TEMPLATE,
            prompt_hash=TWO_AGENT_HASH,
            request_hash=first.request_hash,
            parameters={
                "temperature": self._settings.temperature,
                "max_output_tokens": _LONGEST_LINE * self._settings.tokens_per_turn,
                "turns_asked": len(self._all),
                "moves": ", ".join(cue.move for cue in self._cues if cue.move and cue.part == 1),
                "call_ids": " ".join(done.call_id for done in self._answers),
            },
            seed=self._seed,
            attempt=self.attempt.attempt,
            call_id=self._call_id,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            time_to_first_token_ms=first.time_to_first_token_ms,
            duration_ms=usage.duration_ms,
            started_at=first.started_at,
            tip_version=version(DISTRIBUTION),
            scripted=any(endpoint.scripted for endpoint in endpoints),
        )
        return Conversation(
            id=conversation_id(spec.name, spec.seed, plan.index),
            turns=tuple(self.said),
            dataset=spec.name,
            domain=spec.domain,
            language=spec.language,
            index=plan.index,
            scenario_id=plan.scenario.id,
            persona_ids=(plan.customer.id, plan.agent.id),
            provenance=provenance,
        )


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _sum(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
