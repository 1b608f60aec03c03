"""Who is told what before each turn of a two-agent call. Pure and seeded; no model is asked here.

The orchestrator alone knows the whole course of a call: the intent path, and a few moves of real calls laid
over it. It tells one side at a time, so that the other is taken by surprise. After SDialog's orchestrators
(arXiv 2506.10622: SimpleReflex, Length, ChangeMind), with the moves of contact-centre calls.
"""

import random
from collections.abc import Mapping
from typing import Literal

import msgspec

from tip_resources.domain.call_plan import CallPlan
from tip_resources.settings.models import IntRange

Role = Literal["agent", "customer"]
Move = Literal["change_of_mind", "interruption", "clarification", "hold", "transfer"]

# Exchanges that a move takes from the intent path.
EXTRA_EXCHANGES: Mapping[Move, int] = {
    "change_of_mind": 1,
    "interruption": 1,
    "clarification": 1,
    "hold": 2,
    "transfer": 2,
}
_BY_AGENT: frozenset[Move] = frozenset({"hold", "transfer"})
_FEWEST, _MOST = 2, 4
# One move for so many exchanges; shorter calls have fewer.
_EXCHANGES_PER_MOVE = 6
_SHORTEST_TO_CUT_WORDS = 6
# Moves come after the caller is known and before the goodbye.
_FIRST_SHARE, _LAST_SHARE = 0.35, 0.85

_CHANGES = (
    "how you want to hear back: you would rather have it in writing than be called",
    "how you want to hear back: you would rather be called than get it in writing",
    "whether to write things down now: you want it sent to you instead",
    "when you can be reached: mornings suit you after all, not evenings",
    "whether you want the short or the full explanation: now you want the full one",
)
_INTERRUPTIONS = (
    "something you forgot to mention has just come back to you",
    "you think you know what comes next and want to get to the point",
    "somebody at your end just asked you something and you pass it on",
)
_HINTS: Mapping[Move, tuple[str, ...]] = {
    "change_of_mind": tuple(f"This turn you change your mind about {what}. Say so." for what in _CHANGES),
    "interruption": tuple(f"You cut the agent off: {why}. Begin in the middle of things." for why in _INTERRUPTIONS),
    "clarification": (
        "You did not follow the last thing the agent said. Ask for it again, in other words or more slowly.",
        "You are not sure you heard right. Say what you understood and ask whether that is it.",
    ),
    "hold": ("This turn you ask to put the caller on hold, and say what you will look up meanwhile.",),
    "transfer": ("This turn you say that a colleague of the specialist team has to take over, and why.",),
}
_SECOND_HINTS: Mapping[Move, str] = {
    "hold": "You are back from the hold. Thank the caller for waiting and say what you found.",
    "transfer": "You are now the colleague of the specialist team. Say that, say that you have read the notes, and go "
    "on. Give no name.",
}
_GOODBYE = "Say goodbye with this turn."
_REACT = "Deal with what the caller has just said before you go on."


class Cue(msgspec.Struct, frozen=True, kw_only=True):
    """What one side is told in private before a turn.

    `line` counts the speaker's turns that followed the intent path before this one, of `lines` in all; `part` is
    1 or 2 where a move takes two turns. `interrupts` says that the turn before is cut off. `position` is how far
    the call has come, 0 to 1.
    """

    speaker: Role
    stage: str
    hint: str = ""
    move: Move | None = None
    part: int = 1
    is_reaction: bool = False
    interrupts: bool = False
    line: int = 0
    lines: int = 1
    position: float = 0.0


def cues(plan: CallPlan, exchanges: IntRange, seed: int, meanings: Mapping[str, str]) -> tuple[Cue, ...]:
    """The whole course of a call: agent first, alternating, `2 x exchanges` turns.

    Args:
        plan: What the call is about.
        exchanges: The least and most customer-agent pairs.
        seed: Decides length and moves; the same seed gives the same course.
        meanings: A sentence for every step of the intent path.
    """
    chance = random.Random(seed)
    total = round(chance.triangular(exchanges.low, exchanges.high))
    moves = _moves(total, chance)
    on_path = total - sum(EXTRA_EXCHANGES[move] for move in moves.values())
    path = plan.scenario.intent_path or ("call",)
    course: list[Cue] = []
    for line in range(on_path):
        stage = path[min(len(path) - 1, line * len(path) // on_path)]
        position = line / max(1, on_path - 1)
        told = _stage_hint(stage, meanings, is_last=line == on_path - 1)
        here = {"stage": stage, "line": line, "lines": on_path, "position": position}
        move = moves.get(line)
        if move in _BY_AGENT:
            hint = chance.choice(_HINTS[move])
            course += [Cue(speaker="agent", hint=hint, move=move, **here), Cue(speaker="customer", **here)]
            again = Cue(speaker="agent", hint=_SECOND_HINTS[move], move=move, part=2, **here)
            course += [again, Cue(speaker="customer", **here)]
        course.append(Cue(speaker="agent", hint=told, **here))
        if move is None or move in _BY_AGENT:
            course.append(Cue(speaker="customer", hint=_GOODBYE if line == on_path - 1 else "", **here))
            continue
        hint = chance.choice(_HINTS[move])
        course.append(Cue(speaker="customer", hint=hint, move=move, interrupts=move == "interruption", **here))
        course += [Cue(speaker="agent", hint=_REACT, is_reaction=True, **here), Cue(speaker="customer", **here)]
    return tuple(course)


def _moves(total: int, chance: random.Random) -> dict[int, Move]:
    """The moves of a call by the line of the path they come with; at least one quiet line between two."""
    wanted = min(_MOST, total // _EXCHANGES_PER_MOVE)
    if wanted < 1:
        return {}
    number = chance.randint(min(_FEWEST, wanted), wanted)
    kinds = chance.sample(sorted(EXTRA_EXCHANGES), number)
    on_path = total - sum(EXTRA_EXCHANGES[kind] for kind in kinds)
    first, last = max(1, int(on_path * _FIRST_SHARE)), int(on_path * _LAST_SHARE)
    places = list(range(first, min(last, on_path - 2) + 1, 2))
    chosen = sorted(chance.sample(places, min(number, len(places))))
    return dict(zip(chosen, kinds, strict=False))


def _stage_hint(stage: str, meanings: Mapping[str, str], *, is_last: bool) -> str:
    meaning = meanings.get(stage, "")
    hint = f"You are at `{stage}`" + (f": {meaning}" if meaning else ".")
    return f"{hint} {_GOODBYE}" if is_last else hint


def cut_short(text: str, chance: random.Random) -> str:
    """What was heard of a line before somebody broke in; a line of a few words stays whole."""
    words = text.split()
    if len(words) < _SHORTEST_TO_CUT_WORDS:
        return text
    heard = words[: max(3, int(len(words) * chance.uniform(0.4, 0.75)))]
    return f"{' '.join(heard).rstrip('.,;:?!-')} --"
