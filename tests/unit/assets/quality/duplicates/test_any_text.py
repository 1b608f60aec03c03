"""Whatever a call says, it has a sketch and a verdict."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tip_assets.quality.duplicates.bodies import MOST_WORDS, joined_words
from tip_assets.quality.duplicates.compare import compare
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.sketches import sketches
from tip_assets.quality.duplicates.words import words_of_calls
from tip_resources.domain.conversation import Conversation, Turn

# Surrogates included: imports hold them.
ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=60)
CALLS = st.lists(st.lists(ANY_TEXT, max_size=4), max_size=6)


def call(id: str, *texts: str) -> Conversation:
    return Conversation(id=id, turns=tuple(Turn(speaker="customer", text=text) for text in texts))


@settings(deadline=None, max_examples=50)
@given(CALLS)
def test_every_call_gets_a_sketch_and_equals_itself(texts: list[list[str]]) -> None:
    made = sketches([call(str(number), *said) for number, said in enumerate(texts)])
    assert [sketch.id for sketch in made] == [str(number) for number in range(len(texts))]
    assert all(compare(sketch, sketch).method == "exact" for sketch in made)
    assert len(DuplicateIndex().find_or_add_all(made)) == len(made)


@settings(deadline=None, max_examples=50)
@given(CALLS)
def test_a_call_has_the_same_sketch_alone_and_in_a_batch(texts: list[list[str]]) -> None:
    calls = [call(str(number), *said) for number, said in enumerate(texts)]
    assert sketches(calls) == [sketch for one in calls for sketch in sketches([one])]


@pytest.mark.parametrize(
    "texts",
    [(), ("",), ("   ", "..."), ("\x00\x1e\x1f\x7f",), ("\ud800 and \udfff",), ("\U0001f600" * 9,), ("one",)],
    ids=["no turn", "empty", "no word", "control characters", "lone surrogates", "emoji", "one word"],
)
def test_a_call_without_words_is_kept_and_found_again(texts: tuple[str, ...]) -> None:
    first, second = sketches([call("1", *texts), call("2", *texts)])
    matches = DuplicateIndex().find_or_add_all([first, second])
    assert matches[0] is None
    assert matches[1] is not None
    assert matches[1].method == "exact"


def edited(words: list[str], rng: random.Random, other: str) -> list[str]:
    return [other if rng.random() < 0.1 else word for word in words]


@pytest.mark.parametrize(
    ("first_letter", "letters", "size", "other"),
    [(0x0430, 30, 4, "\u0451"), (0x05D0, 22, 4, "\u05f0"), (0x4E00, 300, 1, "\u98de"), (0x0E01, 40, 3, "\u0e2f")],
    ids=["Cyrillic", "Hebrew", "Chinese, without spaces", "Thai, without spaces"],
)
def test_other_scripts_have_near_duplicates_too(first_letter: int, letters: int, size: int, other: str) -> None:
    rng = random.Random(3)
    alphabet = [chr(first_letter + number) for number in range(letters)]
    between = " " if first_letter < 0x0E00 else ""
    words, unlike = (["".join(rng.choices(alphabet, k=size)) for _ in range(120)] for _ in range(2))
    original, copy = call("1", between.join(words)), call("2", between.join(edited(words, rng, other * size)))
    new = call("3", between.join(unlike))
    matches = DuplicateIndex().find_or_add_all(sketches([original, copy, new]))
    assert [match and match.method for match in matches] == [None, "near", None]


def test_words_are_cut_without_capitals_marks_and_apostrophes() -> None:
    words = words_of_calls(["Don't STOP, please!", "dont stop\nplease", "Don\u2019t \uff33top please"])
    assert words.starts.tolist() == [0, 3, 6, 9]
    assert words.hashes[:3].tolist() == words.hashes[3:6].tolist() == words.hashes[6:].tolist()


def test_text_in_capitals_has_no_names() -> None:
    words = words_of_calls(["PLEASE SEND THE NEW ROUTER TO ANGELA BECAUSE NOBODY CAME", "Please ask Angela"])
    assert not words.is_masked[: words.starts[1]].any()
    assert words.is_masked[words.starts[1] :].tolist() == [False, False, True]


@pytest.mark.slow
def test_a_turn_of_ten_megabytes_has_a_small_body_and_finds_its_copy() -> None:
    rng = random.Random(5)
    # 60,000 different words, so that the sample of them is fair.
    vocabulary = [f"w{''.join(rng.choices('abcdefghij', k=6))}" for _ in range(60_000)]
    words = rng.choices(vocabulary, k=1_250_000)
    made = sketches([call("1", " ".join(words)), call("2", " ".join(words[:-2000])), call("3", " ".join(words[::-1]))])
    bodies = [sketch.body for sketch in made]
    words, _ = joined_words(bodies, bodies)
    assert all(0 < size <= MOST_WORDS for size in words.sizes)
    assert [match and match.method for match in DuplicateIndex().find_or_add_all(made)] == [None, "near", None]
