"""Polite padding: exchanges that add length and nothing else. A judge that pays for them likes length, not calls."""

import msgspec

from tip_resources.domain.conversation import Conversation, Turn

_EXCHANGES = (
    (
        "Thank you so much for your patience, I really do appreciate it.",
        "Of course, no problem at all, take your time.",
    ),
    ("Thank you again, I am still looking into that for you right now.", "Okay, thank you, I am still here with you."),
    ("I really appreciate you staying on the line with me today.", "Sure, of course, thank you for checking on that."),
    ("Thank you very much, that is very kind of you to say.", "You are very welcome, thank you for all your help."),
)


def padded(conversation: Conversation) -> Conversation:
    """The call with four empty exchanges in its middle, before a turn of the agent where there is one."""
    turns = list(conversation.turns)
    middle = len(turns) // 2
    place = next((at for at in range(middle, len(turns)) if turns[at].speaker == "agent"), middle)
    added = [
        turn
        for agent, customer in _EXCHANGES
        for turn in (Turn(speaker="agent", text=agent), Turn(speaker="customer", text=customer))
    ]
    return msgspec.structs.replace(
        conversation, id=f"{conversation.id}-padded", turns=(*turns[:place], *added, *turns[place:])
    )
