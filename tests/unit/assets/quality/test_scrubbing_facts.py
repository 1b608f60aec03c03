"""Known facts are found in every form people say them, and nothing else is taken for them."""

import time
from collections.abc import Callable, Sequence

import pytest

from tip_assets.planning.domain_library import load_libraries
from tip_assets.planning.persona_generator import personas_for
from tip_assets.planning.scenario_engine import scenario_at
from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.persona import PersonalFact

NAME = PersonalFact(type="NAME", value="Maria Elena O'Neil-Santos")
AGENT = PersonalFact(type="NAME", value="Will May")
PHONE = PersonalFact(type="PHONE", value="(415) 555-2671")
EMAIL = PersonalFact(type="EMAIL", value="maria.santos84@example.com")
BIRTH = PersonalFact(type="DATE_OF_BIRTH", value="03/12/1984")
ADDRESS = PersonalFact(type="ADDRESS", value="1420 Maple Street, Apt 3B, Springfield, IL 62704")
MEMBER = PersonalFact(type="MEMBER_ID", value="XKJ447190228")
SSN = PersonalFact(type="SSN", value="536-90-4399")
CARD = PersonalFact(type="CREDIT_DEBIT_NUMBER", value="4111 1111 1111 1111")
FACTS = (NAME, AGENT, PHONE, EMAIL, BIRTH, ADDRESS, MEMBER, SSN, CARD)

MakeCall = Callable[..., Conversation]


def scrubbed(call: Conversation, *facts: PersonalFact, style: str = "type_tag") -> list[str]:
    return [turn.text for turn in redact(call, style, facts or FACTS).turns]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # names
        ("Thanks, Maria.", "Thanks, [NAME]."),
        ("this is MARIA SANTOS", "this is [NAME]"),
        ("it's maria elena o'neil santos", "it's [NAME]"),
        ("Ms. O\u2019Neil-Santos's bill", "Ms. [NAME]'s bill"),
        ("Maria E. Santos", "[NAME]"),
        ("that's Oneil Santos", "that's [NAME]"),
        ("Santos. S-A-N-T-O-S.", "[NAME]. [NAME]."),
        ("S A N T O S", "[NAME]"),
        ("S as in Sam, A, N as in Nancy, T, O, S", "[NAME]"),
        ("Mar\u00eda S\u00e1ntos", "[NAME]"),
        ("marias, mariachi and Santosh", "marias, mariachi and Santosh"),
        # names that are words
        ("Hi Will, I will call. Will you?", "Hi [NAME], I will call. Will you?"),
        ("May I have your name? You may.", "May I have your name? You may."),
        ("Ask for Will May, please.", "Ask for [NAME], please."),
        ("It was in May, on May 5.", "It was in May, on May 5."),
        ("Mr. May is out.", "Mr. [NAME] is out."),
        ("Will, are you there?", "[NAME], are you there?"),
        # numbers
        ("415-555-2671", "[PHONE]"),
        ("+1 (415) 555-2671.", "[PHONE]."),
        ("4155552671", "[PHONE]"),
        ("four one five, five five five, two six seven one", "[PHONE]"),
        ("four fifteen, triple five, twenty-six seventy-one", "[PHONE]"),
        ("area code 415, then 555, and 2671", "area code [PHONE]"),
        ("it ends in 2671", "it ends in [PHONE]"),
        ("ending two six seven one, yes", "ending [PHONE], yes"),
        ("the last four are twenty-six seventy-one", "the last four are [PHONE]"),
        ("five three six, nine oh, four three nine nine", "[SSN]"),
        ("my social ends in 4399", "my social ends in [SSN]"),
        ("4111-1111-1111-1111", "[CREDIT_DEBIT_NUMBER]"),
        ("four one one one, double one double one, one one one one, 1111", "[CREDIT_DEBIT_NUMBER]"),
        ("X K J four four seven one nine oh two two eight", "[MEMBER_ID]"),
        ("xkj-447-190-228", "[MEMBER_ID]"),
        ("X as in x-ray, K as in kilo, J for John, 447 190 228", "[MEMBER_ID]"),
        ("just 447190228", "just [MEMBER_ID]"),
        # what only looks like a piece of a number
        ("it's $26.71", "it's $26.71"),
        ("it's 2,671 dollars", "it's 2,671 dollars"),
        ("on 2/28 at 11:11", "on 2/28 at 11:11"),
        ("in room 267", "in room 267"),
        # dates
        ("March 12, 1984", "[DATE_OF_BIRTH]"),
        ("march twelfth nineteen eighty-four", "[DATE_OF_BIRTH]"),
        ("the twelfth of March, '84", "the [DATE_OF_BIRTH]"),
        ("oh three twelve eighty-four", "[DATE_OF_BIRTH]"),
        ("3/12/84", "[DATE_OF_BIRTH]"),
        ("1984-03-12", "[DATE_OF_BIRTH]"),
        ("on March 12th", "on [DATE_OF_BIRTH]"),
        ("in March 1984", "in [DATE_OF_BIRTH]"),
        ("on March 13th", "on March 13th"),
        # addresses
        ("1420 Maple St., Apt. 3B", "[ADDRESS]"),
        ("fourteen twenty maple street, apartment three b", "[ADDRESS], [ADDRESS]"),
        ("one four two zero Maple", "[ADDRESS]"),
        ("on Maple Street", "on [ADDRESS]"),
        # names run together, as in user names
        ("it's MariaSantos2, I think", "it's [NAME], I think"),
        ("maria.santos_77", "[NAME]"),
        ("santosm is taken", "[NAME] is taken"),
        ("m_santos9 then", "[NAME] then"),
        ("in Springfield", "in [ADDRESS]"),
        ("six two seven oh four", "[ADDRESS]"),
        # email
        ("maria.santos84@example.com", "[EMAIL]"),
        ("maria dot santos eighty-four at example dot com", "[EMAIL]"),
        ("m a r i a dot s a n t o s eight four at example dot com", "[EMAIL]"),
    ],
)  # fmt: skip
def test_a_known_fact_is_replaced_however_it_is_said(make_call: MakeCall, text: str, expected: str):
    call = make_call("Hello there, what can I do?", text)
    assert scrubbed(call)[1] == expected
    assert leaked_facts(redact(call, "type_tag", FACTS), FACTS) == ()


