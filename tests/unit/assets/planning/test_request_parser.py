"""Requests in plain words: what is understood, what is said not to be, and what is refused."""

import random

import pytest

from tip_assets.planning.domain_library import load_libraries
from tip_assets.planning.request_parser import MAX_REQUEST_CHARACTERS, parse_request, suggest_name
from tip_assets.planning.spec_checks import check_spec
from tip_resources.domain.failures import BadInput

LIBRARIES = load_libraries()


def one(text: str):
    drafts = parse_request(text, LIBRARIES).drafts
    assert len(drafts) == 1
    return drafts[0]


def test_the_missions_own_example():
    draft = one("Generate 500 healthcare transcripts with frustrated callers")
    assert (draft.count, draft.domain, draft.emotional_tone, draft.caller_type) == (
        500,
        "healthcare",
        "frustrated",
        "patient",
    )
    assert draft.scenario_templates == ()  # all kinds of healthcare calls
    assert draft.not_understood == ()
    spec = draft.to_spec(name=suggest_name(draft, lambda name: False), seed=3)
    assert spec.name == "healthcare-frustrated-500"
    assert check_spec(spec, LIBRARIES) is spec


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("500", 500), ("1,000", 1000), ("1000", 1000), ("5k", 5000), ("2.5k", 2500), ("1,000,000", 1_000_000),
        ("five hundred", 500), ("five hundred and ten", 510), ("two thousand five hundred", 2500),
        ("twenty-five", 25), ("twenty five", 25), ("one hundred and twenty-five", 125), ("fifteen hundred", 1500),
        ("a dozen", 12), ("two dozen", 24), ("half a dozen", 6), ("a hundred", 100), ("a couple of hundred", 200),
        ("a couple hundred", 200), ("a couple of", 2), ("3 thousand", 3000), ("2.5 thousand", 2500), ("1", 1),
        ("half a million", 500_000), ("one", 1), ("ninety nine", 99), ("a thousand", 1000), ("10K", 10_000),
        ("nine hundred ninety nine thousand nine hundred ninety nine", 999_999),
    ],
)  # fmt: skip
def test_counts_in_digits_and_words(words: str, count: int):
    assert one(f"Generate {words} healthcare calls").count == count
    assert one(f"Angry healthcare callers, {words} transcripts").count == count


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("50 medical calls", "healthcare"), ("50 health care calls", "healthcare"),
        ("50 calls from patients", "healthcare"), ("50 calls to a doctor's office", "healthcare"),
        ("50 telecom calls", "telecommunications"), ("50 calls to a phone company", "telecommunications"),
        ("50 calls to an internet provider", "telecommunications"), ("50 tech support calls", "telecommunications"),
        ("50 calls to a shop", "retail"), ("50 e-commerce calls", "retail"), ("50 ecommerce calls", "retail"),
        ("50 customer service calls at a store", "retail"), ("50 calls about refunds", "retail"),
        ("50 calls about insurance denials", "healthcare"), ("HEALTHCARE x 50", "healthcare"),
        ("50 healthcare customer service calls", "healthcare"), ("telecommunications", "telecommunications"),
    ],
)  # fmt: skip
def test_domains_by_name_and_by_other_words(text: str, domain: str):
    assert one(text).domain == domain


@pytest.mark.parametrize(
    ("words", "tone"),
    [
        ("frustrated", "frustrated"), ("annoyed", "frustrated"), ("angry", "angry"), ("furious", "angry"),
        ("calm", "calm"), ("happy", "happy"), ("worried", "anxious"), ("confused", "confused"), ("sad", "sad"),
        ("impatient", "impatient"), ("neutral", "neutral"), ("frustrated and angry", "angry"),
    ],
)  # fmt: skip
def test_tones(words: str, tone: str):
    assert one(f"10 retail calls with {words} callers").emotional_tone == tone


