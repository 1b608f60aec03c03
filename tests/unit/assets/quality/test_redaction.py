"""What redaction leaves: no raw text anywhere, spans that fit the new text, the same again when done twice."""

from collections.abc import Callable

import msgspec
import pytest

from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.personal_data import find_spans, personal_facts
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.codec import conversation_from_json, to_json
from tip_resources.domain.conversation import Annotations, Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import PiiSpan

MakeCall = Callable[..., Conversation]
FACTS = (
    PersonalFact(type="NAME", value="Maria Santos"),
    PersonalFact(type="PHONE", value="415-555-2671"),
    PersonalFact(type="MEMBER_ID", value="XKJ447190228"),
)


def with_spans(call: Conversation, **annotations: object) -> Conversation:
    found = Annotations(spans=find_spans(call, FACTS), **annotations)  # type: ignore[arg-type]
    return msgspec.structs.replace(call, annotations=found)


@pytest.fixture
def call(make_call: MakeCall) -> Conversation:
    return with_spans(make_call("Hi, is this Maria Santos?", "Yes, 415-555-2671, that's Maria.", "Thanks."))


def test_both_styles_replace_every_span(call: Conversation):
    assert [turn.text for turn in redact(call, "type_tag").turns] == [
        "Hi, is this [NAME]?",
        "Yes, [PHONE], that's [NAME].",
        "Thanks.",
    ]
    assert [turn.text for turn in redact(call, "pii").turns] == [
        "Hi, is this [PII]?",
        "Yes, [PII], that's [PII].",
        "Thanks.",
    ]


@pytest.mark.parametrize("style", ["type_tag", "pii"])
def test_the_new_spans_stand_on_the_tags_of_the_new_text(call: Conversation, style):
    redacted = redact(call, style)
    spans = redacted.annotations.spans
    assert spans is not None
    texts = [redacted.turns[span.turn].text[span.start : span.end] for span in spans]
    assert texts == (["[NAME]", "[PHONE]", "[NAME]"] if style == "type_tag" else ["[PII]"] * 3)
    assert [(span.type, span.source) for span in spans] == [
        ("NAME", "persona"),
        ("PHONE", "persona"),
        ("NAME", "persona"),
    ]


def test_redacting_twice_changes_nothing(call: Conversation):
    once = redact(call, "type_tag")
    assert redact(once, "type_tag") == once
    assert find_spans(once, FACTS) == ()


def test_the_call_itself_keeps_its_text(call: Conversation):
    redact(call, "type_tag")
    assert call.turns[0].text == "Hi, is this Maria Santos?"


def test_a_call_that_was_never_scrubbed_does_not_get_out_raw(make_call: MakeCall):
    raw = make_call("Hi, this is Dana. What's your number?", "212-555-0143")
    assert [turn.text for turn in redact(raw).turns] == ["Hi, this is [NAME]. What's your number?", "[PHONE]"]


def test_a_call_in_which_nothing_was_found_stays_as_it_is(make_call: MakeCall):
    clean = msgspec.structs.replace(make_call("Hi, this is Dana."), annotations=Annotations(spans=()))
    assert redact(clean).turns == clean.turns


def test_times_ids_and_provenance_stay(make_call: MakeCall):
    call = make_call("Maria?", id="c-7")
    call = msgspec.structs.replace(
        call, turns=(msgspec.structs.replace(call.turns[0], start_ms=5, end_ms=9),), dataset="d", scenario_id="s"
    )
    redacted = redact(with_spans(call))
    assert (redacted.id, redacted.dataset, redacted.scenario_id) == ("c-7", "d", "s")
    assert (redacted.turns[0].start_ms, redacted.turns[0].end_ms) == (5, 9)


