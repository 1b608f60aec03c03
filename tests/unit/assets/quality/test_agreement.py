"""Agreement and calibration figures are those of the published packages, and the verdict follows from them."""

import msgspec
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from tip_assets.quality.agreement import Correlation, SampleAgreement
from tip_assets.quality.calibration.figures import Figure, SideFigures, quadratic_kappa, side_figures
from tip_assets.quality.calibration.result import Calibration, words_of

# Columns are calls, rows are samples; None where a sample is missing. The first is the example of Krippendorff 2011.
# Values of alpha, interval: the package krippendorff 0.9.0.
_EXAMPLES = [
    (
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
            [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
        ],
        0.8491,
    ),
    ([[4.5, 3.0, 2.0, 5.0, 1.5, 0.5], [4.0, 3.5, 2.5, 5.0, 0.5, 0.0], [4.5, 2.0, 2.0, 4.0, 1.0, 1.0]], 0.9038),
]


@pytest.mark.parametrize(("ratings", "published"), _EXAMPLES, ids=["Krippendorff 2011", "grades"])
def test_alpha_is_the_published_packages(ratings: list[list[float | None]], published: float) -> None:
    agreement = SampleAgreement()
    for samples in zip(*ratings, strict=True):
        agreement.add([value for value in samples if value is not None])
    assert agreement.alpha == pytest.approx(published, abs=1e-4)


def test_what_cannot_be_known_of_samples_is_none() -> None:
    agreement = SampleAgreement()
    agreement.add([4.0])
    assert (agreement.calls, agreement.alpha, agreement.mean_absolute_difference) == (0, None, None)
    agreement.add([3.0, 3.0])
    agreement.add([3.0, 3.0])
    assert (agreement.alpha, agreement.mean_absolute_difference) == (None, 0.0)
    agreement.add([1.0, 2.0, 4.0])
    assert agreement.mean_absolute_difference == pytest.approx((1 + 3 + 2) / 5)


def test_a_running_correlation_is_numpys() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(1e6, 2, 50), rng.normal(size=50)
    running = Correlation()
    for pair in zip(x, x + y, strict=True):
        running.add(*pair)
    assert running.r == pytest.approx(np.corrcoef(x, x + y)[0, 1])
    constant = Correlation()
    for value in range(5):
        constant.add(value, 3.0)
    assert constant.r is None


def test_figures_of_a_side_are_those_of_numpy_scipy_and_scikit_learn() -> None:
    rng = np.random.default_rng(7)
    people = rng.integers(0, 11, 40) / 2
    grader = np.clip(people + rng.normal(0, 0.8, 40) + 0.5, 0, 5)
    found = side_figures(people.tolist(), grader.tolist())
    levels = np.floor(people + 0.5), np.floor(grader + 0.5)
    assert found.pearson.value == pytest.approx(np.corrcoef(people, grader)[0, 1], abs=1e-4)
    assert found.spearman.value == pytest.approx(stats.spearmanr(people, grader)[0], abs=1e-4)
    assert found.kappa.value == pytest.approx(cohen_kappa_score(*levels, weights="quadratic"), abs=1e-4)
    assert quadratic_kappa(*levels) == pytest.approx(cohen_kappa_score(*levels, weights="quadratic"))
    assert found.bias == pytest.approx(float(np.mean(grader - people)))
    for figure in (found.pearson, found.spearman, found.kappa):
        assert figure.low is not None and figure.value is not None and figure.high is not None
        assert figure.low < figure.value < figure.high


def test_a_grader_that_always_says_the_same_has_no_correlation() -> None:
    found = side_figures([0.0, 2.0, 5.0, 3.0], [4.0, 4.0, 4.0, 4.0])
    assert found.pearson == Figure(None)
    assert found.spearman == Figure(None)
    assert found.kappa.value == pytest.approx(0.0)


def test_two_calls_are_too_few() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        side_figures([1.0, 2.0], [1.0, 2.0])


def calibration(r: float | None = 0.9, rank: float = 0.9, kappa: float = 0.7, **changes: object) -> Calibration:
    side = SideFigures(
        pearson=Figure(r), spearman=Figure(rank), kappa=Figure(kappa), bias=0.0, mean_absolute_difference=0.3
    )
    made = Calibration(
        grader="judge",
        tier="network",
        rubric_version="judge-2+0",
        calls=30,
        calls_without_grade=0,
        samples=3,
        labels=("built-in",),
        sides=dict.fromkeys(("realism", "coherence", "naturalness", "overall"), side),
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (calibration(), "calibrated"),
        (calibration(r=0.79), "does not rank as people do"),
        (calibration(rank=0.7), "does not rank as people do"),
        (calibration(r=None), "does not rank as people do"),
        (calibration(kappa=0.4), "ranks well, other scale"),
        (calibration(calls=19), "too few calls"),
        (calibration(padding_gain=0.4), "pays for padding"),
    ],
)
def test_the_verdict_is_correlation_first_then_kappa(made: Calibration, verdict: str) -> None:
    assert made.verdict == verdict
    assert made.is_calibrated == (verdict == "calibrated")
    assert made.in_words().startswith("calibrated: r = 0.90, kappa = 0.70, n = 30" if made.is_calibrated else "not")


def test_the_scripted_server_is_never_calibrated() -> None:
    made = calibration(is_scripted=True)
    assert not made.is_calibrated
    assert "means nothing" in made.in_words()
    assert "nobody has held it" in words_of(None)
