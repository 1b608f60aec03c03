"""What the four styles write: nothing of the original, one fake for one fact, and the same again when repeated."""

import re
from collections.abc import Callable
from datetime import date

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.pii.styles import STYLES
from tip_assets.quality.pii.surrogate_codes import made_up_code, passes_a_check
from tip_assets.quality.pii.surrogate_words import pool
from tip_assets.quality.scrubbing import redact, with_spans
from tip_resources.domain.conversation import Annotations, Conversation, Turn
from tip_resources.domain.persona import PersonalFact
from tip_resources.domain.redaction import PiiSpan, RedactionStyle

KEY = b"0123456789abcdef0123456789abcdef"
FACTS = (
    PersonalFact(type="NAME", value="Maria Elena O'Neil-Santos"),
    PersonalFact(type="NAME", value="David May"),
    PersonalFact(type="PHONE", value="(415) 555-2671"),
    PersonalFact(type="EMAIL", value="maria.santos84@example.com"),
    PersonalFact(type="DATE_OF_BIRTH", value="03/12/1984"),
    PersonalFact(type="ADDRESS", value="1420 Maple Street, Apt 3B, Springfield, IL 62704"),
    PersonalFact(type="MEMBER_ID", value="XKJ447190228"),
    PersonalFact(type="SSN", value="536-90-4399"),
    PersonalFact(type="CREDIT_DEBIT_NUMBER", value="4111 1111 1111 1111"),
)
MakeCall = Callable[..., Conversation]


def said(make_call: MakeCall, *texts: str, style: RedactionStyle = "surrogate", key: bytes = KEY) -> list[str]:
    call = with_spans(make_call(*texts), FACTS)
    redacted = redact(call, style, key=key)
    assert leaked_facts(redacted, FACTS) == ()
    return [turn.text for turn in redacted.turns]


def digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


# -- Surrogates: one fake for one fact --


def test_every_mention_and_form_of_a_name_gets_the_same_fake(make_call: MakeCall):
    whole, first, upper, spelled, as_in, possessive = said(
        make_call, "Maria Santos", "Hi Maria.", "MARIA SANTOS", "S-A-N-T-O-S",
        "S as in Sam, A as in apple, N as in Nancy, T as in Tom, O as in orange, S as in Sam", "Ms. Santos's bill",
    )  # fmt: skip
    fake_first, fake_last = whole.split()
    assert first == f"Hi {fake_first}." and upper == whole.upper()
    assert spelled == "-".join(fake_last.upper())
    assert [part[0] for part in as_in.split(", ")] == list(fake_last.upper())
    assert possessive == f"Ms. {fake_last}'s bill"


def test_a_first_name_keeps_its_gender_and_a_last_name_stays_one(make_call: MakeCall):
    woman, man = said(make_call, "Maria Santos", "this is David May")
    assert woman.split()[0] in pool("female") and woman.split()[1] in pool("last")
    assert man.removeprefix("this is ").split()[0] in pool("male")


def test_a_number_keeps_its_layout_and_is_the_same_in_digits_in_words_and_in_part(make_call: MakeCall):
    written, spoken, last, split = said(
        make_call, "(415) 555-2671", "four one five, five five five, two six seven one", "it ends in 2671",
        "area code 415, then 555, and 2671",
    )  # fmt: skip
    assert re.fullmatch(r"\(\d{3}\) 555-01\d\d", written)
    words = dict(
        zip("0123456789", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], strict=True)
    )
    assert spoken == ", ".join(" ".join(words[d] for d in group) for group in re.findall(r"\d+", written))
    assert last == f"it ends in {digits(written)[-4:]}"
    assert split == "area code {}, then {}, and {}".format(*re.findall(r"\d+", written))


def test_a_number_dictated_over_turns_gets_the_pieces_of_one_fake(make_call: MakeCall):
    texts = said(make_call, "The phone?", "415", "mm-hmm", "555", "okay", "2671", "So 415-555-2671?")
    assert digits(texts[1] + texts[3] + texts[5]) == digits(texts[6])


def test_an_email_goes_with_the_fake_name(make_call: MakeCall):
    name, written, spoken, spelled = said(
        make_call, "Maria Santos", "maria.santos84@example.com", "maria dot santos eighty-four at example dot com",
        "m a r i a dot s a n t o s eight four at example dot com",
    )  # fmt: skip
    first, last = name.lower().split()
    assert re.fullmatch(rf"{first}\.{last}\d\d@example\.(org|net)", written)
    assert spoken.startswith(f"{first} dot {last} ")
    assert spelled.startswith(f"{' '.join(first)} dot {' '.join(last)} ")


