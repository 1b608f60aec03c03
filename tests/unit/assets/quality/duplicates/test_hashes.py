"""Exact and normalised duplicates: what is the same, what is not, and who survives."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tip_assets.quality.duplicates.fingerprints import fingerprints
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.sketches import sketches
from tip_resources.domain.conversation import Annotations, Conversation, Turn
from tip_resources.domain.sketch import CallSketch


def call(id: str, *turns: tuple[str, str]) -> Conversation:
    return Conversation(id=id, turns=tuple(Turn(speaker=who, text=text) for who, text in turns))  # type: ignore[arg-type]


def deduplicate(
    calls: Sequence[Conversation], index: DuplicateIndex | None = None
) -> list[tuple[Conversation, DuplicateMatch | None]]:
    """Every call with what it duplicates."""
    return list(zip(calls, (index or DuplicateIndex()).find_or_add_all(sketches(calls)), strict=True))


HELLO = (("agent", "Hello, how can I help?"), ("customer", "My bill is wrong."))


def test_fingerprints_stay_the_same_for_ever_because_delivered_sets_are_found_by_them():
    prints = fingerprints(call("1", *HELLO))
    assert prints.exact == "9c0d403ca2f8056a2d25c84943cc59e6"
    assert prints.normalized == "1514f93786c6abfa894cb663f784b8f7"


def test_ids_times_and_annotations_play_no_part():
    one = call("1", *HELLO)
    turns = tuple(msgspec.structs.replace(turn, start_ms=5, end_ms=9) for turn in one.turns)
    other = Conversation(id="2", domain="retail", turns=turns, annotations=Annotations(extra={"a": 1}))
    assert fingerprints(one) == fingerprints(other)


@pytest.mark.parametrize(
    "turns",
    [
        (("agent", "HELLO how can I help"), ("customer", "my bill, is wrong!!")),
        (("agent", "Hello, how"), ("agent", "can I help?"), ("customer", "My bill is wrong.")),
        (("agent", "Hello, how can I help?"), ("customer", "..."), ("customer", "My   bill\tis\nwrong")),
        (("agent", "\uff28ello, how can I help?"), ("customer", "My bill is wrong\u2026")),
    ],
    ids=["case and punctuation", "cut differently", "a turn without words and spacing", "full-width letters"],
)
def test_formatting_makes_no_new_call(turns: tuple[tuple[str, str], ...]):
    first, second = call("1", *HELLO), call("2", *turns)
    assert fingerprints(first).exact != fingerprints(second).exact
    assert [match for _, match in deduplicate([first, second])] == [
        None,
        DuplicateMatch(id="2", duplicate_of="1", method="normalized", similarity=1.0),
    ]


@pytest.mark.parametrize(
    "turns",
    [
        (("customer", "Hello, how can I help?"), ("agent", "My bill is wrong.")),
        (("agent", "Hello, how can I help?"), ("customer", "My bill is wrong 2.")),
        (("agent", "Hello, how can I help?"), ("customer", "My bell is wrong.")),
    ],
    ids=["speakers swapped", "a number more", "another word"],
)
def test_other_words_or_speakers_make_a_new_call(turns: tuple[tuple[str, str], ...]):
    assert [match for _, match in deduplicate([call("1", *HELLO), call("2", *turns)])] == [None, None]


def test_an_exact_copy_is_named_as_exact():
    matches = [match for _, match in deduplicate([call("1", *HELLO), call("2", *HELLO)])]
    assert matches[1] is not None
    assert matches[1].method == "exact"


def test_calls_without_letters_are_told_apart_by_their_exact_text():
    emoji = [call("1", ("agent", "\U0001f600")), call("2", ("agent", "\U0001f622")), call("3", ("agent", "\U0001f600"))]
    assert [match is None for _, match in deduplicate(emoji)] == [True, True, False]


def test_scripts_with_combining_marks_keep_them():
    assert fingerprints(call("1", ("agent", "\u0915\u093f"))) != fingerprints(call("2", ("agent", "\u0915\u0941")))
    assert (
        fingerprints(call("1", ("agent", "\u0915\u093f"))).normalized
        != fingerprints(call("2", ("agent", "\u0915\u0941"))).normalized
    )


def test_what_was_delivered_before_survives():
    delivered = sketches([call("old", *HELLO)])

    class Delivered:
        def near(self, sketches: Sequence[CallSketch]) -> Mapping[str, Sequence[CallSketch]]:
            return {sketch.id: delivered for sketch in sketches}

    index = DuplicateIndex(Delivered())
    [(_, match)] = deduplicate(
        [call("new", ("agent", "hello how can i help"), ("customer", "MY BILL IS WRONG"))], index
    )
    assert match == DuplicateMatch(id="new", duplicate_of="old", method="normalized", similarity=1.0)


def test_all_later_copies_name_the_first_call():
    copies = [call(str(number), *HELLO) for number in range(4)]
    assert [match.duplicate_of for _, match in deduplicate(copies) if match] == ["0", "0", "0"]


def test_finding_adds_nothing():
    index = DuplicateIndex()
    one, two = sketches([call("1", *HELLO), call("2", *HELLO)])
    assert index.find(one) is None
    assert index.find(two) is None
    index.add(one)
    assert index.find(two) is not None


@given(st.lists(st.lists(st.text(max_size=8), max_size=3), max_size=12))
def test_exactly_one_call_of_each_exact_text_is_kept(texts: list[list[str]]):
    calls = [call(str(n), *(("agent", text) for text in said)) for n, said in enumerate(texts)]
    kept = [conversation for conversation, match in deduplicate(calls) if match is None]
    assert len({fingerprints(c).normalized for c in calls}) == len(kept)
    assert {fingerprints(c).normalized for c in calls} == {fingerprints(c).normalized for c in kept}


def test_broken_unicode_hashes_like_any_other_text():
    assert fingerprints(call("1", ("agent", "\ud800 hello"))) != fingerprints(call("2", ("agent", "hello")))
