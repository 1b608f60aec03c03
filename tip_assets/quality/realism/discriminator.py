"""A discriminator is trained to tell our calls from reference calls: how well it can is how far off we are.

Accuracy 0.5 is the goal, 1.0 means that every call of ours is told apart. Two views vote: figures of style, which can
be said in words (features/style_figures.py), and runs of small words (wording.py). Every call is judged by a model
that never saw it.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tip_assets.quality.features.measured_call import MeasuredCall
from tip_assets.quality.features.style_figures import TELLING_FIGURES, in_words, style_figures
from tip_assets.quality.realism.wording import wording_vectors
from tip_assets.quality.words import words_of
from tip_resources.domain.conversation import Conversation

if TYPE_CHECKING:
    import numpy as np

LEAST_CALLS = 20
# More add nothing that a person would act on, and cost.
MOST_CALLS = 500
_FOLDS = 5
_SEED = 20261121
_Z_95 = 1.96
_LEAST_PER_FEATURE = 10
_RESAMPLES = 200
# Ten times as fast on a few hundred calls as the default, and needs no threads.
_SOLVER = "liblinear"


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that gives us away. `distance` is the difference of the means in standard deviations of both sides
    (Cohen's d, without its sign); `weight` the standardised coefficient of the style view, above 0 for "ours".
    """

    name: str
    ours: float
    reference: float
    distance: float
    weight: float

    @property
    def text(self) -> str:
        """In words."""
        return f"our calls have {in_words(self.name, self.ours, self.reference)}"


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the discriminator came to. Figures are None where it could not be trained, and `reason` says why.

    `accuracy` is that of both views together, with its 95 % interval (Wilson's; calls of one fold share a model, so
    the true one is a little wider); `auc` how often a call of ours gets the higher suspicion of a pair. `calls` is
    how many of each side were judged. `telling` holds differences beyond chance, the largest first; `style_distance`
    is the mean distance over all features, `style_distance_error` its standard error (bootstrap).
    """

    calls: int
    reason: str = ""
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    auc: float | None = None
    style_accuracy: float | None = None
    wording_accuracy: float | None = None
    style_distance: float | None = None
    style_distance_error: float | None = None
    telling: tuple[Telling, ...] = ()


def discriminate(ours: Sequence[Conversation], reference: Sequence[Conversation]) -> Verdict:
    """Trains on both, balanced, and judges every call by a model that has not seen it nor a copy of it.

    Calls without words take no part. Sides of fewer than 20 calls are not judged: chance alone would decide.
    """
    mine, theirs = _worded(ours), _worded(reference)
    calls = min(len(mine), len(theirs), MOST_CALLS)
    if calls < LEAST_CALLS:
        return Verdict(
            calls=calls,
            reason=f"too few calls: {len(mine)} of ours and {len(theirs)} of the reference have words, and "
            f"{LEAST_CALLS} of each are needed",
        )
    return _judged(_spread(mine, calls), _spread(theirs, calls), calls)


def _judged(mine: list[Conversation], theirs: list[Conversation], calls: int) -> Verdict:
    import numpy as np
    from sklearn.metrics import roc_auc_score

    both = [*mine, *theirs]
    is_ours = np.array([True] * len(mine) + [False] * len(theirs))
    features = style_table(both)
    groups = [_group(call) for call in both]
    style = _held_out(features, is_ours, groups, _style_model)
    if style is None:
        return Verdict(calls=calls, reason="nearly all calls are copies of each other; there is nothing to tell apart")
    wording = _held_out(wording_vectors(both), is_ours, groups, _wording_model)
    assert wording is not None  # the same groups as for the style
    suspicion = (style + wording) / 2
    hits = int(((suspicion >= 0.5) == is_ours).sum())
    low, high = wilson(hits, len(both))
    telling, distance, error = _differences(features, is_ours)
    return Verdict(
        calls=calls,
        accuracy=hits / len(both),
        low=low,
        high=high,
        auc=float(roc_auc_score(is_ours, suspicion)),
        style_accuracy=float(((style >= 0.5) == is_ours).mean()),
        wording_accuracy=float(((wording >= 0.5) == is_ours).mean()),
        style_distance=distance,
        style_distance_error=error,
        telling=telling,
    )


def style_table(conversations: Sequence[Conversation]) -> "np.ndarray":
    """One row a call, one column a figure of `TELLING_FIGURES`; what could not be measured is NaN."""
    import numpy as np

    rows = [style_figures(call) for call in conversations]
    return np.array([[row.get(name, np.nan) for name in TELLING_FIGURES] for row in rows])


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share: Wilson 1927, which stays within 0 and 1 for few calls too."""
    share, spread = hits / total, _Z_95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = (_Z_95 / (1 + spread)) * (share * (1 - share) / total + spread / (4 * total)) ** 0.5
    # The ends are exact where rounding would leave the share itself just outside.
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == total else middle + half)