def test_a_number_split_over_turns_is_found_in_all_of_them(make_call: MakeCall):
    call = make_call(
        "The phone?", "it's four one five", "uh-huh", "five five five", "okay", "two six seven one", "415, 555, 2671?"
    )
    assert scrubbed(call) == ["The phone?", "it's [PHONE]", "uh-huh", "[PHONE]", "okay", "[PHONE]", "[PHONE]?"]


@pytest.mark.parametrize("spelled", ["santos", "Maria", ("A-A", "R-O-N")])
def test_a_name_spelled_a_letter_a_turn_is_found(make_call: MakeCall, spelled: Sequence[str]):
    facts = (*FACTS, PersonalFact(type="NAME", value="Aaron"))
    call = make_call("Go on.", *(text for said in spelled for text in (said, "mm-hmm")))
    redacted = redact(call, "type_tag", facts)
    assert [turn.text for turn in redacted.turns[1::2]] == ["[NAME]"] * len(spelled)
    assert leaked_facts(redacted, facts) == ()


def test_a_group_read_back_alone_goes_with_its_number(make_call: MakeCall):
    call = make_call("Go ahead.", "415 555 2671", "415?", "yes", "555 and 2671?")
    assert scrubbed(call) == ["Go ahead.", "[PHONE]", "[PHONE]?", "yes", "[PHONE]?"]


def test_a_group_far_from_its_number_is_a_number_like_any_other(make_call: MakeCall):
    turns = ["415 555 2671", *["okay then"] * 12, "it weighs 555 grams"]
    assert scrubbed(make_call(*turns))[-1] == "it weighs 555 grams"


