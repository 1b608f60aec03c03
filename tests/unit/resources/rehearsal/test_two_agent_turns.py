"""The scripted server plays one side of a two-agent call, knowing only that side's brief."""

import json
from typing import Any

import pytest

from tip_resources.domain.failures import BadInput
from tip_resources.rehearsal.dialogue.library import shipped_grammar
from tip_resources.rehearsal.dialogue.likeness import CUSTOMER_MOVES, heard_exchanges, heard_move
from tip_resources.rehearsal.dialogue.turn import next_line
from tip_resources.rehearsal.dialogue.turn_plan import turn_asked

CALLER = {
    "customer": {
        "name": "Ada Quist",
        "facts": [
            {"type": "NAME", "value": "Ada Quist"},
            {"type": "EMAIL", "value": "ada@example.com", "spoken": ["ada at example dot com"]},
        ],
    },
    "scenario": {"domain": "retail", "template": "order_status", "facts": {"order_number": "W12345678"}},
}
AGENT = {
    "agent": {"name": "Lee Moss", "facts": [{"type": "NAME", "value": "Lee Moss"}]},
    "policy": {"ask_the_caller_for": ["NAME", "EMAIL"]},
    "scenario": {
        "domain": "retail",
        "template": "order_status",
        "facts": {"order_number": "W12345678", "company": "Everly and Main"},
        "intent_path": ["greet", "verify_identity", "look_up_order", "close_call"],
    },
}


def line(brief: dict[str, Any], heard: str, **plan: Any) -> str:
    told = json.dumps({"turn": 5, "line": 2, "lines": 12, "variation": 7, **plan})
    system = f"Play your side.\nPRIVATE BRIEF\n{json.dumps(brief)}"
    asked = turn_asked((("system", system), ("user", f"{heard}\n\nTURN PLAN\n{told}")))
    assert asked is not None
    return next_line(asked)


def test_a_caller_says_a_detail_when_it_is_asked_for() -> None:
    said = {line(CALLER, "And the email on the account?", role="customer", variation=number) for number in range(20)}
    assert any("ada at example dot com" in text for text in said)
    assert not any("Quist" in text for text in said)


def test_an_agent_follows_its_path_and_never_says_what_it_was_not_told() -> None:
    lines = [line(AGENT, "Okay.", role="agent", line=number) for number in range(12)]
    assert len(set(lines)) == 12
    assert "Everly and Main" in lines[0]
    assert not any("\ue002" in text or "{" in text for text in lines)


def test_the_same_prompt_gives_the_same_line_and_another_attempt_may_differ() -> None:
    moves = {line(CALLER, "Okay?", role="customer", move="change_of_mind", attempt=n) for n in range(1, 9)}
    assert len(moves) > 1
    assert line(CALLER, "Okay?", role="customer") == line(CALLER, "Okay?", role="customer")


@pytest.mark.parametrize("move", CUSTOMER_MOVES)
def test_an_agent_reacts_to_the_very_move_the_caller_made(move: str) -> None:
    for number in range(10):
        said = line(CALLER, "Let me see.", role="customer", move=move, variation=number)
        assert heard_move(said) == move
        reaction = line(AGENT, said, role="agent", is_reaction=True, variation=number)
        assert next(heard_exchanges(reaction, "retail", "order_status")).kind == f"move_{move}_answer"


def test_a_heard_line_is_found_again_in_the_grammar_it_came_from() -> None:
    found = next(heard_exchanges("And the email on the account?", "retail", "order_status"))
    assert found.kind.startswith("verify_email")
    assert found.answers
    assert shipped_grammar().scenes["verify_email"]


def test_a_turn_plan_without_a_brief_or_in_another_language_is_refused() -> None:
    with pytest.raises(BadInput, match="PRIVATE BRIEF"):
        turn_asked((("user", 'Hello\nTURN PLAN\n{"role": "agent", "turn": 0}'),))
    with pytest.raises(BadInput, match="English"):
        line({**CALLER, "language": "es"}, "Hola", role="customer")
    assert turn_asked((("user", "What does TURN PLAN mean?"),)) is None