@pytest.mark.parametrize(
    ("words", "caller_type"),
    [
        ("patients", "patient"), ("caregivers", "caregiver"), ("frustrated female callers", "female patient"),
        ("elderly patients", "elderly patient"), ("elderly women", "elderly female patient"),
        ("young men", "young male patient"), ("callers", "patient"), ("men and women", "patient"),
        ("caregivers of elderly patients", "caregiver"), ("mothers", "female parent"),
        ("older caregivers", "elderly caregiver"), ("middle-aged members", "middle_aged patient"),
    ],
)  # fmt: skip
def test_callers(words: str, caller_type: str):
    draft = one(f"10 healthcare calls from {words}")
    assert draft.caller_type == caller_type
    check_spec(draft.to_spec(name="a", seed=1), LIBRARIES)


def test_complexity_language_mode_and_templates():
    draft = one("20 long two-agent calls in Spanish about insurance denials and appointments")
    assert draft.complexity == "complex"
    assert draft.mode == "two_agent"
    assert draft.language == "es"
    assert draft.scenario_templates == ("insurance_denial", "appointment_scheduling")
    assert draft.not_understood == ()
    assert one("20 short retail calls").complexity == "simple"
    assert one("20 retail calls en espa\u00f1ol").language == "es"


def test_several_requests_in_one_sentence():
    first, second = parse_request(
        "200 healthcare calls with angry patients and 100 retail returns in Spanish", LIBRARIES
    ).drafts
    assert (first.count, first.domain, first.emotional_tone, first.language) == (200, "healthcare", "angry", "en")
    assert (second.count, second.domain, second.language) == (100, "retail", "es")
    assert second.scenario_templates == ("return_request",)


def test_what_is_said_once_for_several_parts_is_shared_and_said():
    first, second = parse_request("100 healthcare and 50 retail calls in Spanish", LIBRARIES).drafts
    assert (first.language, second.language) == ("es", "es")
    assert "language es (as in the part after)" in first.understood
    parts = parse_request("100 healthcare calls with calm patients, 200 with angry ones; then 5 long ones", LIBRARIES)
    assert [(d.domain, d.emotional_tone, d.complexity) for d in parts.drafts] == [
        ("healthcare", "calm", "simple"),
        ("healthcare", "angry", "simple"),
        ("healthcare", "neutral", "complex"),
    ]


@pytest.mark.parametrize(
    ("text", "not_understood"),
    [
        ("500 healthcare calls by tea", ("tea",)),
        ("500 healthcare calls about broken robots by Friday 5 pm", ("broken robots", "Friday 5 pm")),
        ("Klingon retail calls", ("Klingon",)),
        ("retail calls that are not angry", ("not angry",)),
        ("retail calls without angry customers", ("without angry",)),
        ("retail calls about insurance denials", ("insurance denials",)),
        ("healthcare calls of 30 minutes", ("30 minutes",)),
        ("500 calls about an iPhone 15 screen, retail", ("iPhone 15 screen",)),
        ("hundreds of medical calls", ("hundreds",)),
        ("long hold times at a hospital", ("long hold times",)),
        ("Generate healthcare calls, please!", ()),
    ],
)
def test_what_is_not_understood_is_said_word_for_word(text: str, not_understood: tuple[str, ...]):
    parsed = parse_request(text, LIBRARIES)
    assert parsed.not_understood == not_understood


