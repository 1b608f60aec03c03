"""The semantic tier says plainly whether it ran."""

import importlib.util

import pytest

from tip_assets.quality.duplicates import semantic_tier as module
from tip_assets.quality.duplicates.semantic import CallPair
from tip_assets.quality.duplicates.semantic_tier import SemanticTier, semantic_tier
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import PermanentFailure
from tip_resources.settings.models import QualitySettings

PAIR = CallPair(new=Conversation(id="1", turns=()), earlier=Conversation(id="0", turns=()), word_similarity=0.4)


def test_switched_off_it_does_not_run_and_says_so():
    assert semantic_tier(QualitySettings(semantic="off")) == (None, "did not run: quality.semantic is off")


@pytest.mark.skipif(importlib.util.find_spec("sentence_transformers") is not None, reason="the extra is installed")
def test_without_the_extra_it_does_not_run_and_says_so():
    assert semantic_tier(QualitySettings()) == (None, "did not run: the extra `semantic` is not installed")


def test_without_a_pair_no_model_is_opened():
    assert SemanticTier(0.95).said == "no pair of calls was alike enough to ask for its meaning"


def test_a_model_that_cannot_be_opened_finds_nothing_and_is_told(monkeypatch: pytest.MonkeyPatch):
    tries: list[float] = []

    def cannot(certainty: float) -> None:
        tries.append(certainty)
        raise PermanentFailure("the model is neither here nor to be had")

    monkeypatch.setattr(module, "semantic_comparer", cannot)
    tier = SemanticTier(0.95)
    assert tier.duplicates([PAIR]) == tier.duplicates([PAIR]) == [None]
    assert tier.said == "did not run: the model is neither here nor to be had"
    assert tries == [0.95]
