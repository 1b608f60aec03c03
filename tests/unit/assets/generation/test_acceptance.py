"""The accept step: what is refused says which call it repeats, and what is kept carries its quick grade."""

import random
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine
from upath import UPath

from tests.unit.assets.generation.test_write_calls import plan
from tip_assets.generation.acceptance import Gatekeeper, Refusal
from tip_assets.generation.tally import Tally
from tip_assets.quality.duplicates.comparison import sketched
from tip_assets.quality.duplicates.earlier_calls import DeliveredCalls
from tip_assets.quality.duplicates.thresholds import DEFAULT
from tip_assets.quality.screening import ScrubScreen
from tip_assets.quality.scrubbing import drawn_again, redact, with_spans
from tip_resources.database.delivered import DeliveredIndex
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.storage.checkpoint import Checkpoint

WORDS = ["amber", "brook", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty", "knoll", "larch"]


def call(id: str, seed: int, *, is_edited: bool = False, index: int | None = 0) -> Conversation:
    """A call of 10 turns; edited: one word of every second turn is another."""
    chance = random.Random(seed)
    turns = []
    for number in range(10):
        words = [chance.choice(WORDS) + chance.choice(WORDS) for _ in range(9)]
        if is_edited and number % 2:
            words[4] = "otherwise"
        text = f"I want the {' '.join(words)} please."
        turns.append(Turn(speaker="customer" if number % 2 else "agent", text=text))
    return Conversation(id=id, index=index, turns=tuple(turns))


def gatekeeper(delivered: DeliveredCalls | None = None) -> Gatekeeper:
    return Gatekeeper(minimum_turns=8, minimum_score=0.0, delivered=delivered)


def refused(judged: Conversation | Refusal) -> str:
    assert isinstance(judged, Refusal)
    assert judged.reason == "duplicate"
    return judged.detail


def test_a_kept_call_carries_its_quick_grade():
    kept = gatekeeper().judge(call("a", 1), plan(0))
    assert isinstance(kept, Conversation)
    assert kept.annotations.grade is not None
    assert 0 < kept.annotations.grade.overall <= 5


def test_an_edited_copy_is_refused_with_method_similarity_and_the_earlier_call():
    gate = gatekeeper()
    assert isinstance(gate.judge(call("a", 1), plan(0)), Conversation)
    assert refused(gate.judge(call("a", 1), plan(1))) == "exact duplicate of a, similarity 1.00"
    assert refused(gate.judge(call("b", 1, is_edited=True), plan(1))).startswith("near duplicate of a, similarity 0.")
    assert isinstance(gate.judge(call("c", 2), plan(1)), Conversation)


def test_a_refused_call_is_not_held_against_later_ones():
    gate = Gatekeeper(minimum_turns=8, minimum_score=1.0)
    for _ in range(2):
        judged = gate.judge(call("a", 1), plan(0))
        assert isinstance(judged, Refusal)
        assert judged.reason == "low_grade"


def test_a_changed_minimum_counts_from_the_next_call_on():
    gate = Gatekeeper(minimum_turns=8, minimum_score=1.0)
    assert isinstance(gate.judge(call("a", 1), plan(0)), Refusal)
    gate.require(minimum_turns=8, minimum_score=0.0)
    assert isinstance(gate.judge(call("a", 1), plan(0)), Conversation)
    gate.require(minimum_turns=11, minimum_score=0.0)
    judged = gate.judge(call("b", 2), plan(1))
    assert isinstance(judged, Refusal)
    assert judged.reason == "too_short"


def test_what_another_set_delivered_is_refused_and_named_with_its_set(fresh_database: Engine):
    index = DeliveredIndex(fresh_database, excluding="new")
    [batch] = sketched([call("old", 1), call("other", 2)])
    index.replace_dataset("spring", [sketch for _, sketch in batch])
    gate = gatekeeper(DeliveredCalls(index, DEFAULT))
    assert refused(gate.judge(call("a", 1), plan(0))) == "exact duplicate of old of spring, similarity 1.00"
    assert refused(gate.judge(call("b", 2, is_edited=True), plan(0))).startswith("near duplicate of other of spring, ")
    assert isinstance(gate.judge(call("c", 3), plan(0)), Conversation)


def test_a_set_that_is_made_again_does_not_match_what_it_delivered_before(fresh_database: Engine):
    index = DeliveredIndex(fresh_database, excluding="spring")
    [batch] = sketched([call("old", 1)])
    index.replace_dataset("spring", [sketch for _, sketch in batch])
    assert isinstance(gatekeeper(DeliveredCalls(index, DEFAULT)).judge(call("a", 1), plan(0)), Conversation)


@pytest.mark.parametrize("is_edited", [False, True])
def test_a_resumed_run_refuses_copies_of_what_was_kept_before_it_was_cut_off(tmp_path: Path, is_edited: bool):
    checkpoint = Checkpoint(UPath(tmp_path))

    def tally() -> Tally:
        return Tally("d", checkpoint=checkpoint, gatekeeper=gatekeeper(), identity=lambda one: f"i{one.index}")

    assert tally().judge(call("a", 1), plan(0), "")
    resumed = tally()
    assert resumed.take_up(lambda: [plan(0), plan(1)]) == 1
    assert next(checkpoint.load([(0, "i0")])).annotations.grade is not None
    assert not resumed.judge(call("b", 1, is_edited=is_edited, index=1), plan(1), "")
    assert resumed.judge(call("c", 2, index=1), plan(1), "")


def test_a_call_whose_surrogates_are_all_somebodys_facts_is_refused_while_another_can_be_written():
    key, name = b"0123456789abcdef0123456789abcdef", "Mortimer Quimby"
    written = call("a", 1)
    named = msgspec.structs.replace(
        written, turns=(Turn(speaker="customer", text=f"My name is {name}."), *written.turns)
    )
    found = with_spans(named)
    # Every name that the stage behind would try in its place.
    drawn = [
        redact(drawn_again(found, draw) if draw else found, "surrogate", key=key).turns[0].text for draw in range(4)
    ]
    facts = tuple(
        PersonalFact(type="NAME", value=text.removeprefix("My name is ").rstrip("."), spoken=()) for text in drawn
    )
    planned = msgspec.structs.replace(plan(0), agent=msgspec.structs.replace(plan(0).agent, facts=facts))
    assert isinstance(gatekeeper().judge(named, planned), Conversation)
    refusal = Gatekeeper(minimum_turns=8, minimum_score=0.0, styles=("surrogate",), key=key).judge(named, planned)
    assert isinstance(refusal, Refusal) and refusal.reason == "unscrubbable" and "NAME" in refusal.detail
    assert not any(fact.value in refusal.detail for fact in facts)
    # The stage behind says the same of it, and of a call that the gate lets pass.
    screen = ScrubScreen(("surrogate",), key)
    assert list(screen.screen([(named, planned)])) == [] and set(screen.held_back) == {"a"}
    kept = Gatekeeper(minimum_turns=8, minimum_score=0.0, styles=("surrogate",), key=key).judge(named, plan(0))
    assert isinstance(kept, Conversation) and len(list(ScrubScreen(("surrogate",), key).screen([(kept, plan(0))]))) == 1