def test_unknown_fields_of_the_input_are_scrubbed_to_any_depth(make_call: MakeCall):
    extra = {
        "topic": "billing",
        "score": 0.75,
        "turn_count": 14,
        "is_test": False,
        "missing": None,
        "note": "Maria said to call 415 555 2671 or write to m@example.com",
        "phone": 4155552671,
        "callback": 2125550143,
        "customer_name": "Somebody Else",
        "patientName": "Else",
        "Maria": {
            "list": ["four one five, five five five, two six seven one", {"zip": "45402", "deep": ["X K J 447190228"]}]
        },
    }
    call = with_spans(make_call("Maria Santos, 415-555-2671, XKJ447190228"), extra=extra)
    cleaned = redact(call).annotations.extra
    assert cleaned == {
        "topic": "billing",
        "score": 0.75,
        "turn_count": 14,
        "is_test": False,
        "missing": None,
        "note": "[NAME] said to call [PHONE] or write to [EMAIL]",
        "phone": "[PHONE]",
        "callback": "[PHONE]",
        "customer_name": "[NAME]",
        "patientName": "[NAME]",
        "[NAME]": {"list": ["[PHONE]", {"zip": "[ADDRESS]", "deep": ["[MEMBER_ID]"]}]},
    }


def test_the_personas_facts_never_travel_on(make_call: MakeCall):
    facts = [{"type": "NAME", "value": "Maria Santos", "spoken": ["Maria"]}]
    call = with_spans(make_call("Maria Santos?"), extra={"personal_facts": facts, "kept": 1})
    assert redact(call).annotations.extra == {"kept": 1}
    assert personal_facts(call) == (PersonalFact(type="NAME", value="Maria Santos", spoken=("Maria",)),)


def test_facts_that_only_the_extra_fields_hold_are_scrubbed_when_they_are_given(make_call: MakeCall):
    call = with_spans(make_call("Hello?"), extra={"summary": "the caller was Santos"})
    assert redact(call, "type_tag", FACTS).annotations.extra == {"summary": "the caller was [NAME]"}


def test_personal_facts_of_another_shape_are_refused(make_call: MakeCall):
    call = with_spans(make_call("Hello?"), extra={"personal_facts": "Maria"})
    with pytest.raises(BadInput, match="personal_facts"):
        personal_facts(call)


def test_the_rationale_of_a_grade_is_scrubbed_too(make_call: MakeCall):
    grade = Grade(realism=1, coherence=1, naturalness=1, overall=1, rationale="Maria gives 415-555-2671 twice.")
    redacted = redact(with_spans(make_call("Maria Santos 415-555-2671"), grade=grade))
    assert redacted.annotations.grade is not None
    assert redacted.annotations.grade.rationale == "[NAME] gives [PHONE] twice."


def test_nothing_of_a_fact_is_left_in_the_line_that_is_written(make_call: MakeCall):
    grade = Grade(realism=1, coherence=1, naturalness=1, overall=1, rationale="Santos was cross.")
    call = with_spans(
        make_call("Maria Santos here, 4155552671, X K J 447 190 228"), grade=grade, extra={"who": "M. Santos"}
    )
    line = to_json(redact(call)).decode()
    for raw in ("Maria", "Santos", "4155552671", "447", "190"):
        assert raw not in line
    assert conversation_from_json(line).annotations.spans is not None


def test_spans_in_any_order_are_applied(make_call: MakeCall):
    spans = (
        PiiSpan(turn=1, start=0, end=2, type="NAME", source="pattern"),
        PiiSpan(turn=0, start=4, end=6, type="PHONE", source="pattern"),
        PiiSpan(turn=0, start=0, end=2, type="NAME", source="pattern"),
    )
    call = msgspec.structs.replace(make_call("ab, cd", "ef"), annotations=Annotations(spans=spans))
    assert [turn.text for turn in redact(call).turns] == ["[NAME], [PHONE]", "[NAME]"]


def test_a_redacted_call_has_no_leak(call: Conversation):
    assert leaked_facts(redact(call), FACTS) == ()
