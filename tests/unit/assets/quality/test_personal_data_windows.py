"""Calls of megabytes are searched in windows: in bounded memory, and with nothing lost where they are cut."""

import tracemalloc
from collections.abc import Callable

import pytest

from tests.unit.assets.quality.conftest import read_good_calls
from tip_assets.quality import personal_data
from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.pii import windows
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.persona import PersonalFact

MakeCall = Callable[..., Conversation]
FACTS = (
    PersonalFact(type="NAME", value="Karen Yates"),
    PersonalFact(type="PHONE", value="(415) 555-0143", spoken=("four one five, five five five, oh one four three",)),
)
SAID = "Hi, it's Karen Yates, and my number is four one five, five five five, oh one four three. "
TALK = "So I waited for quite a while and nobody came to the phone at all. "


def small_windows(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(personal_data, "LARGEST_WINDOW", size)
    monkeypatch.setattr(windows, "LARGEST_WINDOW", size)


def test_the_windows_of_a_call_show_all_of_it_and_overlap():
    turns = tuple(Turn(speaker="agent", text=text) for text in ("a" * 450_000, "", "b c " * 60_000, "d"))
    seen = [bytearray(len(turn.text)) for turn in turns]
    for parts, first, offset in windows.windows_of(turns):
        assert sum(len(part.text) for part in parts) <= windows.LARGEST_WINDOW
        for number, part in enumerate(parts):
            start = 0 if number else offset
            assert turns[first + number].text[start : start + len(part.text)] == part.text
            for place in range(start, start + len(part.text)):
                seen[first + number][place] += 1
    assert all(min(counts, default=1) == 1 for counts in seen)
    assert max(seen[0]) == 2


@pytest.mark.parametrize("before", (0, 700, 1_500))
def test_a_fact_is_found_wherever_windows_are_cut(monkeypatch: pytest.MonkeyPatch, make_call: MakeCall, before: int):
    small_windows(monkeypatch, 6_000)
    talk = TALK * 70
    text = talk[: 4_500 + before] + " " + SAID + talk
    (name, number) = find_spans(make_call(text), FACTS)
    assert text[name.start : name.end] == "Karen Yates"
    assert text[number.start : number.end] == "four one five, five five five, oh one four three"


def test_a_long_call_has_the_spans_it_has_in_one_piece(monkeypatch: pytest.MonkeyPatch):
    turns = tuple(turn for call in read_good_calls() for turn in call.turns)
    call = Conversation(id="1", turns=turns[:100])
    whole = {(span.turn, span.start, span.end) for span in find_spans(call)}
    small_windows(monkeypatch, 9_000)
    cut = {(span.turn, span.start, span.end) for span in find_spans(call)}
    assert len(whole) > 5
    assert whole <= cut


def test_a_name_is_found_again_in_later_windows(monkeypatch: pytest.MonkeyPatch, make_call: MakeCall):
    small_windows(monkeypatch, 6_000)
    text = "My name is Zorblatt. " + TALK * 200 + "Ask for that Zorblatt person. "
    assert [text[span.start : span.end] for span in find_spans(make_call(text))] == ["Zorblatt", "Zorblatt"]


@pytest.mark.slow
def test_spaced_digits_take_no_more_memory_in_a_longer_turn(monkeypatch: pytest.MonkeyPatch, make_call: MakeCall):
    small_windows(monkeypatch, 10_000)
    find_spans(make_call("Hello, 415-555-0143?"), FACTS)
    peaks = []
    for length in (20_000, 80_000):
        call = make_call(("4 1 5 5 5 5 0 1 9 9 " * length)[:length])
        tracemalloc.start()
        (span,) = find_spans(call, FACTS)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert span.end - span.start >= length - 1
    assert peaks[1] < 1.3 * peaks[0]
