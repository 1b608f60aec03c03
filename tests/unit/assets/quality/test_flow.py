"""Moves of a call and the template rate of a set."""

from pathlib import Path

import msgspec
import pytest

from tests.unit.assets.quality.conftest import call_of, read_good_calls
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import plan_calls
from tip_assets.quality.flow.moves import is_told_in, move_of, moves_of
from tip_assets.quality.flow.template_rate import template_rate
from tip_resources.domain.call_plan import CallPlan
from tip_resources.domain.conversation import Conversation, Speaker, Turn
from tip_resources.domain.dataset_spec import DatasetSpec

_SPEAKERS: dict[str, Speaker] = {"A": "agent", "C": "customer"}
COURTEOUS = ("Thanks for calling Larch.", "I need a new router.", "When did it break?", "On Monday.", "Bye.")
OTHER_WORDS = ("You've reached Larch.", "I'd like a refund.", "Which item is it?", "The red one.", "Take care.")
ANGRY = ("Thanks for calling Larch.", "Nobody told me there was a fee.", "I'm sorry about that.", "Fine.", "Bye.")


def tagged_turns() -> list[tuple[str, Turn]]:
    lines = Path(__file__).with_name("tagged_turns.txt").read_text(encoding="utf-8").splitlines()
    tagged = [line.split(" | ") for line in lines if not line.startswith("#")]
    return [(move, Turn(speaker=_SPEAKERS[who], text=text)) for who, move, text in tagged]


def plans(count: int) -> list[CallPlan]:
    spec = DatasetSpec(name="flow", count=count, domain="retail")
    return list(plan_calls(spec, load_library("retail")))


def planned(*texts: str, id: str, plan: CallPlan | None = None) -> tuple[Conversation, CallPlan | None]:
    return call_of(*texts, id=id), plan


def test_nine_of_ten_turns_tagged_by_hand_get_their_move():
    tagged = tagged_turns()
    assert len(tagged) > 100
    assert sum(move_of(turn) == move for move, turn in tagged) / len(tagged) >= 0.9


def test_a_hand_written_call_opens_with_a_greeting_and_ends_with_a_farewell():
    for call in read_good_calls():
        moves = moves_of(call)
        assert moves[0] == "A:greet"
        assert moves[-1] in {"A:close", "C:close"}


def test_the_same_move_in_a_row_is_told_once_and_nods_are_left_out():
    one = call_of("When was it?", "Okay.", "And where was it?", "...", "At which shop?")
    assert moves_of(one) == ("A:ask",)


def test_only_an_agent_offers_and_only_a_customer_objects():
    assert move_of(Turn(speaker="customer", text="Nobody told me that.")) == "object"
    assert move_of(Turn(speaker="agent", text="Nobody told me that.")) == "explain"


def test_calls_that_say_other_things_in_the_same_order_share_their_course():
    report = template_rate(
        [planned(*COURTEOUS, id="1"), planned(*OTHER_WORDS, id="2"), planned(*ANGRY, id="3"), planned("Hi.", id="4")]
    )
    assert report.rate == 0.5
    assert (report.calls, report.courses, report.unmeasured) == (4, 3, 0)
    (group,) = report.groups
    assert (group.calls, group.examples) == (2, ("1", "2"))
    assert group.moves == moves_of(call_of(*COURTEOUS))


def test_the_same_moves_on_another_intent_path_are_another_course():
    one, *others = plans(40)
    other = next(plan for plan in others if plan.scenario.intent_path != one.scenario.intent_path)
    assert template_rate([planned(*COURTEOUS, id="1", plan=one), planned(*COURTEOUS, id="2", plan=other)]).rate == 0.0
    assert template_rate([planned(*COURTEOUS, id="1", plan=one), planned(*COURTEOUS, id="2", plan=one)]).rate == 1.0


def test_other_languages_are_said_to_be_unmeasured_not_to_be_free_of_templates():
    german = msgspec.structs.replace(call_of("Guten Tag.", "Hallo."), language="de")
    report = template_rate([(german, None), (german, None)])
    assert (report.rate, report.calls, report.unmeasured) == (None, 0, 2)
    assert all(metric.value is None and "English" in metric.detail for metric in report.metrics())
    assert is_told_in("en-GB")
    assert not is_told_in("eng-x")


def test_an_empty_set_and_calls_that_say_nothing_have_an_unknown_rate():
    assert template_rate([]).rate is None
    report = template_rate([planned("...", "", id="1"), (Conversation(id="2", turns=()), None)])
    assert (report.rate, report.unmeasured) == (None, 2)


def test_the_rows_of_the_set_hold_the_rate_and_name_the_commonest_course():
    rows = {
        row.name: row for row in template_rate([planned(*COURTEOUS, id="1"), planned(*OTHER_WORDS, id="2")]).metrics()
    }
    assert rows["template_rate"].value == 1.0
    assert rows["courses_per_call"].value == 0.5
    assert rows["commonest_course_share"].detail.startswith("A:greet C:request")
    assert {row.group for row in rows.values()} == {"flow"}


def test_long_calls_that_differ_at_the_ends_still_share_their_passages():
    middle = ("Why?", "Nobody told me.", "I'm so sorry.", "I need a refund.") * 2
    one = planned("Hello.", *middle, "Bye.", id="1")
    other = planned("One moment, please.", "I need help.", "Which one?", *middle, "Thank you.", id="2")
    report = template_rate([one, other])
    assert report.rate == 0.0
    assert report.shared_passages is not None
    assert 0 < report.shared_passages < 1
    assert template_rate([one, one]).shared_passages == 1.0
    assert template_rate([planned(*COURTEOUS, id="1")]).shared_passages is None


def test_a_course_taken_often_is_reported_after_thousands_of_others():
    asking = ["Why?", "I need that.", "I'm so sorry.", "Bye.", "One moment, please."]

    def different(number: int) -> Conversation:
        texts = [asking[int(digit)] for digit in f"{number:05d}" if int(digit) < len(asking)]
        return call_of(*texts, "My pleasure.", id=str(number))

    rare = [(different(number), None) for number in range(8_000)]
    often = [planned(*COURTEOUS, id=f"often-{number}") for number in range(200)]
    mixed = [call for start in range(200) for call in (*rare[start * 40 : start * 40 + 40], often[start])]
    report = template_rate(mixed)
    group = next(group for group in report.groups if group.moves == moves_of(call_of(*COURTEOUS)))
    assert group.calls == 200


@pytest.mark.parametrize("text", ["a" * 10_000_000, "\x00\ufffd \U0001f600", "hold " * 2_000_000])
def test_endless_and_broken_turns_have_a_move(text: str):
    assert move_of(Turn(speaker="agent", text=text))