def test_every_form_of_a_date_moves_by_the_same_days(make_call: MakeCall):
    numeric, iso, long, words, compact = said(
        make_call, "03/12/1984", "1984-03-12", "March 12, 1984", "march twelfth nineteen eighty-four", "03121984"
    )
    day = date.fromisoformat(iso)
    assert 32 <= (date(1984, 3, 12) - day).days <= 333
    assert numeric == f"{day:%m/%d/%Y}" and compact == f"{day:%m%d%Y}"
    assert long == f"{day:%B} {day.day}, {day.year}"
    assert words.startswith(f"{day:%B}".lower()) and "nineteen eighty" in words


def test_an_address_keeps_its_form_and_its_state(make_call: MakeCall):
    whole, street, number, city = said(
        make_call, "1420 Maple Street, Apt 3B, Springfield, IL 62704", "1420 Maple St.", "fourteen twenty Maple Street",
        "in Springfield",
    )  # fmt: skip
    match = re.fullmatch(r"(\d{4}) (\w+) Street, Apt (\d[A-Z]), (\w+), IL (00\d{3})", whole)
    assert match is not None
    assert street == f"{match[1]} {match[2]} St." and city == f"in {match[4]}"
    assert number.endswith(f" {match[2]} Street") and not digits(number)


def test_a_code_keeps_its_pattern_of_letters_and_digits(make_call: MakeCall):
    written, dashed, spoken = said(make_call, "XKJ447190228", "xkj-447-190-228", "X as in x-ray, K, J, 447 190 228")
    assert re.fullmatch(r"[A-Z]{3}\d{9}", written)
    assert dashed == f"{written[:3]}-{written[3:6]}-{written[6:9]}-{written[9:]}".lower()
    assert spoken.startswith(f"{written[0]} as in ") and digits(spoken) == digits(written)


@pytest.mark.parametrize(
    ("kind", "original"),
    [("CREDIT_DEBIT_NUMBER", "4111111111111111"), ("NPI", "1234567893"), ("ROUTING_NUMBER", "021000021"),
     ("IBAN", "de89370400440532013000"), ("VIN", "1m8gdm9axkp042788")],
)  # fmt: skip
def test_a_made_up_number_fails_the_check_that_the_real_one_passes(kind: str, original: str):
    assert passes_a_check(original, kind)
    made_up = [made_up_code(original, kind, frozenset(), "key", number) for number in range(200)]
    assert not [code for code in made_up if passes_a_check(code, kind)]
    assert all(a != b for code in made_up for a, b in zip(code, original, strict=True))


def test_telephone_and_social_security_numbers_are_from_ranges_that_are_nobodys():
    for number in range(100):
        assert re.fullmatch(r"[2-9]\d\d55501\d\d", made_up_code("4155552671", "PHONE", frozenset(), number))
        assert re.fullmatch(r"9\d\d0[1-9]\d{4}", made_up_code("536904399", "SSN", frozenset(), number))
        assert made_up_code("442079460958", "PHONE", frozenset(), number).startswith("999")


def test_what_cannot_be_imitated_becomes_its_tag(make_call: MakeCall):
    fact = PersonalFact(type="NAME", value="\u738b\u4f1f")
    call = with_spans(make_call("\u60a8\u597d\u738b\u4f1f\u5148\u751f"), (fact,))
    assert redact(call, "surrogate", key=KEY).turns[0].text == "\u60a8\u597d[NAME]\u5148\u751f"


def test_the_same_key_writes_the_same_and_another_key_or_call_something_else(make_call: MakeCall):
    texts = ("Maria Santos", "415-555-2671")
    assert said(make_call, *texts) == said(make_call, *texts)
    assert said(make_call, *texts) != said(make_call, *texts, key=b"another key of thirty-two bytes.")
    other = with_spans(make_call(*texts, id="another"), FACTS)
    assert [turn.text for turn in redact(other, "surrogate", key=KEY).turns] != said(make_call, *texts)


def test_no_surrogate_name_could_be_a_personas():
    from faker.providers.person.en_US import Provider as English
    from faker.providers.person.es_MX import Provider as Spanish

    known = {
        str(name).lower()
        for lists in (English, Spanish)
        for names in (lists.first_names_female, lists.first_names_male, lists.last_names)
        for name in names
    }
    assert not known & {name.lower() for heading in ("female", "male", "last", "examples") for name in pool(heading)}


# -- Hash tags --


def test_a_hash_tag_is_the_same_for_every_form_of_a_fact_in_every_call(make_call: MakeCall):
    one = said(make_call, "415-555-2671", "four one five, five five five, two six seven one", "2671", style="hash")
    assert len(set(one)) == 1 and re.fullmatch(r"\[PHONE_[0-9A-F]{8}\]", one[0])
    other = redact(with_spans(make_call("(415) 555-2671", id="another"), FACTS), "hash", key=KEY)
    assert other.turns[0].text == one[0]


