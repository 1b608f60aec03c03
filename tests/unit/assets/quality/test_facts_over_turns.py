"""Facts that are said piece by piece, the other speaker between."""

from collections.abc import Callable

import pytest

from tip_assets.quality.leaks import leaked_facts
from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.scrubbing import redact
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.persona import PersonalFact

MakeCall = Callable[..., Conversation]
BIRTH = PersonalFact(type="DATE_OF_BIRTH", value="10/09/1973")
HOME = PersonalFact(type="ADDRESS", value="1420 Maple Street, Dayton, OH 45402")
LAST_NAME = PersonalFact(type="NAME", value="Santos")
CARD = PersonalFact(type="CREDIT_DEBIT_NUMBER", value="4111 2345 6789 0123")


@pytest.mark.parametrize(("month", "day"), [("October", "ninth"), ("it's october", "the ninth, yes"), ("October", "9")])
def test_a_day_that_follows_its_month_in_another_turn_is_found(make_call: MakeCall, month: str, day: str):
    call = make_call("Your birthday?", month, "mm-hmm", day)
    assert {span.turn for span in find_spans(call, (BIRTH,))} == {1, 3}


def test_a_month_beside_another_day_is_nobodys_birthday(make_call: MakeCall):
    call = make_call("Since when?", "October", "mm-hmm", "the tenth, I think", "And now?", "nine of them")
    assert find_spans(call, (BIRTH,)) == ()


def test_a_number_said_one_digit_a_turn_is_found_whole(make_call: MakeCall):
    turns = ["The card?"]
    for digit in "4111234567890123":
        turns += [digit, "mm-hmm"]
    redacted = redact(make_call(*turns), "type_tag", (CARD,))
    assert not [turn.text for turn in redacted.turns if turn.text.isdigit()]


@pytest.mark.parametrize(
    ("texts", "leak"),
    [
        (("October", "mm-hmm", "ninth"), "DATE_OF_BIRTH day and month"),
        (("in October 1973",), "DATE_OF_BIRTH month and year"),
        (tuple("41112345"), "CREDIT_DEBIT_NUMBER in part"),
    ],
)
def test_the_independent_check_finds_them_as_well(make_call: MakeCall, texts: tuple[str, ...], leak: str):
    said = [text for word in texts for text in (word, "mm-hmm")] if len(texts) > 3 else list(texts)
    assert leak in leaked_facts(make_call(*said, first="customer"), (BIRTH, CARD))


@pytest.mark.parametrize(
    ("fact", "text", "leak"),
    [
        (HOME, "one four two oh maple street", "ADDRESS street"),
        (HOME, "four five four oh two", "ADDRESS ZIP"),
        (LAST_NAME, "S as in Sam, A as in apple, N, T, O as in orange, S", "NAME spelled"),
        (LAST_NAME, "it is San\u200btos", "NAME"),
    ],
)  # fmt: skip
def test_the_independent_check_reads_spelling_words_and_invisible_signs(
    make_call: MakeCall, fact: PersonalFact, text: str, leak: str
):
    assert leak in leaked_facts(make_call(text), (fact,))
