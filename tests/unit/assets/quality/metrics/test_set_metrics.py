"""What the metrics say of sets that repeat themselves, of samples, and of calls that cannot be measured."""

import json
import random
from pathlib import Path

import msgspec
import polars as pl
import pytest

from tip_assets.quality.features.style_figures import FIGURES, style_figures, turn_taking_entropy
from tip_assets.quality.metrics.analysis import Analysis, analyse
from tip_assets.quality.metrics.distances import distance
from tip_assets.quality.metrics.files import write_analysis
from tip_assets.quality.metrics.measured_set import NO_WORDS, ONE_SPEAKER, TOO_LONG, UNSPACED
from tip_assets.quality.metrics.ngrams import NgramTable
from tip_assets.quality.metrics.sampling import (
    MOST_CHARACTERS,
    Sampled,
    sample_of,
    sample_of_calls,
    sample_of_set,
)
from tip_assets.quality.realism.reference import Reference
from tip_resources.domain.conversation import Conversation, Speaker, Turn
from tip_resources.storage.sets import write_set


def as_reference(calls: list[Conversation]) -> Reference:
    return Reference(name="hand-written", is_built_in=False, conversations=tuple(calls))


def analysed(calls: list[Conversation], reference: list[Conversation]) -> Analysis:
    return analyse(sample_of_calls(calls), as_reference(reference))


def call(*turns: tuple[Speaker, str], id: str = "a") -> Conversation:
    return Conversation(id=id, turns=tuple(Turn(speaker=speaker, text=text) for speaker, text in turns))


def test_ngrams_are_counted_within_calls_and_never_across() -> None:
    table = NgramTable([["a", "b", "a", "b"], ["b", "a"], [], ["c"]])
    assert {size: (counts.different, counts.total) for size, counts in table.counts.items()} == {
        1: (3, 7),
        2: (2, 4),
        3: (2, 2),
        4: (1, 1),
    }
    pairs = table.counts[2]
    # "b a" is in the first call and the second; "a b" twice in the first.
    assert sorted(zip(pairs.text.tolist(), pairs.count.tolist(), strict=True)) == [(0, 1), (0, 2), (1, 1)]


def test_a_sample_is_the_same_every_time_and_keeps_the_order() -> None:
    one, other = sample_of(range(10_000), 100), sample_of(iter(range(10_000)), 100)
    assert one == other and one.total == 10_000 and len(one.items) == 100
    assert list(one.items) == sorted(one.items)
    assert 4_000 < sum(one.items) / 100 < 6_000
    assert sample_of(range(3), 100) == Sampled((0, 1, 2), 3)
    assert one.in_words() == "100 of 10,000 calls, drawn with seed 5"


def test_a_stored_set_gives_only_the_rows_that_are_drawn(tmp_path: Path) -> None:
    calls = [msgspec.structs.replace(call(("agent", "Hello.")), index=place) for place in range(500)]
    frame = write_set(calls, Conversation, tmp_path / "set")
    sample = sample_of_set(frame, 20)
    places = [one.index for one in sample.items]
    assert len(places) == 20 == len(set(places)) and places == sorted(places) and sample.total == 500
    assert sample == sample_of_set(frame, 20)
    assert sample_of_set(frame, 500).is_whole


def test_a_sample_of_long_calls_has_fewer_of_them() -> None:
    def size(item: int) -> int:
        return 10 if item % 2 else 1

    sample = sample_of(range(10_000), 100, room=200, room_of=size)
    assert sample == sample_of(range(10_000), 100, room=200, room_of=size)
    assert 100 < sum(map(size, sample.items)) <= 200 and sample.total == 10_000
    assert len(sample.items) > 10 and max(sample.items) > 5_000, "drawn from all of them"
    roomy = sample_of(range(10_000), 100, room=10_000, room_of=size)
    assert roomy == sample_of(range(10_000), 100), "what fits is the same sample as ever"
    assert sample_of([3, 5], room=1, room_of=size).items in ((3,), (5,)), "one item always stays"


