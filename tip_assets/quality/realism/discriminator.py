"""A discriminator is trained to tell our calls from reference calls: how well it can is how far off we are.

Accuracy 0.5 is the goal, 1.0 means that every call of ours is told apart. Two views vote: figures of style, which can
be said in words (style.py), and runs of small words (wording.py). Every call is judged by a model that never saw it.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tip_assets.quality.realism.style import FEATURES, in_words, style_features
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
        return in_words(self.name, self.ours, self.reference)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the discriminator came to. Figures are None where it could not be trained, and `reason` says why.

    `accuracy` is that of both views together, with its 95 % interval (Wilson's; calls of one fold share a model, so
    the true one is a little wider); `auc` how often a call of ours gets the higher suspicion of a pair. `calls` is
    how many of each side were judged. `telling` holds differences beyond chance, the largest first; `style_distance`
    is the mean distance over all features.
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
    telling, distance = _differences(features, is_ours)
    return Verdict(
        calls=calls,
        accuracy=hits / len(both),
        low=low,
        high=high,
        auc=float(roc_auc_score(is_ours, suspicion)),
        style_accuracy=float(((style >= 0.5) == is_ours).mean()),
        wording_accuracy=float(((wording >= 0.5) == is_ours).mean()),
        style_distance=distance,
        telling=telling,
    )


def style_table(conversations: Sequence[Conversation]) -> "np.ndarray":
    """One row a call, one column a feature of `FEATURES`; what could not be measured is NaN."""
    import numpy as np

    rows = [style_features(call) for call in conversations]
    return np.array([[row.get(name, np.nan) for name in FEATURES] for row in rows])


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share: Wilson 1927, which stays within 0 and 1 for few calls too."""
    share, spread = hits / total, _Z_95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = (_Z_95 / (1 + spread)) * (share * (1 - share) / total + spread / (4 * total)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _worded(conversations: Sequence[Conversation]) -> list[Conversation]:
    return [call for call in conversations if style_features(call)]


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
    return make_pipeline(imputer, StandardScaler(), LogisticRegression(C=0.3, max_iter=2000))


def _wording_model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=30.0, max_iter=2000)


def _differences(features: "np.ndarray", is_ours: "np.ndarray") -> tuple[tuple[Telling, ...], float | None]:
    """What differs by more than chance would (|d| above two standard errors), and the mean distance over all."""
    import numpy as np

    weights = _style_model().fit(features, is_ours)[-1].coef_[0]
    found: list[Telling] = []
    distances: list[float] = []
    for place, name in enumerate(FEATURES):
        sides = [column[~np.isnan(column)] for column in (features[is_ours, place], features[~is_ours, place])]
        if min(map(len, sides)) < _LEAST_PER_FEATURE:
            continue
        ours, reference = (float(side.mean()) for side in sides)
        spread = float(np.sqrt((sides[0].var(ddof=1) + sides[1].var(ddof=1)) / 2))
        distance = abs(ours - reference) / spread if spread else 0.0
        distances.append(distance)
        # Two standard errors of d for sides of these sizes.
        if distance > 2 * float(np.sqrt(1 / len(sides[0]) + 1 / len(sides[1]))):
            weight = float(weights[place])
            found.append(Telling(name=name, ours=ours, reference=reference, distance=distance, weight=weight))
    found.sort(key=lambda telling: -telling.distance)
    return tuple(found), float(np.mean(distances)) if distances else None
