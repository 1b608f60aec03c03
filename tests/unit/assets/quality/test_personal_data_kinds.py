"""Each detector finds what it is for, by name, and leaves alone what only looks like it."""

from collections.abc import Callable

import pytest

from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.pii.checks import (
    is_dea_number,
    is_imei,
    is_npi,
    is_routing_number,
    is_vin,
)
from tip_resources.domain.conversation import Conversation

MakeCall = Callable[..., Conversation]


def found(call: Conversation, turn: int = 1) -> list[tuple[str, str]]:
    text = call.turns[turn].text
    return [(text[span.start : span.end], span.type) for span in find_spans(call) if span.turn == turn]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # names nobody introduced
        ("I think it was Karen Yates who said so.", [("Karen Yates", "NAME")]),
        ("So I asked Priya about it.", [("Priya", "NAME")]),
        ("It's a Solis 9 phone.", []),
        ("I mean Skyline Cellular. It's Skyline Cellular.", []),
        ("My plan is the Gold PPO 1000 of this member.", []),
        ("It is about the Hernandez account, right?", [("Hernandez", "NAME")]),
        ("Maria, are you there?", [("Maria", "NAME")]),
        ("Somebody, Maria Kowalczyk, signed it.", [("Maria Kowalczyk", "NAME")]),
        # places
        ("I live in Corvallis now.", [("Corvallis", "ADDRESS")]),
        ("It is in Dayton, Ohio, I think.", [("Dayton", "ADDRESS")]),
        ("Somewhere in Pinecrest County.", [("Pinecrest County", "ADDRESS")]),
        ("My sister drove up from Philadelphia.", [("Philadelphia", "ADDRESS")]),
        # ages
        ("She is 93 years old.", [("93", "AGE")]),
        ("My father turned ninety-one.", [("ninety-one", "AGE")]),
        ("A 102 year old should not wait.", [("102", "AGE")]),
        # numbers with check digits and words
        ("The NPI is 1234567893.", [("1234567893", "NPI")]),
        ("My Medicare number is 1EG4-TE5-MK73.", [("1EG4-TE5-MK73", "MEDICARE_ID")]),
        ("It says 1EG4TE5MK73 on it.", [("1EG4TE5MK73", "MEDICARE_ID")]),
        ("one E G four, T E five, M K seven three is on my Medicare card", [
            ("one E G four, T E five, M K seven three", "MEDICARE_ID")]),
        ("The DEA number is AB1234563.", [("AB1234563", "LICENSE_NUMBER")]),
        ("My passport is K48151623.", [("K48151623", "PASSPORT_NUMBER")]),
        ("It shows 356938035643809.", [("356938035643809", "DEVICE_ID")]),
        ("It is the blue one, plate 7 A B C 1 2 3.", [("7 A B C 1 2 3", "LICENSE_PLATE")]),
        ("My vehicle is one H G C M eight two six three three A oh oh four three five two.", [
            ("one H G C M eight two six three three A oh oh four three five two", "VEHICLE_IDENTIFICATION_NUMBER")]),
        ("It says fe80::1ff:fe23:4567:890a here.", [("fe80::1ff:fe23:4567:890a", "IP_ADDRESS")]),
        # signing in
        ("My username is karen_yates7.", [("karen_yates7", "USERNAME")]),
        ("The password was Sunny4711! and it fails.", [("Sunny4711", "PASSWORD")]),
        ("I wrote to @karen_yates on there.", [("@karen_yates", "USERNAME")]),
        # spelled
        ("it's k a r e n dot y a t e s four two at example dot com", [
            ("k a r e n dot y a t e s four two at example dot com", "EMAIL")]),
        ("Our fax is (212) 555-0143.", [("(212) 555-0143", "PHONE")]),
    ],
)  # fmt: skip
def test_a_kind_is_found_and_named(make_call: MakeCall, text: str, expected: list[tuple[str, str]]):
    assert found(make_call("Go on.", text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        # names that are words, makes and places
        "I may go, and I will ask Mark it down as paid.",
        "The rose is dead, and the lily has not bloomed since spring.",
        "Amazon delivered it by noon, no idea why.",
        "Blue Shield of California said the same thing.",
        "I bought the Dyson at Best Buy.",
        "We stopped on Parker Street and at Santa Clara Hospital.",
        "Our plan is for Georgia and Virginia.",
        # states and counties in general
        "I live in Texas.",
        "That is up to the County.",
        "I live in a small house.",
        # ages below 90, and numbers that are no age
        "She's 42 years old and he's 65.",
        "He is 95 percent sure, she was 100 miles away.",
        "I waited ninety-five minutes.",
        # signing in without saying with what
        "My password is wrong and my username is gone.",
        "The login is broken.",
        # numbers that fail their check, or are too short to be anyone's
        "I'd give it a nine out of ten, honestly.",
        "My blood pressure was 135 over 85.",
        "The error code is 404, or maybe it was 503.",
        "I read chapter eleven, page 212.",
        "We meet at 4:45, or 5.",
    ],
)
def test_what_only_looks_personal_stays(make_call: MakeCall, text: str):
    assert found(make_call("Go on.", text)) == []


def test_a_name_of_no_list_is_found_where_it_is_introduced_only(make_call: MakeCall):
    assert found(make_call("Go on.", "So Zbyszka looked at it.")) == []
    call = make_call("Hi, my name is Zbyszka.", "So Zbyszka looked at it.")
    assert found(call) == [("Zbyszka", "NAME")]


def test_in_lower_case_the_answer_to_a_question_for_a_name_is_one(make_call: MakeCall):
    call = make_call("could i have your full name please?", "sure, it's karen yates.")
    assert found(call) == [("karen yates", "NAME")]


def test_the_answer_to_a_question_for_a_city_is_one(make_call: MakeCall):
    assert found(make_call("What city is that?", "Corvallis, Oregon.")) == [("Corvallis", "ADDRESS")]


def test_a_number_far_from_its_announcement_is_named_by_its_check_digit(make_call: MakeCall):
    call = make_call("What is the routing number?", "Let me look, one second please.", "Sure.", "So. 021000021.")
    assert found(call, 3) == [("021000021", "BANK_ROUTING")]


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (is_npi, "1234567893", "1234567894"),
        (is_npi, "1234567893", "3234567893"),
        (is_routing_number, "021000021", "021000022"),
        (is_routing_number, "121042882", "991042882"),
        (is_vin, "1HGCM82633A004352", "1HGCM82643A004352"),
        (is_vin, "1M8GDM9AXKP042788", "1M8GDM9AXKP04278O"),
        (is_imei, "356938035643809", "356938035643800"),
        (is_imei, "490154203237518", "378282246310005"),
        (is_dea_number, "AB1234563", "AB1234564"),
    ],
)
def test_check_digits(check: Callable[[str], bool], right: str, wrong: str):
    assert check(right)
    assert not check(wrong)