def test_a_call_that_is_too_long_takes_no_more_room_than_tells_so(good_calls: list[Conversation]) -> None:
    endless = call(("agent", "word " * 150_000), ("customer", "word " * 150_000), ("agent", "bye"), id="endless")
    sample = sample_of_calls([*good_calls, endless])
    assert sum(len(turn.text) for turn in sample.items[-1].turns) == MOST_CHARACTERS + 1
    assert sample.items[:-1] == tuple(good_calls)
    assert analyse(sample, as_reference(good_calls)).left_out == {TOO_LONG: 1}


def test_a_set_that_repeats_itself_is_less_diverse_than_its_reference(good_calls: list[Conversation]) -> None:
    repeated = [msgspec.structs.replace(good_calls[place % 2], id=str(place)) for place in range(len(good_calls))]
    found = {metric.name: metric for metric in analysed(repeated, good_calls).metrics}
    for name, is_higher in (
        ("compression_ratio", True),
        ("self_repetition", True),
        ("self_bleu", True),
        ("distinct_2", False),
        ("vendi_score", False),
        ("opening_entropy", False),
    ):
        metric = found[f"{name}_at_equal_size"]
        assert metric.value is not None and metric.reference is not None and metric.distance
        assert (metric.value > metric.reference) is is_higher, name
    assert found["vendi_score"].value == pytest.approx(2, abs=0.2)
    assert found["self_bleu"].value == pytest.approx(1)


def test_calls_like_the_reference_are_not_off_and_damaged_ones_are(good_calls: list[Conversation], damaged) -> None:
    same = analysed(good_calls, good_calls)
    assert same.off == () and same.style_distance == 0
    essays = analysed([damaged("essay language", call, 1) for call in good_calls], good_calls)
    assert any(sentence.startswith("fewer contractions") for sentence in essays.off)
    assert any("longer sentences" in sentence for sentence in essays.off)
    assert (essays.style_distance or 0) > 1


def test_a_spread_tells_where_most_calls_lie(good_calls: list[Conversation]) -> None:
    spread = analysed(good_calls, good_calls).spreads["turns"]
    lengths = sorted(len(call.turns) for call in good_calls)
    assert spread.ours == spread.reference
    assert lengths[0] <= spread.ours[0] <= spread.ours[2] <= spread.ours[4] <= lengths[-1]
    assert lengths[0] < spread.ours[2] < lengths[-1]


def test_chance_explains_a_few_calls_of_the_reference_itself() -> None:
    draw = random.Random(1)
    reference = [draw.gauss(10, 2) for _ in range(200)]
    few = [draw.gauss(10, 2) for _ in range(6)]
    apart = distance(few, reference)
    assert apart.shift is not None and apart.chance > 0.2 and not apart.is_off
    assert distance([value + 4 for value in reference], reference).is_off


def test_a_reference_without_spread_gives_no_deviations_to_measure_in() -> None:
    assert distance([1.0, 1.0], [1.0, 1.0]).shift == 0
    apart = distance([1.0, 2.0], [1.0, 1.0])
    assert apart.shift is None and apart.is_off and apart.largest_gap == 0.5


def test_turn_taking_entropy_tells_order_from_chance() -> None:
    assert turn_taking_entropy(["agent", "customer"] * 10) == 0
    draw = random.Random(2)
    assert turn_taking_entropy([draw.choice(["agent", "customer"]) for _ in range(4_000)]) == pytest.approx(1, abs=0.01)


def test_style_figures_of_a_call_one_by_one() -> None:
    found = style_figures(
        call(
            ("agent", "Thank you for calling. How can I help?"),
            ("customer", "Um, I I mean, my bill is wrong and I'm angry--"),
            ("agent", "Okay."),
            ("agent", "What is wrong with it?"),
            ("customer", "It is terrible."),
            ("customer", "Thanks, you are great."),
            ("customer", "Wonderful, thank you."),
            ("customer", "Bye."),
        )
    )
    assert found["turns"] == 8
    assert found["question_share"] == 2 / 8
    assert found["backchannel_share"] >= 1 / 8
    assert found["cut_off_share"] == 1 / 3
    assert found["doubled_share"] == 4 / 7
    assert found["sentiment_start"] < 0 < found["sentiment_change"]
    # 36 words: one um, one "I mean", one I that is said twice.
    for habit in ("fillers", "hedges", "restarts"):
        assert found[f"{habit}_per_100_words"] == pytest.approx(100 / 36)
    assert "overlap_share" not in found
    assert set(found) <= set(FIGURES)


