"""The scan that says where to look: the same with either engine, on any input, in linear time."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.assets.quality.conftest import read_good_calls
from tip_assets.quality.personal_data import find_spans
from tip_assets.quality.pii import triggers
from tip_assets.quality.pii.compiled import compiled
from tip_assets.quality.pii.scan import HyperscanScanner, ReScanner, ScanPattern, as_ascii
from tip_resources.domain.conversation import Conversation, Speaker, Turn
from tip_resources.domain.persona import PersonalFact

MakeCall = Callable[..., Conversation]
SAID = (
    "my name is Karen Yates, four one five, five five five, oh one four three, karen dot yates at example dot com",
    "born March 12, 1984 at 88 North Elm Avenue, Dayton, OH 45402, SSN 536-90-4399",
    "My card is 4012 8888 8888 1881, the MRN 4471902, plate 7ABC123, I'm 93 years old",
)
FULL_WIDTH = "\uff14\uff11\uff15-\uff15\uff15\uff15-\uff12\uff16\uff17\uff11"
FACTS = (
    PersonalFact(type="NAME", value="Karen O'Neil-Yates"),
    PersonalFact(type="PHONE", value="(415) 555-0143", spoken=("four one five, five five five, oh one four three",)),
    PersonalFact(type="EMAIL", value="karen.yates@example.com"),
)


def test_compiled_patterns_are_read_again_and_made_anew_when_their_file_is_broken(tmp_path: Path) -> None:
    hyperscan = pytest.importorskip("hyperscan")
    first = compiled(triggers.patterns(), tmp_path)
    (file,) = tmp_path.iterdir()
    sound = file.read_bytes()
    for broken in (sound[:1000], b"", sound[:5000] + b"?" + sound[5001:]):
        file.write_bytes(broken)
        compiled(triggers.patterns(), tmp_path)
        assert file.read_bytes() == sound
    file.write_bytes(hyperscan.dumpb(compiled([ScanPattern(7, "seven")], tmp_path / "other")))
    hits: list[int] = []
    other = compiled(triggers.patterns(), tmp_path)  # read, not compiled: it is what the file says
    other.scan(b"seven", match_event_handler=lambda kind, *_: hits.append(kind), scratch=hyperscan.Scratch(other))
    assert set(hits) == {7} and first.size() > other.size()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    pytest.importorskip("hyperscan")
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    assert compiled([ScanPattern(7, "seven")], in_the_way).size() > 0


def test_without_hyperscan_the_same_spans_are_found(monkeypatch: pytest.MonkeyPatch, make_call: MakeCall):
    calls = [*read_good_calls(), make_call(*SAID), make_call(*(text.lower() for text in SAID))]
    with_hyperscan = [find_spans(call, facts) for call in calls for facts in ((), FACTS)]
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    forget_scanners()
    try:
        assert isinstance(triggers.scanner(), ReScanner)
        assert isinstance(triggers.fact_scanner(), ReScanner)
        assert [find_spans(call, facts) for call in calls for facts in ((), FACTS)] == with_hyperscan
    finally:
        forget_scanners()


def forget_scanners() -> None:
    triggers.scanner.cache_clear()
    triggers.fact_scanner.cache_clear()


def test_both_engines_see_the_same_turns():
    pytest.importorskip("hyperscan")
    text = "\x00".join(turn.text for call in read_good_calls() for turn in call.turns) + "\x00" + "\x00".join(SAID)
    turn_of = [0]
    for char in text:
        turn_of.append(turn_of[-1] + (char == "\x00"))
    patterns = triggers.patterns() + triggers.fact_patterns()
    seen = [
        {(kind, turn_of[end - 1]) for kind, end in scanner(patterns).scan(as_ascii(text))}
        for scanner in (HyperscanScanner, ReScanner)
    ]
    assert seen[0] == seen[1]
    assert len(seen[0]) > 100


GARBAGE = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from("0123456789 .,-@:+$()'\u2019\u00e9\u0301\u0130\u00df\u0661\uff11\u738b\U0001f600\ud800\x00\n"),
    ),
    max_size=60,
)
TURNS = st.lists(
    st.tuples(st.sampled_from(("agent", "customer")), st.lists(st.one_of(GARBAGE, st.sampled_from(SAID)), max_size=3)),
    max_size=6,
)


@settings(deadline=None, max_examples=150)
@given(TURNS)
def test_spans_of_anything_are_offsets_sorted_and_apart(turns: list[tuple[Speaker, list[str]]]):
    call = Conversation(id="1", turns=tuple(Turn(speaker=speaker, text=" ".join(said)) for speaker, said in turns))
    for facts in ((), FACTS):
        last = (-1, 0)
        for span in find_spans(call, facts):
            assert 0 <= span.start < span.end <= len(call.turns[span.turn].text)
            assert (span.turn, span.start) >= last
            last = (span.turn, span.end)


@given(st.text(st.characters(exclude_categories=())))
def test_the_scanned_text_is_as_long_as_the_text(text: str):
    assert len(as_ascii(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Meine Nummer: +49 30 901820, danke", ["+49 30 901820"]),
        (FULL_WIDTH + " ok", [FULL_WIDTH]),
        ("\U0001f600\U0001f600 call 212-555-0143 \U0001f600", ["212-555-0143"]),
        ("it\u2019s me, karen@example.com \ud800", ["karen@example.com"]),
        ("My name is Jos\u00e9 \u00c1lvarez, hi", ["Jos\u00e9 \u00c1lvarez"]),
        ("", []),
    ],
)  # fmt: skip
def test_scripts_emoji_and_broken_text_do_not_move_offsets(make_call: MakeCall, text: str, expected: list[str]):
    call = make_call(text)
    assert [text[span.start : span.end] for span in find_spans(call)] == expected


def test_a_call_without_turns_has_no_spans():
    assert find_spans(Conversation(id="1", turns=()), FACTS) == ()


@pytest.mark.slow
@pytest.mark.timeout(280)
@pytest.mark.parametrize(
    ("piece", "megabytes"), [("okay so I went there, and then ", 10), ("a ", 10), ("4", 1), ("one two ", 1), ("x@", 1)]
)
def test_a_turn_of_megabytes_is_searched(make_call: MakeCall, piece: str, megabytes: int):
    length = megabytes * 1_000_000
    spans = find_spans(make_call((piece * length)[:length]))
    assert all(span.end <= length for span in spans)


def test_many_threads_may_search_at_once(make_call: MakeCall):
    from concurrent.futures import ThreadPoolExecutor

    calls = [make_call(*random.Random(seed).sample(SAID, 3)) for seed in range(40)]
    expected = [find_spans(call, FACTS) for call in calls]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda call: find_spans(call, FACTS), calls)) == expected