def test_in_a_call_without_capitals_names_are_found_by_their_place(make_call: MakeCall):
    call = make_call("hi this is will how may i help", "hi will, my name is maria santos", "okay will do")
    assert scrubbed(call) == ["hi this is [NAME] how may i help", "hi [NAME], my name is [NAME]", "okay will do"]


def test_names_of_scripts_without_spaces_are_found(make_call: MakeCall):
    fact = PersonalFact(type="NAME", value="\u738b\u4f1f")
    assert scrubbed(make_call("\u60a8\u597d\u738b\u4f1f\u5148\u751f"), fact) == ["\u60a8\u597d[NAME]\u5148\u751f"]


def test_spans_are_offsets_into_the_original_text_sorted_and_apart(make_call: MakeCall):
    call = make_call(
        "Maria Santos, 415-555-2671, maria.santos84@example.com", "\U0001f600 Mar\u00eda at 1420 Maple Street"
    )
    spans = find_spans(call, FACTS)
    said = [(call.turns[span.turn].text[span.start : span.end], span.type, span.source) for span in spans]
    assert said == [
        ("Maria Santos", "NAME", "persona"),
        ("415-555-2671", "PHONE", "persona"),
        ("maria.santos84@example.com", "EMAIL", "persona"),
        ("Mar\u00eda", "NAME", "persona"),
        ("1420 Maple Street", "ADDRESS", "persona"),
    ]
    assert list(spans) == sorted(spans, key=lambda span: (span.turn, span.start))


def test_the_facts_type_is_the_tag_whatever_it_is(make_call: MakeCall):
    fact = PersonalFact(type="Loyalty card-no", value="LC 99812")
    assert scrubbed(make_call("it's lc99812"), fact) == ["it's [LOYALTY_CARD_NO]"]


def test_without_facts_or_personal_data_nothing_is_found(make_call: MakeCall):
    assert find_spans(make_call("How can I help?", "The lamp I bought is broken.", "", "..."), ()) == ()


def planned_facts(domain: str, index: int) -> tuple[PersonalFact, ...]:
    spec = DatasetSpec(name="planted", count=50, domain=domain, seed=11)
    library = load_libraries()[domain]
    customer, agent = personas_for(spec, scenario_at(spec, library, index), library)
    return customer.facts + agent.facts


CARRIERS = ("Sure, it's {}.", "{}", "Okay, uh, {}, I think.", "So that's {}, correct?")


@pytest.mark.parametrize("domain", ["healthcare", "retail", "telecommunications"])
def test_every_spoken_form_of_planned_personas_is_found_whole(domain: str):
    missed: list[str] = []
    for index in range(12):
        facts = planned_facts(domain, index)
        forms = {(fact.type, form) for fact in facts for form in (fact.value, *fact.spoken)}
        for number, (_, form) in enumerate(sorted(forms)):
            before, after = CARRIERS[number % len(CARRIERS)].split("{}")
            turns = (
                Turn(speaker="agent", text="How can I help?"),
                Turn(speaker="customer", text=before + form + after),
            )
            call = Conversation(id="1", turns=turns)
            covered = {place for span in find_spans(call, facts) if span.turn for place in range(span.start, span.end)}
            wanted = {len(before) + place for place, char in enumerate(form) if char.isalnum()}
            if wanted - covered or leaked_facts(redact(call, "type_tag", facts), facts):
                missed.append(form)
    assert missed == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    ["1", "2671 ", "4155550199 12 7 ", "A-", "my name is ", "oh ", "x@x.", "12 street ", "Maria ", "4 B ", "may 5 "],
)
def test_a_very_long_turn_takes_linear_time(make_call: MakeCall, piece: str):
    seconds = []
    for length in (10_000, 100_000):
        call = make_call((piece * length)[:length])
        started = time.process_time()
        leaked_facts(redact(call, "type_tag", FACTS), FACTS)
        seconds.append(time.process_time() - started)
    # Ten times the text; quadratic work would take a hundred times as long.
    assert seconds[1] < 40 * max(seconds[0], 0.02)
