"""The semantic tier chooses its vectors as the settings want, and says plainly what was done."""

import random

import pytest
from pydantic import ValidationError

from benchmarks.quality.paraphrases import paraphrase
from tests.unit.assets.quality.conftest import read_good_calls
from tip_assets.quality.duplicates import semantic_tier as module
from tip_assets.quality.duplicates.rare_words import RareWordNeighbours
from tip_assets.quality.duplicates.semantic import CallPair
from tip_assets.quality.duplicates.semantic_tier import SemanticTier, semantic_tier
from tip_assets.quality.duplicates.word_vectors import WordVectors
from tip_resources.domain.failures import PermanentFailure
from tip_resources.settings.models import QualitySettings


def pairs() -> list[CallPair]:
    rng = random.Random(4)
    first, *others = read_good_calls()
    same = CallPair(new=paraphrase(first, rng, 0.5), earlier=first, word_similarity=0.6)
    return [same, *(CallPair(new=other, earlier=first, word_similarity=0.4) for other in others[:2])]


class _Opened:
    """Stands for the sentence model."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.vectors = WordVectors().vectors


def test_switched_off_it_does_not_run_and_says_so():
    assert semantic_tier(QualitySettings(semantic="off")) == (None, "did not run: quality.semantic is off")


def test_without_a_pair_no_model_is_opened(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "open_sentence_model", lambda: pytest.fail("opened"))
    tier = SemanticTier(0.95, "sentences")
    assert [type(finder) for finder in tier.finders()] == [RareWordNeighbours]
    assert tier.said == "no pair of calls was alike enough to ask for its meaning"


def said_with(monkeypatch: pytest.MonkeyPatch, *, gpu: bool, **quality: object) -> str:
    """What the tier of these settings says after three pairs, one of which is a duplicate."""
    monkeypatch.setattr(module, "sees_gpu", lambda: gpu)
    monkeypatch.setattr(module, "open_sentence_model", lambda: _Opened("cuda" if gpu else "cpu"))
    tier, _ = semantic_tier(QualitySettings.model_validate(quality))
    assert tier is not None
    assert [match is not None for match in tier.duplicates(pairs())] == [True, False, False]
    return tier.said.removeprefix("3 pairs of calls compared, 1 say the same; ")


def test_words_decide_unless_there_is_a_gpu_or_sentences_are_asked_for(monkeypatch: pytest.MonkeyPatch):
    of_candidates = "of pairs that words left open, 1 were compared by sentences"
    of_all = "of pairs of all calls, 1 were compared by sentences"
    assert said_with(monkeypatch, gpu=False) == "by words"
    assert said_with(monkeypatch, gpu=True) == of_all
    assert said_with(monkeypatch, gpu=True, semantic="candidates") == of_candidates
    assert said_with(monkeypatch, gpu=True, semantic_vectors="words") == "by words"
    assert said_with(monkeypatch, gpu=False, semantic_vectors="sentences") == of_candidates
    assert said_with(monkeypatch, gpu=False, semantic="everything") == of_all


def test_a_limit_that_was_reached_is_told_and_a_gpu_has_none(monkeypatch: pytest.MonkeyPatch):
    beyond = " and 1 more by words, because quality.semantic_pairs was reached"
    assert said_with(monkeypatch, gpu=False, semantic_vectors="sentences", semantic_pairs=0).endswith(beyond)
    assert "more by words" not in said_with(monkeypatch, gpu=True, semantic_pairs=0)


def test_a_model_that_cannot_be_opened_leaves_it_to_words_and_is_told(monkeypatch: pytest.MonkeyPatch):
    tries: list[int] = []

    def cannot() -> None:
        tries.append(1)
        raise PermanentFailure("the model is neither here nor to be had")

    monkeypatch.setattr(module, "open_sentence_model", cannot)
    tier = SemanticTier(0.95, "sentences", is_everything=True)
    assert [type(finder) for finder in tier.finders()] == [RareWordNeighbours]
    assert tier.duplicates(pairs()) == SemanticTier(0.95, "words").duplicates(pairs())
    assert tier.said == (
        "3 pairs of calls compared, 1 say the same; by words, because sentences could not be read: "
        "the model is neither here nor to be had"
    )
    assert tries == [1]


def test_everything_cannot_be_had_by_words():
    with pytest.raises(ValidationError, match="semantic_vectors"):
        QualitySettings(semantic="everything", semantic_vectors="words")
