"""From what a model answered to a Conversation with its provenance, or the reason why not."""

import hashlib
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from tip_assets.generation.acceptance import Refusal
from tip_assets.generation.prompts import PROMPT_TEMPLATE, PlannedAttempt
from tip_assets.generation.two_agent.prompts import TWO_AGENT_HASH
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import to_json
from tip_resources.domain.conversation import Conversation, Turn, conversation_id
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.provenance import Provenance
from tip_resources.llm.types import ChatRequest, Item

DISTRIBUTION = "transcript-intelligence-platform"


class _AnsweredCall(msgspec.Struct, frozen=True):
    turns: tuple[Turn, ...]
    call: int | None = None


def call_identity(
    plan: CallPlan, spec: DatasetSpec, *, prompt_hash: str, models: tuple[str, ...], scripted: bool
) -> str:
    """A hash of everything that shapes a call; a checkpointed call is reused only while it is the same."""
    shape = [plan.scenario, plan.customer, plan.agent, prompt_hash, sorted(models), spec.mode, scripted]
    if spec.mode == "two_agent":
        shape.append(TWO_AGENT_HASH)
    return hashlib.blake2b(to_json(shape), digest_size=8).hexdigest()


def asked_attempt(item: Item, asked: list[PlannedAttempt]) -> int | None:
    """Which of the calls asked for (from 0) an answered item is: by its number, else by its place in the answer."""
    number = item.value.get("call") if isinstance(item.value, dict) else None
    place = number - 1 if isinstance(number, int) and not isinstance(number, bool) else item.position
    return place if 0 <= place < len(asked) else None


def to_conversation(
    item: Item, attempt: PlannedAttempt, request: ChatRequest, spec: DatasetSpec, prompt_hash: str
) -> Conversation | Refusal:
    """The conversation an item holds, or why it holds none."""
    try:
        turns = answered_turns(item.value)
    except msgspec.ValidationError as error:
        return Refusal("wrong_schema", str(error))
    plan = attempt.plan
    return Conversation(
        id=conversation_id(spec.name, spec.seed, plan.index),
        turns=turns,
        dataset=spec.name,
        domain=spec.domain,
        language=spec.language,
        index=plan.index,
        scenario_id=plan.scenario.id,
        persona_ids=(plan.customer.id, plan.agent.id),
        provenance=provenance(item, attempt, request, prompt_hash),
    )


def answered_turns(value: Any) -> tuple[Turn, ...]:
    """The turns of one answered call, with the names models use for the speakers understood.

    Raises:
        msgspec.ValidationError: It is no call.
    """
    return msgspec.convert(_tidied(value), _AnsweredCall).turns


def provenance(item: Item, attempt: PlannedAttempt, request: ChatRequest, prompt_hash: str) -> Provenance:
    """Where an item came from. Token shares are filled in when the set is collected."""
    endpoint = item.endpoint
    return Provenance(
        model=endpoint.model,
        endpoint=endpoint.url,
        node=endpoint.node,
        tier=endpoint.tier,
        prompt_template=PROMPT_TEMPLATE,
        prompt_hash=prompt_hash,
        request_hash=item.request_hash,
        parameters={
            "temperature": request.temperature,
            "max_output_tokens": request.max_output_tokens,
            "batch_size": request.expected_items,
        },
        seed=request.seed,
        attempt=attempt.attempt,
        call_id=item.call_id,
        position=item.position,
        time_to_first_token_ms=item.time_to_first_token_ms,
        duration_ms=item.elapsed_ms,
        started_at=item.started_at,
        tip_version=_tip_version(),
        scripted=endpoint.scripted,
    )


@cache
def _tip_version() -> str:
    # Read from the installed package's files each time it is asked for.
    return version(DISTRIBUTION)


def _tidied(value: Any) -> Any:
    """Trims texts and understands the speaker names that models use for the two roles."""
    if not isinstance(value, dict) or not isinstance(value.get("turns"), list):
        return value
    turns = []
    for turn in value["turns"]:
        if not isinstance(turn, dict):
            return value
        speaker, text = turn.get("speaker"), turn.get("text")
        if isinstance(speaker, str):
            speaker = _SPEAKERS.get(speaker.strip().casefold(), speaker.strip().casefold())
        turns.append({"speaker": speaker, "text": text.strip() if isinstance(text, str) else text})
    return {"turns": turns}


_SPEAKERS = {"caller": "customer", "patient": "customer", "client": "customer", "user": "customer"} | {
    "representative": "agent",
    "rep": "agent",
    "operator": "agent",
    "assistant": "agent",
}
