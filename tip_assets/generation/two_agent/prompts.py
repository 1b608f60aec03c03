"""What each side of a two-agent call is told: its own brief, what was said so far, and its cue for this turn.

The caller never sees the intent path or the outcome, the agent never the caller's personal facts: it has to ask.
What all turns share comes first and byte-identical, the cue comes last, so that a server reuses its prefix cache
from turn to turn.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tip_assets.generation.prompts import FactsKnown, speaker, variation, without, words_hash
from tip_assets.generation.two_agent.orchestration import Cue, Role
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.codec import to_json
from tip_resources.domain.conversation import Turn
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.llm.types import ChatRequest, Message

TWO_AGENT_TEMPLATE = "two_agent/1"

# The rehearsal server finds brief and cue by these lines, as does anyone reading a stored prompt.
BRIEF_MARKER = "PRIVATE BRIEF"
CUE_MARKER = "TURN PLAN"

_CONNECTED = "(The call is connected.)"

SYSTEM_TEXTS: Mapping[Role, str] = {
    "agent": """\
You are a contact-centre agent on the telephone. You hear a caller; what you say is transcribed.

- You know your company's side: what stands in the private brief below, and nothing of the caller's personal
  details. Ask for those your policy wants before you open anything, and use only what the caller then says.
- Follow the stage you are told before each turn. Use the facts exactly as given. Invent no names or numbers.
- Sound like a person on the phone: short turns, one thing at a time, hesitations where your habits say so.
- Answer with the words you say next, and nothing else: no name before them, no quotation marks, no stage
  directions, not the caller's answer.
""",
    "customer": """\
You are a customer who calls a contact centre. You hear an agent; what you say is transcribed.

- You know who you are, why you call and what stands in the private brief below. You do not know what the
  company will do. Say your personal details only when you are asked, in one of the spoken forms given.
- Let your feelings follow the emotion arc. Use the facts exactly as given. Invent no names or numbers.
- Sound like a person on the phone: short turns, hesitations, fillers and self-corrections where your habits
  say so, and not always polite.
- Answer with the words you say next, and nothing else: no name before them, no quotation marks, no stage
  directions, not the agent's answer.
""",
}

TWO_AGENT_WORDS = to_json([TWO_AGENT_TEMPLATE, SYSTEM_TEXTS])
TWO_AGENT_HASH = words_hash(TWO_AGENT_WORDS)


def brief(plan: CallPlan, role: Role, spec: DatasetSpec, facts_known: FactsKnown) -> dict[str, Any]:
    """What one side knows before the call, and the other does not."""
    scenario = plan.scenario
    unknown = facts_known.by_caller_alone if role == "agent" else facts_known.by_agent_alone
    facts = {name: value for name, value in scenario.facts.items() if name not in unknown}
    if role == "agent":
        return {
            "language": spec.language,
            "agent": speaker(plan.agent),
            "policy": {"ask_the_caller_for": list(dict.fromkeys(fact.type for fact in plan.customer.facts))},
            "scenario": {**without(scenario, "id", "index", "complications"), "facts": facts},
        }
    return {
        "language": spec.language,
        "emotional_tone": spec.emotional_tone,
        "caller_type": spec.caller_type,
        "customer": speaker(plan.customer),
        "goal": scenario.title,
        "scenario": {**without(scenario, "id", "index", "intent_path", "resolution", "difficulty"), "facts": facts},
    }


def turn_request(
    briefed: Mapping[str, Any],
    cue: Cue,
    said: Sequence[Turn],
    *,
    request_id: str,
    call_seed: int,
    attempt: int,
    max_output_tokens: int,
    temperature: float,
) -> ChatRequest:
    """Asks one side for its next line.

    Args:
        briefed: What `brief` gave for this side.
        cue: What the orchestrator tells it now.
        said: The turns so far, both sides'.
        call_seed: A number of the call; with the turn and `attempt` it makes the request's seed.
    """
    system = "\n".join([SYSTEM_TEXTS[cue.speaker], BRIEF_MARKER, to_json(briefed).decode()])
    messages = [Message("system", system)]
    if not said or said[0].speaker == cue.speaker:
        messages.append(Message("user", _CONNECTED))
    for turn in said:
        messages.append(Message("assistant" if turn.speaker == cue.speaker else "user", turn.text))
    told = {
        "role": cue.speaker,
        "turn": len(said),
        "stage": cue.stage if cue.speaker == "agent" else "",
        "hint": cue.hint,
        "move": cue.move,
        "part": cue.part,
        "is_reaction": cue.is_reaction,
        "line": cue.line,
        "lines": cue.lines,
        "position": round(cue.position, 3),
        "variation": call_seed,
        "attempt": attempt,
    }
    heard = messages.pop()
    messages.append(Message("user", "\n".join([heard.content, "", CUE_MARKER, to_json(told).decode()])))
    return ChatRequest(
        request_id=request_id,
        messages=tuple(messages),
        max_output_tokens=max_output_tokens,
        temperature=temperature,
        seed=variation(call_seed, len(said), attempt),
        json_schema=None,
        items_key=None,
    )
