"""Who survives of a whole set: what was delivered, then the better score, then the earlier call."""

import random
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tip_assets.quality.duplicates.comparison import Comparison, sketched, word_thresholds
from tip_assets.quality.duplicates.earlier_calls import CallsOfFiles
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.removed import RemovedCall
from tip_assets.quality.duplicates.semantic import CallPair
from tip_assets.quality.duplicates.thresholds import DEFAULT, Thresholds
from tip_assets.quality.duplicates.whole_set import find_survivors, first_survive
from tip_resources.domain.conversation import Annotations, Conversation, Turn
from tip_resources.domain.grade import Grade
from tip_resources.settings.models import QualitySettings

SYLLABLES = ("ba", "do", "fe", "gu", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "wo", "ze", "cha")


def words(seed: int, count: int = 120) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(SYLLABLES, k=3)) for _ in range(count)]


def call(id: str, said: Sequence[str], score: float | None = None) -> Conversation:
    grade = None if score is None else Grade(realism=score, coherence=score, naturalness=score, overall=score)
    turns = tuple(
        Turn(speaker=("agent", "customer")[begin // 12 % 2], text=" ".join(said[begin : begin + 12]))  # type: ignore[arg-type]
        for begin in range(0, len(said), 12)
    )
    return Conversation(id=id, turns=turns, annotations=Annotations(grade=grade))


def edited(said: Sequence[str], share: float, seed: int = 1) -> list[str]:
    """The words, every one of them replaced with this chance."""
    chance = random.Random(seed)
    return [other if chance.random() < share else word for word, other in zip(said, words(seed + 999), strict=True)]


def removed(
    calls: Sequence[Conversation],
    folder: Path,
    comparison: Comparison = Comparison(),  # noqa: B008
    **more: object,
) -> dict[str, tuple[str, str]]:
    """What was removed: the call it repeats and how."""
    with closing(find_survivors(lambda: iter(calls), folder, comparison, **more)) as found:  # type: ignore[arg-type]
        rows = list(found.removed())
        kept = [one.id for one in found.kept(calls)]
    assert sorted([*kept, *(row.id for row in rows)]) == sorted(one.id for one in calls)
    return {row.id: (row.duplicate_of, row.method) for row in rows}


def test_without_scores_the_earlier_call_survives_each_kind_of_copy(tmp_path: Path):
    said = words(1)
    shouted = msgspec.structs.replace(
        call("c", said), turns=tuple(msgspec.structs.replace(t, text=t.text.upper()) for t in call("c", said).turns)
    )
    calls = [call("a", said), call("b", said), shouted, call("d", edited(said, 0.1)), call("e", words(2))]
    assert removed(calls, tmp_path) == {"b": ("a", "exact"), "c": ("a", "normalized"), "d": ("a", "near")}


def test_the_better_score_survives_then_the_earlier_call_and_no_score_comes_last(tmp_path: Path):
    said, other = words(1), words(2)
    calls = [
        call("poor", said, 3.0), call("none", said), call("good", said, 4.5), call("as good", said, 4.5),
        call("first", other), call("second", other),
    ]  # fmt: skip
    of_good = {id: ("good", "exact") for id in ("poor", "none", "as good")}
    assert removed(calls, tmp_path) == {**of_good, "second": ("first", "exact")}


def test_keep_first_looks_at_no_score(tmp_path: Path):
    calls = [call("poor", words(1), 3.0), call("good", words(1), 4.5)]
    comparison = Comparison(keep="first")
    assert removed(calls, tmp_path, comparison) == {"good": ("poor", "exact")}
    assert [row and row.id for _, row in first_survive(calls, comparison)] == [None, "good"]


def test_every_removed_call_names_one_that_survived_in_a_chain_of_edits(tmp_path: Path):
    # Each is near its neighbours, the ends are not near each other.
    chain = [words(1)]
    for step in range(6):
        chain.append(edited(chain[-1], 0.15, seed=step + 5))
    calls = [call(str(number), said, score=float(number % 3)) for number, said in enumerate(chain)]
    found = removed(calls, tmp_path)
    survivors = {one.id for one in calls} - set(found)
    assert 1 < len(survivors) < len(calls)
    assert {earlier for earlier, _ in found.values()} <= survivors


def test_calls_with_one_id_are_told_apart_by_their_place(tmp_path: Path):
    calls = [call("same", words(1)), call("same", words(2)), call("same", words(1))]
    with closing(find_survivors(lambda: calls, tmp_path, Comparison())) as found:
        assert [row is None for _, row in found.judged(calls)] == [True, True, False]


def test_exact_methods_alone_leave_edited_calls(tmp_path: Path):
    said = words(1)
    calls = [call("a", said), call("b", said), call("c", edited(said, 0.05))]
    assert removed(calls, tmp_path, Comparison(methods="exact")) == {"b": ("a", "exact")}


@pytest.mark.parametrize("calls", [[], [call("a", ())], [call("a", ("hm",))]], ids=["none", "empty", "one word"])
def test_a_set_of_one_and_calls_without_words_survive(calls: list[Conversation], tmp_path: Path):
    assert removed(calls, tmp_path) == {}


def in_a_file(calls: Iterable[Conversation]) -> CallsOfFiles:
    index = DuplicateIndex()
    for batch in sketched(calls):
        index.find_or_add_all([sketch for _, sketch in batch])
    return CallsOfFiles([("other.jsonl", index)])


def test_what_was_delivered_before_survives_whatever_its_score(tmp_path: Path):
    said = words(1)
    earlier = in_a_file([call("old", said, 1.0)])
    calls = [call("a", edited(said, 0.1), 5.0), call("b", words(2)), call("c", said, 5.0)]
    with closing(find_survivors(lambda: calls, tmp_path, Comparison(), earlier=earlier)) as found:
        rows = list(found.removed())
    assert [(row.id, row.duplicate_of, row.dataset_of, row.method) for row in rows] == [
        ("a", "old", "other.jsonl", "near"),
        ("c", "old", "other.jsonl", "exact"),
    ]
    assert rows[0].earlier == "old of other.jsonl"
    assert [row for _, row in first_survive(calls, Comparison(), earlier=earlier) if row] == rows


# Calls with every fourth word another are no duplicates by this, and alike enough to ask for their meaning.
STRICT = Comparison(thresholds=Thresholds(near=0.9, masked=1.0))


class SaidToBeSame:
    """Stands for the semantic tier: finds the pairs of calls (by their places in the set) that it was told of."""

    def __init__(self, *same: tuple[str, str]) -> None:
        self.same = same
        self.asked: list[tuple[str, str]] = []

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        self.asked += [(pair.new.id, pair.earlier.id) for pair in pairs]
        return [
            DuplicateMatch(id=pair.new.id, duplicate_of=pair.earlier.id, method="semantic", similarity=0.97)
            if (pair.new.id, pair.earlier.id) in self.same
            else None
            for pair in pairs
        ]


def half_alike(seed: int) -> tuple[list[str], list[str]]:
    said = words(seed)
    return said, edited(said, 0.25, seed=seed + 50)


def test_pairs_whose_words_leave_it_open_are_decided_by_their_meaning(tmp_path: Path):
    said, other = half_alike(1)
    apart, apart_too = half_alike(2)
    calls = [call("a", said), call("b", other), call("c", apart), call("d", apart_too), call("e", words(9))]
    tier = SaidToBeSame(("1", "0"))
    assert removed(calls, tmp_path, STRICT) == {}
    assert removed(calls, tmp_path, STRICT, semantic=tier) == {"b": ("a", "semantic")}
    assert sorted(tier.asked) == [("1", "0"), ("3", "2")]


def test_a_call_that_repeats_one_that_fell_by_its_meaning_is_looked_at_again(tmp_path: Path):
    said, other = half_alike(1)
    # c repeats b by its words; b falls, so c stays unless it repeats a too.
    calls = [call("a", said), call("b", other), call("c", edited(other, 0.01, seed=77))]
    falls = SaidToBeSame(("1", "0"))
    assert removed(calls, tmp_path / "1", STRICT) == {"c": ("b", "near")}
    assert removed(calls, tmp_path / "2", STRICT, semantic=falls) == {"b": ("a", "semantic")}
    both_fall = SaidToBeSame(("1", "0"), ("2", "0"))
    assert removed(calls, tmp_path / "3", STRICT, semantic=both_fall) == {
        "b": ("a", "semantic"),
        "c": ("a", "semantic"),
    }


def test_the_settings_mean_the_usual_thresholds_unless_they_are_changed():
    assert word_thresholds(QualitySettings()) == DEFAULT
    assert word_thresholds(QualitySettings(near_duplicate_threshold=0.9)).near == 0.9


def test_a_row_tells_no_text():
    row = RemovedCall(id="a", duplicate_of="b", method="near", similarity=0.8)
    assert set(msgspec.to_builtins(row)) == {"id", "duplicate_of", "dataset_of", "method", "similarity"}


def test_long_calls_are_sketched_fewer_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tip_assets.quality.duplicates.comparison._BATCH_CHARACTERS", 2_000)
    calls = [call(str(number), words(number, 400 if number == 3 else 40)) for number in range(8)]
    batches = list(sketched(calls))
    assert [one.id for batch in batches for one, _ in batch] == [one.id for one in calls]
    assert 1 < len(batches) < len(calls) and batches[0][-1][0].id == "3", "the long one ends its batch"
    assert [sketch for batch in batches for _, sketch in batch] == [
        sketch for one in calls for _, sketch in next(sketched([one]))
    ]
