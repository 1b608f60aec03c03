"""Reads a prompt of `two_agent` mode: one side's PRIVATE BRIEF, its TURN PLAN, and what was said so far."""

import json
from typing import Any, Literal, TypeVar

import msgspec

from tip_resources.domain.failures import BadInput
from tip_resources.rehearsal.dialogue.plan import PlannedScenario, Speaker, check_language

T = TypeVar("T")

BRIEF_MARK = "PRIVATE BRIEF"
TURN_MARK = "TURN PLAN"


class Policy(msgspec.Struct, frozen=True):
    """What the company wants its agents to do."""

    ask_the_caller_for: tuple[str, ...] = ()


class Brief(msgspec.Struct, frozen=True):
    """What one side knows: the agent has no `customer`, the customer no `agent` and no intent path."""

    language: str = "en"
    emotional_tone: str = "neutral"
    caller_type: str = ""
    agent: Speaker = Speaker()
    customer: Speaker = Speaker()
    policy: Policy = Policy()
    scenario: PlannedScenario = PlannedScenario()


class TurnPlan(msgspec.Struct, frozen=True):
    """What the side is told now, as in tip_assets/generation/two_agent/orchestration.py."""

    role: Literal["agent", "customer"]
    turn: int
    line: int = 0
    lines: int = 1
    move: str | None = None
    part: int = 1
    is_reaction: bool = False
    position: float = 0.0
    variation: int = 0
    attempt: int = 1


class TurnAsked(msgspec.Struct, frozen=True):
    """One turn to say: `heard` is the other side's last line, `said` are all own ones."""

    brief: Brief
    brief_text: str
    plan: TurnPlan
    heard: str
    said: tuple[str, ...]


def turn_asked(messages: tuple[tuple[str, str], ...]) -> TurnAsked | None:
    """The turn that a prompt asks for; None when its last user message holds no line that is exactly `TURN PLAN`.

    Raises:
        BadInput: The line is there, but brief or plan are missing or not the JSON agreed on.
    """
    role, last = messages[-1]
    found = _after(last, TURN_MARK) if role == "user" else None
    if found is None:
        return None
    heard, raw_plan = found
    briefed = next((_after(text, BRIEF_MARK) for role, text in messages if role == "system"), None)
    if briefed is None:
        raise BadInput(f"No system message has a line {BRIEF_MARK}.", where="messages")
    plan, _ = _read(raw_plan, TurnPlan, TURN_MARK)
    brief, brief_text = _read(briefed[1], Brief, BRIEF_MARK)
    check_language(brief.language, BRIEF_MARK)
    said = tuple(text for role, text in messages if role == "assistant")
    return TurnAsked(brief, brief_text, plan, heard.strip(), said)


def _after(text: str, mark: str) -> tuple[str, str] | None:
    lines = text.splitlines(keepends=True)
    marks = [number for number, line in enumerate(lines) if line.strip() == mark]
    if not marks:
        return None
    return "".join(lines[: marks[-1]]), "".join(lines[marks[-1] + 1 :]).lstrip()


def _read(text: str, kind: type[T], mark: str) -> tuple[T, str]:
    try:
        raw: Any
        raw, end = json.JSONDecoder().raw_decode(text)
        return msgspec.convert(raw, kind, strict=False), text[:end]
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput(f"The JSON after {mark} cannot be used: {error}", where="messages") from error
