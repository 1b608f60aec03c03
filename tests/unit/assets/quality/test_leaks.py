"""The independent check finds what a detector might leave, and nothing where there is nothing."""

from collections.abc import Callable

import pytest

from tip_assets.quality.leaks import leaked_facts
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.persona import PersonalFact

NAME = PersonalFact(type="NAME", value="Maria O'Neil-Santos", spoken=("Maria Santos",))
WORD = PersonalFact(type="NAME", value="Will May")
PHONE = PersonalFact(
    type="PHONE", value="(415) 555-0171", spoken=("four one five, five five five, oh one seventy-one",)
)
BIRTH = PersonalFact(type="DATE_OF_BIRTH", value="03/12/1984", spoken=("March twelfth, nineteen eighty-four",))
EMAIL = PersonalFact(
    type="EMAIL", value="maria_s84@example.com", spoken=("maria underscore s eighty four at example dot com",)
)
MEMBER = PersonalFact(type="MEMBER_ID", value="XKJ447190228")
ADDRESS = PersonalFact(
    type="ADDRESS", value="1420 Maple Street, Springfield, IL 62704", spoken=("fourteen twenty Maple Street",)
)
FACTS = (NAME, WORD, PHONE, BIRTH, EMAIL, MEMBER, ADDRESS)


def leaks(make_call: Callable[..., Conversation], *texts: str) -> tuple[str, ...]:
    return leaked_facts(make_call(*texts), FACTS)


@pytest.mark.parametrize(
    ("text", "leak"),
    [
        ("it's maria o'neil santos", "NAME"),
        ("hello SANTOS", "NAME part"),
        ("s-a-n-t-o-s", "NAME spelled"),
        ("thanks Will, bye", "NAME part"),
        ("log in as MariaSantos2", "NAME as a user name"),
        ("it's santosm", "NAME as a user name"),
        ("it's m_santos77", "NAME part"),
        ("wmay5 is the login", "NAME as a user name"),
        ("Will May called", "NAME"),
        ("415.555.0171", "PHONE"),
        ("four one five five five five zero one seventy one", "PHONE"),
        ("four one five triple five oh one seven one", "PHONE"),
        ("ends in 0171", "PHONE last four digits"),
        ("ends in oh one seven one, yes", "PHONE last four digits"),
        ("born March 12, 1984", "DATE_OF_BIRTH day and month"),
        ("on the 12th of march", "DATE_OF_BIRTH day and month"),
        ("march the twelfth", "DATE_OF_BIRTH day and month"),
        ("03121984", "DATE_OF_BIRTH"),
        ("maria_s84@example.com", "EMAIL"),
        ("maria underscore s 84 at example dot com", "EMAIL"),
        ("my login is maria s 84", "EMAIL name"),
        ("XKJ-447-190-228", "MEMBER_ID"),
        ("it's 0228 at the end", "MEMBER_ID last four digits"),
        ("I live at fourteen twenty maple street.", "ADDRESS"),
    ],
)
def test_what_is_left_is_found(make_call, text: str, leak: str):
    assert leak in leaks(make_call, "Hello [NAME], how can I help?", text)


def test_a_number_split_over_turns_is_found(make_call):
    assert "PHONE" in leaks(make_call, "go on", "four one five", "yes", "five five five", "okay", "oh one seventy one")


@pytest.mark.parametrize(
    "text",
    [
        "[NAME], [PHONE], [DATE_OF_BIRTH] and [EMAIL]",
        "Will you hold? May I ask? I will, I may, in May.",
        "It costs $41.55 and 5,550 dollars.",
        "at 02:28 on 02/28",
        "March 13th or April 12th",
        "March 12, 2026",
        "the marias and the santosh",
        "to wmay and the msantosh",
        "415 reasons and 555 more",
        "maple syrup from Illinois",
    ],
)
def test_what_is_not_there_is_not_found(make_call, text: str):
    assert leaks(make_call, "Hello, how can I help?", text) == ()


def test_the_answer_never_holds_the_fact(make_call):
    found = leaks(
        make_call, "Maria O'Neil-Santos, (415) 555-0171, maria_s84@example.com, 1420 Maple Street, March 12, 1984"
    )
    assert len(found) >= 5
    assert not any(char.isdigit() for leak in found for char in leak)
    assert not any("maria" in leak.lower() for leak in found)


def test_without_facts_there_is_nothing_to_leak(make_call):
    assert leaked_facts(make_call("Maria"), ()) == ()