def test_a_hash_tag_cannot_be_made_without_the_key(make_call: MakeCall):
    assert said(make_call, "Maria Santos", style="hash") != said(make_call, "Maria Santos", style="hash", key=b"k" * 32)
    with pytest.raises(ValueError, match="key"):
        redact(with_spans(make_call("Maria Santos"), FACTS), "hash")


# -- All styles --


def test_spans_of_one_fact_have_one_entity(make_call: MakeCall):
    call = with_spans(make_call("Maria Santos, 415-555-2671", "Maria? 2671?", "S-A-N-T-O-S"), FACTS)
    spans = call.annotations.spans or ()
    assert [(span.type, span.entity) for span in spans] == [
        ("NAME", 0), ("PHONE", 1), ("NAME", 0), ("PHONE", 1), ("NAME", 0),
    ]  # fmt: skip


@pytest.mark.parametrize("style", STYLES)
def test_no_tag_stands_right_before_a_bracket_or_another_tag(make_call: MakeCall, style: RedactionStyle):
    spans = (
        PiiSpan(turn=0, start=0, end=5, type="NAME", source="pattern"),
        PiiSpan(turn=0, start=5, end=9, type="CODE", source="pattern"),
    )
    call = msgspec.structs.replace(make_call("Maria1234(home)"), annotations=Annotations(spans=spans))
    once = redact(call, style, key=KEY)
    assert not re.search(r"\][(\[{]", once.turns[0].text)
    assert redact(once, style, key=KEY) == once


def test_surrogates_are_not_searched_and_replaced_again(make_call: MakeCall):
    once = redact(with_spans(make_call("Hi, this is Maria Santos", "call 415-555-2671"), FACTS), "surrogate", key=KEY)
    again = redact(with_spans(once, FACTS), "surrogate", key=KEY)
    assert [turn.text for turn in again.turns] == [turn.text for turn in once.turns]


def test_tags_may_follow_surrogates_but_surrogates_do_not_follow_tags(make_call: MakeCall):
    call = with_spans(make_call("Hi, this is Maria Santos"), FACTS)
    faked = redact(call, "surrogate", key=KEY)
    assert redact(faked, "pii").turns[0].text == "Hi, this is [PII]"
    tagged = redact(call, "type_tag")
    assert redact(tagged, "surrogate", key=KEY).turns == tagged.turns


TEXT = st.text(
    alphabet=st.sampled_from("aBc Maria'-.,@0123456789()[]{}/:\u00e9\u738b\u0301\u0661\n"), min_size=1, max_size=60
)
KINDS = ("NAME", "PHONE", "EMAIL", "DATE_OF_BIRTH", "ADDRESS", "SSN", "MEMBER_ID", "URL", "IP_ADDRESS", "AGE")


@st.composite
def calls_with_spans(draw: st.DrawFn) -> Conversation:
    texts = draw(st.lists(TEXT, min_size=1, max_size=3))
    spans = []
    for turn, text in enumerate(texts):
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            kind = draw(st.sampled_from(KINDS))
            spans.append(PiiSpan(turn=turn, start=start, end=end, type=kind, source="pattern"))
    turns = tuple(Turn(speaker="customer", text=text) for text in texts)
    return Conversation(id="x", turns=turns, annotations=Annotations(spans=tuple(spans)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(calls_with_spans(), st.sampled_from(STYLES))
def test_no_style_leaves_an_original_in_its_place_and_offsets_stay_true(call: Conversation, style: RedactionStyle):
    before = call.annotations.spans or ()
    once = redact(call, style, key=KEY)
    after = once.annotations.spans or ()
    assert len(after) == len(before)
    for turn, (old, new) in enumerate(zip(call.turns, once.turns, strict=True)):
        olds, news = [s for s in before if s.turn == turn], [s for s in after if s.turn == turn]
        assert _outside(old.text, olds) == _outside(new.text, news)
        for was, now in zip(olds, news, strict=True):
            original, written = old.text[was.start : was.end], new.text[now.start : now.end]
            assert written.strip() and written != original and now.replaced == style
            words = set(re.findall(r"[^\W\d_]{3,}|\d{3,}", original.lower()))
            assert not words & set(re.findall(r"[^\W\d_]+|\d+", written.lower())), (original, written)
    assert redact(once, style, key=KEY) == once


def _outside(text: str, spans: list[PiiSpan]) -> list[str]:
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    return [text[end:start] for end, start in zip(ends, starts, strict=True)]
