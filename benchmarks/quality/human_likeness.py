"""Trains the small discriminator of the local grade: hand-written reference calls against scripted and damaged ones.

    python -m benchmarks.quality.human_likeness            trains, and prints how well it tells unseen calls
    python -m benchmarks.quality.human_likeness --write    keeps the weights as tip_assets/.../human_likeness.json

Scripted calls are written by the rehearsal server (three domains, seeds 101 to 103); damaged ones are reference calls
with their turns shuffled, their words shuffled, glued to monologues, answered in one word, or said in essay language.
A damaged call stays in the fold of the call it was made from. Takes about 10 s.
"""

import argparse
import random
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from tip_assets.experiments.kinds import trial_spec
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.recipes import PLAIN
from tip_assets.quality.features.style_figures import TELLING_FIGURES
from tip_assets.quality.realism.discriminator import style_table
from tip_assets.quality.realism.human_likeness import MOST_DEVIATIONS, WEIGHTS_FILE, FeatureWeight, Weights
from tip_assets.quality.realism.reference import built_in_reference
from tip_assets.quality.realism.sampling import Sampler
from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.llm.prices import PriceList
from tip_resources.settings.models import Settings

DOMAINS = ("healthcare", "retail", "telecommunications")
SCRIPTED_PER_DOMAIN = 20
FOLDS = 5
TARGET = Path("tip_assets/quality/realism") / WEIGHTS_FILE
ESSAY = (
    "I would like to formally request additional information regarding the aforementioned documentation.",
    "We are committed to providing exceptional assistance concerning your particular requirements.",
    "It is necessary that all relevant considerations be communicated to the appropriate representative.",
    "The corresponding department will investigate the circumstances surrounding this situation.",
)


def shuffled_turns(turns: Sequence[Turn], rng: random.Random) -> list[Turn]:
    """The texts in any order, the speakers as they were."""
    texts = rng.sample([turn.text for turn in turns], len(turns))
    return [msgspec.structs.replace(turn, text=text) for turn, text in zip(turns, texts, strict=True)]


def shuffled_words(turns: Sequence[Turn], rng: random.Random) -> list[Turn]:
    """The words of every turn in any order."""
    return [
        msgspec.structs.replace(turn, text=" ".join(rng.sample(turn.text.split(), len(turn.text.split()))))
        for turn in turns
    ]


def monologues(turns: Sequence[Turn], _rng: random.Random) -> list[Turn]:
    """Six speeches."""
    size = -(-len(turns) // 6)
    parts = [turns[start : start + size] for start in range(0, len(turns), size)]
    return [
        Turn(speaker=("agent", "customer")[number % 2], text=" ".join(turn.text for turn in part))
        for number, part in enumerate(parts)
    ]


def one_word(turns: Sequence[Turn], rng: random.Random) -> list[Turn]:
    """A customer of few words."""
    words = ("Yes.", "No.", "Okay.", "Fine.", "Sure.")
    return [
        msgspec.structs.replace(turn, text=rng.choice(words)) if turn.speaker == "customer" else turn for turn in turns
    ]


def essay(turns: Sequence[Turn], rng: random.Random) -> list[Turn]:
    """Written language."""
    return [msgspec.structs.replace(turn, text=rng.choice(ESSAY)) for turn in turns]


DAMAGES: tuple[Callable[[Sequence[Turn], random.Random], list[Turn]], ...] = (
    shuffled_turns,
    shuffled_words,
    monologues,
    one_word,
    essay,
)


def damaged_calls(calls: Sequence[Conversation]) -> list[tuple[Conversation, int]]:
    """Every call with two kinds of damage, in turn over the kinds, and the place of the call it came from."""
    rng = random.Random(20261121)
    damaged: list[tuple[Conversation, int]] = []
    for place, call in enumerate(calls):
        for step in (0, 2):
            turns = DAMAGES[(place + step) % len(DAMAGES)](call.turns, rng)
            damaged.append((msgspec.structs.replace(call, turns=tuple(turns)), place))
    return damaged


def scripted_calls() -> list[Conversation]:
    """Calls of the rehearsal server, scrubbed, over all domains."""
    calls: list[Conversation] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, domain in enumerate(DOMAINS):
            spec = trial_spec("likeness", count=SCRIPTED_PER_DOMAIN, domain=domain, seed=101 + number, rehearsal=True)
            library = load_library(domain, Path(folder) / "none")
            samples = Path(folder) / domain
            sampler = Sampler(library, Settings, samples, on_notice=print, prices=PriceList())
            calls.extend(sampler.write(spec, PLAIN).calls.values())
    return calls


def train() -> Weights:
    """The weights, and on stdout how well folds that were left out were told apart."""
    real = list(built_in_reference().conversations)
    scripted, damaged = scripted_calls(), damaged_calls(real)
    calls = [*real, *scripted, *(call for call, _ in damaged)]
    is_real = np.array([True] * len(real) + [False] * (len(scripted) + len(damaged)))
    groups = [*range(len(real)), *(len(real) + place for place in range(len(scripted))), *(of for _, of in damaged)]
    table = style_table(calls)
    means, deviations = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    # As the scorer does it: what is unknown weighs nothing, and no value counts beyond four deviations.
    scaled = np.clip(np.nan_to_num((table - means) / deviations, nan=0.0), -MOST_DEVIATIONS, MOST_DEVIATIONS)
    guesses = np.zeros(len(calls), dtype=bool)
    for seen, held_out in GroupKFold(FOLDS).split(scaled, is_real, groups):
        guesses[held_out] = _model().fit(scaled[seen], is_real[seen]).predict(scaled[held_out])
    sides = (is_real, np.arange(len(calls)) >= len(real) + len(scripted))
    scripted_rows = ~(sides[0] | sides[1])
    told = [float((guesses == is_real)[rows].mean()) for rows in (is_real, scripted_rows, sides[1])]
    accuracy = (told[0] + float((~guesses)[~is_real].mean())) / 2
    print(f"calls not seen in training, told right: {told[0]:.3f} of {len(real)} hand-written,", end=" ")
    print(
        f"{told[1]:.3f} of {len(scripted)} scripted, {told[2]:.3f} of {len(damaged)} damaged; balanced {accuracy:.3f}"
    )
    model = _model().fit(scaled, is_real)
    return Weights(
        version="likeness-2",
        trained_on=f"{len(real)} hand-written reference calls (no recordings) against {len(scripted)} calls of the "
        f"scripted rehearsal server and {len(damaged)} damaged reference calls",
        retrain="python -m benchmarks.quality.human_likeness --write",
        accuracy=round(accuracy, 3),
        bias=round(float(model.intercept_[0]), 5),
        features=tuple(
            FeatureWeight(
                name=name,
                mean=round(float(means[place]), 6),
                deviation=round(float(deviations[place]), 6),
                weight=round(float(model.coef_[0][place]), 5),
            )
            for place, name in enumerate(TELLING_FIGURES)
            if deviations[place] > 0
        ),
    )


def _model() -> LogisticRegression:
    return LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)


def main() -> None:
    """Trains, and keeps the weights when told to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"Keep the weights as {TARGET}.")
    arguments = parser.parse_args()
    weights = train()
    if arguments.write:
        TARGET.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=2) + b"\n")
        print(f"written: {TARGET}")


if __name__ == "__main__":
    main()
