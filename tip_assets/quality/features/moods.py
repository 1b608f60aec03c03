"""How the customer feels by the words they use, and whether that fits the persona's emotion arc."""

from itertools import pairwise
from statistics import fmean

from tip_assets.quality.features.measured_call import MeasuredCall, MeasuredTurn
from tip_assets.quality.word_lists import word_list
from tip_resources.domain.persona import Persona

_NEGATIVE = word_list("features", "negative_words")
_POSITIVE = word_list("features", "positive_words")
_NEGATIVE_MOODS = word_list("features", "negative_moods")
_POSITIVE_MOODS = word_list("features", "positive_moods")
_NEGATIONS = frozenset(
    {"not", "no", "never", "don't", "isn't", "doesn't", "wasn't", "can't", "won't", "didn't", "nothing"}
)
# A difference of valence this large between the halves of a call is a change of mood.
_CHANGE = 0.1


def moods(call: MeasuredCall, customer: Persona | None) -> dict[str, float]:
    """`mood_swings`: share of neighbouring customer turns that flip between glad and cross. `arc_fit` by plan."""
    valences = [valence(turn) for turn in call.turns_of("customer")]
    features: dict[str, float] = {}
    if len(valences) > 1:
        features["mood_swings"] = fmean([one * other < 0 for one, other in pairwise(valences)])
    if customer is not None and customer.emotion_arc and len(valences) > 3:
        features["arc_fit"] = _arc_fit(valences, customer.emotion_arc)
    return features


def valence(turn: MeasuredTurn) -> int:
    """-1 cross, 0 neither, 1 glad; a negation right before a word turns it."""
    balance = 0
    previous = ""
    for word in turn.words:
        value = (word in _POSITIVE) - (word in _NEGATIVE)
        balance += -value if previous in _NEGATIONS else value
        previous = word
    return (balance > 0) - (balance < 0)


def _arc_fit(valences: list[int], arc: tuple[str, ...]) -> float:
    """1 when the halves of the call feel as the arc says, 0.5 when one of them does, 0 when neither."""
    half = len(valences) // 2
    measured = (fmean(valences[:half]), fmean(valences[half:]))
    planned = (_planned(arc[0]), _planned(arc[-1]))
    fits = [_fits(planned[0], measured[0], measured[0]), _fits(planned[1], measured[1], measured[1] - measured[0])]
    return fmean(fits)


def _planned(mood: str) -> int:
    words = mood.lower().replace("-", "_").split("_")
    stems = {word[:6] for word in words}
    return bool(stems & {word[:6] for word in _POSITIVE_MOODS}) - bool(stems & {word[:6] for word in _NEGATIVE_MOODS})


def _fits(planned: int, measured: float, change: float) -> bool:
    """A planned mood fits when the words do not say the opposite; neutral fits anything."""
    if planned < 0:
        return measured <= _CHANGE
    if planned > 0:
        return measured >= -_CHANGE or change > 0
    return True