def test_defaults_are_said():
    draft = one("retail calls")
    assert draft.count == 100
    assert {"count 100", "tone neutral", "complexity simple", "language en", "caller type shopper"} <= set(
        draft.defaults
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the request is empty"),
        ("  \n\t ... !", "the request is empty"),
        ("\x00\x01", "the request is empty"),
        ("generate minus five healthcare calls", "cannot make minus five calls"),
        ("-5 healthcare calls", "cannot make -5 calls"),
        ("0 retail calls", "cannot make 0 calls"),
        ("zero retail calls", "cannot make zero calls"),
        ("2.5 retail calls", "not a whole number"),
        ("1.000 retail calls", "two ways"),
        ("two million retail calls", "more than one data set can hold"),
        ("9" * 5000 + " retail calls", "more than one data set can hold"),
        ("5 and 10 healthcare transcripts", "not clear how many calls are wanted: '5' or '10'"),
        ("between 5 and 10 healthcare transcripts", "not clear how many"),
        ("5-10 healthcare transcripts", "not clear how many"),
        ("5 or 6 healthcare transcripts", "not clear how many"),
        ("short complex healthcare calls", "'short' and 'complex' are two lengths"),
        ("calm angry healthcare callers", "'calm' and 'angry' are two tones"),
        ("healthcare calls in Spanish and French", "'Spanish' and 'French' are two languages"),
        ("healthcare calls from caregivers and parents", "'caregivers' and 'parents' are two callers"),
        ("young elderly healthcare callers", "are two ages"),
        ("100 healthcare or retail calls", "'healthcare' and 'retail' are two domains"),
        ("healthcare calls, 15 of them angry", "'15 of them' asks for a part"),
        ("healthcare calls with 30% angry callers", "'30% angry' asks for a part"),
        (
            "astronomy transcripts",
            r"no domain 'astronomy'\. Known domains: healthcare, retail.*domains/astronomy\.yaml",
        ),
        ("a million calls by tea", "Known domains: healthcare"),
        ("500", "does not say which domain"),
        ("500 calls", "does not say which domain"),
        ("billing dispute calls", "'billing dispute' can be a call of healthcare or retail or telecommunications"),
        ("calls about prescriptions and gift cards", "do not belong to one domain"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(text: str, message: str):
    with pytest.raises(BadInput, match=message):
        parse_request(text, LIBRARIES)


def test_a_book_is_not_a_request():
    with pytest.raises(BadInput, match="20,000 is the most"):
        parse_request("healthcare " * MAX_REQUEST_CHARACTERS, LIBRARIES)


def test_fifty_data_sets_are_the_most_in_one_request():
    text = ", ".join(f"{n} retail calls" for n in range(1, 60))
    with pytest.raises(BadInput, match="at most 50"):
        parse_request(text, LIBRARIES)


def test_every_draft_becomes_a_spec_that_can_be_planned():
    for text in ("angry elderly telecom callers in Italian", "short calls to a pharmacy from parents"):
        for draft in parse_request(text, LIBRARIES).drafts:
            check_spec(draft.to_spec(name="a", seed=1, query=text), LIBRARIES)


def test_suggested_names_are_free_and_say_what_the_set_holds():
    draft = one("Generate 500 healthcare transcripts with frustrated callers")
    taken = {"healthcare-frustrated-500", "healthcare-frustrated-500-2"}
    assert suggest_name(draft, taken.__contains__) == "healthcare-frustrated-500-3"
    draft = one("20 long two-agent calls in Spanish about insurance denials")
    assert suggest_name(draft, lambda name: False) == "healthcare-insurance-denial-complex-es-20"


_WORDS = [
    "200", "five", "hundred", "-", "and", ",", "healthcare", "retail", "angry", "calm", "not", "patients", "%",
    "calls", "billing dispute", "two-agent", "spanish", "of them", "a couple of", "half a million", ".", "1.000",
    "long", "short", "robots", "\x00", "\u00e9t\u00e9", "\u0661\u0662", "10/11", "$5", "minus", "mother",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_ten_thousand_characters_are_read_like_ten(seed: int):
    text = " ".join(random.Random(seed).choices(_WORDS, k=1600))
    assert len(text) > 9_000
    try:
        parse_request(text, LIBRARIES)
    except BadInput as refusal:
        assert len(str(refusal)) < 1000


def test_reading_a_request_twice_gives_the_same():
    text = "200 healthcare calls with angry patients and 100 retail returns in Spanish about robots"
    assert parse_request(text, LIBRARIES) == parse_request(text, LIBRARIES)
