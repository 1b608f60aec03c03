"""The small discriminator of one call: weights that come with tip, read without any library."""

import random
import subprocess
import sys
from statistics import fmean

import msgspec
import pytest

from tests.unit.assets.quality.conftest import essay_language, read_good_calls, word_salad
from tests.unit.assets.quality.realism.calls import call, stiff
from tip_assets.quality.features.style_figures import TELLING_FIGURES
from tip_assets.quality.realism.human_likeness import human_likeness, trained_weights
from tip_assets.quality.realism.reference import built_in_reference


def likeness(calls: list) -> float:
    return fmean(human_likeness(one) or 0.0 for one in calls)


def test_hand_written_calls_it_never_saw_are_above_their_ruins() -> None:
    # Six calls of another manner: the weights were not trained on them, and do not like them much either.
    good, rng = read_good_calls(), random.Random(1)
    assert likeness(good) > 4 * likeness([word_salad(one, rng) for one in good])
    assert likeness(good) > 4 * likeness([essay_language(one, rng) for one in good])


def test_a_call_loses_by_losing_its_habits() -> None:
    real = list(built_in_reference().conversations)
    pairs = [
        (human_likeness(one) or 0, human_likeness(other) or 0) for one, other in zip(real, stiff(real), strict=True)
    ]
    assert fmean(one > other for one, other in pairs) > 0.8


@pytest.mark.parametrize(
    "one",
    [
        call("short", "Hello.", "Hi."),
        msgspec.structs.replace(built_in_reference().conversations[0], language="es"),
        msgspec.structs.replace(
            built_in_reference().conversations[0],
            turns=tuple(turn for turn in built_in_reference().conversations[0].turns if turn.speaker == "agent"),
        ),
        msgspec.structs.replace(built_in_reference().conversations[0], turns=()),
        call("wordless", *["..."] * 8),
    ],
    ids=["too short", "not English", "one speaker", "empty", "no words"],
)
def test_what_cannot_be_said_is_none(one) -> None:
    assert human_likeness(one) is None


def test_the_weights_say_what_they_were_trained_on_and_how_to_do_it_again() -> None:
    weights = trained_weights()
    assert "no recordings" in weights.trained_on and "benchmarks.quality.human_likeness" in weights.retrain
    assert 0.5 < weights.accuracy <= 1 and {feature.name for feature in weights.features} <= set(TELLING_FIGURES)


def test_scoring_a_call_needs_no_library() -> None:
    code = (
        "import sys\n"
        "for name in ('numpy', 'sklearn', 'scipy'): sys.modules[name] = None\n"
        "from tip_assets.quality.realism.human_likeness import human_likeness\n"
        "from tip_assets.quality.realism.reference import built_in_reference\n"
        "assert human_likeness(built_in_reference().conversations[0]) is not None\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
