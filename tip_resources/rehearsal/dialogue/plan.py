"""Reads the CALL PLANS part of a prompt: what the scripted writer is asked to write. Writing lives in writer.py."""

import json
from typing import Any

import msgspec

from tip_resources.domain.failures import BadInput

PLANS_MARK = "CALL PLANS"
_MOST_EXCHANGES = 1000


class SpokenFact(msgspec.Struct, frozen=True):
    """One piece of a speaker's personal data, as in domain.persona.PersonalFact."""

    type: str
    value: str
    spoken: tuple[str, ...] = ()


class Habits(msgspec.Struct, frozen=True):
    """Speech habits; `hesitation` is the share of turns that hold one."""

    hesitation: float = 0.0
    fillers: tuple[str, ...] = ()
    spellings: dict[str, str] = {}
    code_switching: str | None = None


class Speaker(msgspec.Struct, frozen=True):
    """A person in the call."""

    name: str = ""
    facts: tuple[SpokenFact, ...] = ()
    emotion_arc: tuple[str, ...] = ()
    patience: float = 0.5
    habits: Habits = Habits()
    experience: str = ""


class PlannedScenario(msgspec.Struct, frozen=True):
    """What happens in the call. A step is a name, or an object with `name` and `description`."""

    domain: str = ""
    template: str = ""
    title: str = ""
    intent_path: tuple[str | dict[str, Any], ...] = ()
    facts: dict[str, Any] = {}
    complications: tuple[str | dict[str, Any], ...] = ()
    resolution: str | dict[str, Any] = ""
    difficulty: int = 1


class PlannedCall(msgspec.Struct, frozen=True):
    """One call to write; `exchanges` is the least and most customer-agent pairs."""

    call: int
    scenario: PlannedScenario = PlannedScenario()
    customer: Speaker = Speaker()
    agent: Speaker = Speaker()
    exchanges: tuple[int, int] = (20, 40)
    emotional_tone: str = "neutral"
    caller_type: str = ""
    language: str = "en"
    variation: int = 0


class _Plans(msgspec.Struct, frozen=True):
    calls: tuple[PlannedCall, ...]


def call_plans(text: str) -> tuple[PlannedCall, ...] | None:
    """The plans in a user message; None when it holds no line that is exactly `CALL PLANS`.

    Raises:
        BadInput: The line is there, but what follows is not the JSON agreed on.
    """
    if PLANS_MARK not in text:
        return None
    lines = text.splitlines(keepends=True)
    marks = [number for number, line in enumerate(lines) if line.strip() == PLANS_MARK]
    if not marks:
        return None
    rest = "".join(lines[marks[-1] + 1 :]).lstrip()
    try:
        raw, _ = json.JSONDecoder().raw_decode(rest)
        plans = msgspec.convert(_with_shared(raw), _Plans, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput(f"The JSON after {PLANS_MARK} cannot be used: {error}", where="the last user message") from error
    for plan in plans.calls:
        check_language(plan.language, f"call {plan.call}")
        low, high = plan.exchanges
        if not 1 <= low <= high <= _MOST_EXCHANGES:
            raise BadInput(
                f"exchanges {[low, high]} is not a range within 1 to {_MOST_EXCHANGES}.", where=f"call {plan.call}"
            )
    return plans.calls


def _with_shared(raw: Any) -> Any:
    """What stands under `all` holds for every call that does not say otherwise."""
    shared = raw.get("all") if isinstance(raw, dict) else None
    if not isinstance(shared, dict) or not isinstance(raw.get("calls"), list):
        return raw
    return {"calls": [{**shared, **call} if isinstance(call, dict) else call for call in raw["calls"]]}


def check_language(language: str, where: str) -> None:
    """Raises BadInput for what is not English."""
    if language.lower().split("-")[0].split("_")[0] not in ("en", ""):
        raise BadInput(
            f"The rehearsal server writes English only, not {language!r}.",
            where=where,
            mend="Use a language model for other languages.",
        )
