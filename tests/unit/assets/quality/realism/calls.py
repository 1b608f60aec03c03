"""Calls made for the tests of realism: plain ones, and reference calls with their habits taken away."""

import re
from collections.abc import Sequence

import msgspec

from tip_resources.domain.conversation import Conversation, Turn

_HABITS = re.compile(r"\b(?:um|uh|like|well|okay|yeah|mm-hm|oh|hm)\b[,.]? ?", re.IGNORECASE)


def call(id: str, *texts: str) -> Conversation:
    """A call of alternating speakers, the agent first."""
    said = texts or ("Hello, how can I help?", "I have a question about my bill.", "Sure, what is it?", "It went up.")
    turns = tuple(
        Turn(speaker=("agent", "customer")[number % 2], text=text.replace("ID", id)) for number, text in enumerate(said)
    )
    return Conversation(id=id, turns=turns)


def stiff(calls: Sequence[Conversation]) -> list[Conversation]:
    """The calls as a model might write them: no hesitation, no listening noises, two turns said as one."""
    return [
        msgspec.structs.replace(
            one,
            id=f"stiff-{one.id}",
            turns=tuple(
                Turn(speaker=("agent", "customer")[place % 2], text=f"{_plain(first.text)} {_plain(second.text)}")
                for place, (first, second) in enumerate(zip(one.turns[::2], one.turns[1::2], strict=False))
            ),
        )
        for one in calls
    ]


def _plain(text: str) -> str:
    return _HABITS.sub("", text) or "I understand."
