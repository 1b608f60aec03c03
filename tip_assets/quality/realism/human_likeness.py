"""How like a person's call one call sounds, 0 to 1, by a small trained model that needs nothing but Python.

The weights are in human_likeness.json with what they were trained on; docs/realism.md says how far to trust them, and
`python -m benchmarks.quality.human_likeness --write` trains them again.
"""

import math
from functools import cache
from importlib.resources import files

import msgspec

from tip_assets.quality.features.measured_form import MeasuredForm
from tip_assets.quality.features.style_figures import style_figures
from tip_resources.domain.conversation import Conversation

LEAST_TURNS = 6
# A measured value this many deviations off says no more than one at the edge.
MOST_DEVIATIONS = 4.0
WEIGHTS_FILE = "human_likeness.json"


class FeatureWeight(msgspec.Struct, frozen=True, kw_only=True):
    """A feature is centred and scaled by what it was in training, then weighed."""

    name: str
    mean: float
    deviation: float
    weight: float


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """A logistic regression. `accuracy` is that of calls it had not seen, balanced over both kinds."""

    version: str
    trained_on: str
    retrain: str
    accuracy: float
    bias: float
    features: tuple[FeatureWeight, ...]


def human_likeness(conversation: Conversation, form: MeasuredForm | None = None) -> float | None:
    """0 (like the scripted and damaged calls of the training) to 1 (like the hand-written ones).

    `form` is the call's, where it was measured already.

    None where a call is too short to say (under 6 turns), has one speaker only, or is not in English.
    """
    speakers = {turn.speaker for turn in conversation.turns}
    if len(conversation.turns) < LEAST_TURNS or not {"agent", "customer"} <= speakers:
        return None
    if not conversation.language.lower().startswith("en"):
        return None
    measured = style_figures(conversation, form)
    if not measured:
        return None
    weights = trained_weights()
    total = weights.bias
    for feature in weights.features:
        if feature.name in measured:
            deviations = (measured[feature.name] - feature.mean) / feature.deviation
            total += feature.weight * max(-MOST_DEVIATIONS, min(MOST_DEVIATIONS, deviations))
    return 1 / (1 + math.exp(-total))


@cache
def trained_weights() -> Weights:
    """The weights that come with tip."""
    data = (files("tip_assets.quality.realism") / WEIGHTS_FILE).read_bytes()
    return msgspec.json.decode(data, type=Weights)
