"""Personal data nobody told us of: by its shape, by the words around it, by where a name stands."""

from collections.abc import Callable

import pytest

from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.pii.checks import is_card_number, is_iban
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.conversation import Conversation

MakeCall = Callable[..., Conversation]


def scrubbed(call: Conversation) -> list[str]:
    return [turn.text for turn in redact(call).turns]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to joe_b+x@mail.example.co.uk please", "write to [EMAIL] please"),
        ("it's j smith 42 at g mail dot com", "it's [EMAIL]"),
        ("my email is first dot last at example dot org, okay?", "my email is [EMAIL], okay?"),
        ("look at northwind dot com", "look at [URL]"),
        ("see https://example.com/a?b=1 now", "see [URL] now"),
        ("see www.example.com/a", "see [URL]"),
        ("call (212) 555-0143 today", "call [PHONE] today"),
        ("call 212.555.0143", "call [PHONE]"),
        ("call +44 20 7946 0958", "call [PHONE]"),
        ("it's two one two, five five five, oh one four three", "it's [PHONE]"),
        ("my social is 536-90-4399", "my social is [SSN]"),
        ("my social is five three six nine oh four three nine nine", "my social is [SSN]"),
        ("the card is 4012 8888 8888 1881", "the card is [CREDIT_DEBIT_NUMBER]"),
        ("four zero one two, eight eight eight eight, 8888 1881", "[CREDIT_DEBIT_NUMBER]"),
        ("the code on the back is 123", "the code on the back is [CREDIT_DEBIT_CVV]"),
        ("my pin is 4471", "my pin is [PIN]"),
        ("account number 00481523", "account number [ACCOUNT_NUMBER]"),
        ("claim number CLM-88213", "claim number [CLAIM_NUMBER]"),
        ("member ID is W 1 2 3 4 5 6 7 8", "member ID is [MEMBER_ID]"),
        ("my MRN is 4471902", "my MRN is [MEDICAL_RECORD_NUMBER]"),
        ("routing number 021000021", "routing number [BANK_ROUTING]"),
        ("license plate 7ABC123", "license plate [LICENSE_PLATE]"),
        ("VIN 1HGCM82633A004352", "VIN [VEHICLE_IDENTIFICATION_NUMBER]"),
        ("serial number SN48151623", "serial number [DEVICE_ID]"),
        ("IBAN GB82 WEST 1234 5698 7654 32", "IBAN [INTERNATIONAL_BANK_ACCOUNT_NUMBER]"),
        ("from 192.168.10.24", "from [IP_ADDRESS]"),
        ("from 00:1B:44:11:3A:B7", "from [MAC_ADDRESS]"),
        ("I live at 88 North Elm Avenue, Apt 4, Dayton, OH 45402", "I live at [ADDRESS]"),
        ("i live at eighty eight elm street", "i live at [ADDRESS]"),
        ("send it to P.O. Box 1123", "send it to [ADDRESS]"),
        ("my zip code is 45402", "my zip code is [ADDRESS]"),
        ("it was on 02/28/2026", "it was on [DATE]"),
        ("it was on February 28th, 2026", "it was on [DATE]"),
        ("I was born on June 3rd", "I was born on [DATE_OF_BIRTH]"),
        ("My name is Karen Yates, hello", "My name is [NAME], hello"),
        ("my name is karen yates", "my name is [NAME]"),
        ("This is Dr. Okafor speaking", "This is Dr. [NAME] speaking"),
        ("My husband Peter called", "My husband [NAME] called"),
        ("the order is 4815162342", "the order is [REFERENCE_NUMBER]"),
    ],
)
def test_personal_data_is_found_without_knowing_it(make_call: MakeCall, text: str, expected: str):
    assert scrubbed(make_call("How can I help you?", text))[1] == expected


@pytest.mark.parametrize(
    "text",
    [
        "It's $45.20 a month, or 540 dollars a year.",
        "I waited 45 minutes, maybe 50.",
        "It's at 4:45 pm on Monday the 17th.",
        "On March 12th I got the third bill.",
        "I'm calling about my order. I'm Sorry, I mean it.",
        "This is Great. This is what I want.",
        "Thank you for calling Northwind Health.",
        "The 2 of us, 3 kids and 10 gigs of data.",
        "I'm gonna take the 500 milligrams twice a day.",
        "It's a ten minute drive, two ways.",
        "Okay. Sure. Hello? Thanks!",
        "Is it the iPhone 15 or the Galaxy S24?",
        "My plan is the Gold PPO 1000.",
        "I see Dr. on Monday at five with nothing to eat.",
    ],
)
def test_ordinary_talk_stays_as_it_is(make_call: MakeCall, text: str):
    assert scrubbed(make_call("How can I help you?", text))[1] == text


def test_the_question_before_says_what_a_number_is(make_call: MakeCall):
    call = make_call(
        "And your account number?", "sure, 77 41 90 2", "And the ZIP code?", "nine oh two one oh", "Your PIN?", "4471"
    )
    assert scrubbed(call) == [
        "And your account number?", "sure, [ACCOUNT_NUMBER]", "And the ZIP code?", "[ADDRESS]", "Your PIN?", "[PIN]",
    ]  # fmt: skip


def test_the_question_before_says_what_a_name_is(make_call: MakeCall):
    call = make_call("Can I get your last name?", "Sure, Tran. T, R, A, N.", "Thank you. Tran, right?")
    assert scrubbed(call) == ["Can I get your last name?", "Sure, [NAME]. [NAME].", "Thank you. [NAME], right?"]


def test_an_introduced_name_is_found_in_the_rest_of_the_call(make_call: MakeCall):
    call = make_call("Hi, this is Tasha.", "Hi. I talked to you before, Tasha.", "Tasha's notes say so.")
    assert scrubbed(call) == ["Hi, this is [NAME].", "Hi. I talked to you before, [NAME].", "[NAME]'s notes say so."]


def test_everything_found_so_is_marked_as_a_pattern(make_call: MakeCall):
    assert {span.source for span in find_spans(make_call("This is Tasha, 212-555-0143"), ())} == {"pattern"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111", True),
        ("378282246310005", True),
        ("4111 1111 1111 1112", False),
        ("0000 0000 0000 0000", False),
        ("79927398713", False),
    ],
)
def test_card_numbers_are_told_by_their_check_digit(text: str, expected: bool):
    assert is_card_number(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("GB82 WEST 1234 5698 7654 32", True), ("GB83 WEST 1234 5698 7654 32", False)]
)
def test_bank_accounts_are_told_by_their_check_digits(text: str, expected: bool):
    assert is_iban(text) is expected