def test_overlap_is_measured_where_times_are_known() -> None:
    turns = tuple(
        Turn(speaker=("agent", "customer")[place % 2], text="Hello there.", start_ms=start, end_ms=start + 1_000)
        for place, start in enumerate((0, 900, 2_000, 3_100))
    )
    assert style_figures(Conversation(id="a", turns=turns))["overlap_share"] == 1 / 3


ODD = {
    NO_WORDS: call(("agent", ""), ("customer", " \u200b!! ")),
    TOO_LONG: call(("agent", "word " * 200_001), ("customer", "Yes.")),
    UNSPACED: call(("agent", "您好 请问有什么可以帮您"), ("customer", "我的账单不对")),
}


@pytest.mark.parametrize("reason", ODD)
def test_a_call_that_cannot_be_measured_is_counted_with_the_reason(reason: str, good_calls: list[Conversation]) -> None:
    found = analysed([*good_calls, ODD[reason]], good_calls)
    assert found.left_out == {reason: 1} and found.measured == len(good_calls)


@pytest.mark.parametrize(
    "calls",
    [
        [],
        [ODD[NO_WORDS]],
        [Conversation(id="a", turns=())],
        [call(("agent", "Hello."))],
        [call(("customer", "\U0001f600 ok \x00 \x07 \U0001f44d"), ("customer", "ok"))],
        [call(("system", "Hold music."), ("system", "More of it."))],
        [call(("agent", "Привет, чем могу помочь?"), ("customer", "hello مرحبا 你好 ok"))] * 6,
    ],
    ids=["nothing", "no words", "no turns", "one turn", "emoji", "system only", "mixed scripts"],
)
def test_odd_sets_have_an_outcome_and_a_reason(
    calls: list[Conversation], good_calls: list[Conversation], tmp_path: Path
) -> None:
    found = analysed(calls, good_calls)
    assert all(metric.detail for metric in found.metrics)
    assert all(metric.value is None or metric.value == metric.value for metric in found.metrics)
    write_analysis(tmp_path, "odd", found, {})
    assert json.loads((tmp_path / "metrics.json").read_text())["calls"] == len(calls)


def test_one_speaker_is_noted_and_measured(good_calls: list[Conversation]) -> None:
    monologue = call(("agent", "Hello there, is anybody on the line?"), ("agent", "I can not hear you."))
    found = analysed([*good_calls, monologue], good_calls)
    assert found.notes == {ONE_SPEAKER: 1} and found.measured == len(good_calls) + 1


def test_without_a_reference_nothing_is_compared_and_that_is_said(good_calls: list[Conversation]) -> None:
    found = analyse(sample_of(good_calls), Reference(name="none: gone", is_built_in=False, conversations=()))
    assert found.off == () and found.style_distance is None
    assert all(metric.reference is None and metric.distance is None for metric in found.metrics)
    turns = next(metric for metric in found.metrics if metric.name == "turns")
    assert turns.value and "too few to compare" in turns.detail


def test_the_page_escapes_what_it_is_given(good_calls: list[Conversation], tmp_path: Path) -> None:
    evil = msgspec.structs.replace(as_reference(good_calls), name="<script>alert(1)</script>")
    write_analysis(tmp_path, "<b>x", analyse(sample_of(good_calls), evil), {})
    page = (tmp_path / "metrics.html").read_text()
    assert "<script" not in page and "<b>x" not in page and "http" not in page.replace("http-equiv", "")


def test_the_rows_become_a_set(good_calls: list[Conversation], tmp_path: Path) -> None:
    from tip_resources.domain.set_metric import SetMetric
    from tip_resources.storage.sets import read_set

    rows = analysed(good_calls, good_calls).metrics
    frame = write_set(rows, SetMetric, tmp_path / "set")
    assert tuple(read_set(frame, SetMetric)) == rows
    assert isinstance(frame, pl.LazyFrame)