def _worded(conversations: Sequence[Conversation]) -> list[Conversation]:
    return [call for call in conversations if MeasuredCall(call).turns]


def _group(call: Conversation) -> str:
    """The same for calls that say the same, so that copies are never on both sides of a split."""
    said = " ".join(" ".join(words_of(turn.text)) for turn in call.turns)
    return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def _spread(calls: list[Conversation], count: int) -> list[Conversation]:
    """`count` of the calls, chosen by their words: the same ones every time, whatever their order."""
    return sorted(calls, key=_group)[:count]


def _held_out(table: Any, is_ours: "np.ndarray", groups: list[str], make_model: Any) -> "np.ndarray | None":
    """The probability of "ours" for every call, by models trained without its group; None where none can be."""
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    distinct = [len({group for group, mine in zip(groups, is_ours, strict=True) if mine == side}) for side in (0, 1)]
    if min(distinct) < _FOLDS:
        return None
    suspicion = np.full(len(groups), np.nan)
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=_SEED)
    for train, test in folds.split(table, is_ours, groups):
        suspicion[test] = make_model().fit(table[train], is_ours[train]).predict_proba(table[test])[:, 1]
    return suspicion


def _style_model() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    imputer = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), LogisticRegression(C=0.3, solver=_SOLVER))


def _wording_model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=30.0, solver=_SOLVER)


def _differences(
    features: "np.ndarray", is_ours: "np.ndarray"
) -> tuple[tuple[Telling, ...], float | None, float | None]:
    """What differs by more than chance would, the mean distance over all features, and its standard error."""
    import numpy as np

    sides = (features[is_ours], features[~is_ours])
    usable = np.min([np.isfinite(side).sum(axis=0) for side in sides], axis=0) >= _LEAST_PER_FEATURE
    if not usable.any():
        return (), None, None
    weights = _style_model().fit(features, is_ours)[-1].coef_[0]
    ours, reference, distances = _distances(sides)
    # Two standard errors of d for sides of these sizes.
    counts = [np.isfinite(side).sum(axis=0) for side in sides]
    chance = 2 * np.sqrt(1 / np.maximum(counts[0], 1) + 1 / np.maximum(counts[1], 1))
    found = [
        Telling(
            name=name,
            ours=float(ours[place]),
            reference=float(reference[place]),
            distance=float(distances[place]),
            weight=float(weights[place]),
        )
        for place, name in enumerate(TELLING_FIGURES)
        if usable[place] and distances[place] > chance[place]
    ]
    found.sort(key=lambda telling: -telling.distance)
    rng = np.random.default_rng(_SEED)
    drawn = [
        _distances([side[rng.integers(0, len(side), len(side))][:, usable] for side in sides])[2].mean()
        for _ in range(_RESAMPLES)
    ]
    return tuple(found), float(distances[usable].mean()), float(np.std(drawn))


def _distances(sides: Sequence["np.ndarray"]) -> tuple["np.ndarray", "np.ndarray", "np.ndarray"]:
    """The means of either side, and how far they are apart in deviations of both (0 where nothing varies)."""
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a feature that one side never gave a chance to measure
        ours, reference = (np.nanmean(side, axis=0) for side in sides)
        spread = np.sqrt((np.nanvar(sides[0], axis=0, ddof=1) + np.nanvar(sides[1], axis=0, ddof=1)) / 2)
    gap = np.abs(ours - reference)
    return ours, reference, np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)
