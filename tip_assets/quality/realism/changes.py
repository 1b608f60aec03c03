"""What can be changed about how calls are asked for, and which difference each change is meant to mend.

A change is a guess. Whether it does what it is meant to, a trial says (effects.py); most guesses fail it.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from tip_assets.experiments.prompt_variants import BUILT_IN
from tip_assets.planning.recipes import HabitChanges, Recipe
from tip_assets.quality.realism.discriminator import Telling

Side = Literal["low", "high"]

_BEHAVIOURS = (
    "tells more of the story than was asked",
    "answers in as few words as possible",
    "mishears now and then and asks again",
    "does something else meanwhile and loses the thread once",
    "interrupts when an answer gets long",
    "thinks aloud and corrects themselves",
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a recipe. `mends` names features and on which side of the reference ours have to be."""

    name: str
    mends: tuple[tuple[str, Side], ...]
    prompt: str = ""
    habits: HabitChanges = HabitChanges()

    def apply(self, recipe: Recipe) -> Recipe:
        """The recipe with this change; factors multiply, lists grow."""
        before, more = recipe.habits, self.habits
        habits = HabitChanges(
            caller_hesitation=round(before.caller_hesitation * more.caller_hesitation, 3),
            agent_hesitation=round(before.agent_hesitation * more.agent_hesitation, 3),
            fillers=tuple(dict.fromkeys((*before.fillers, *more.fillers))),
            spellings=before.spellings | more.spellings,
            patience_spread=before.patience_spread + more.patience_spread,
            behaviours=tuple(dict.fromkeys((*before.behaviours, *more.behaviours))),
        )
        prompt = tuple(dict.fromkeys((*recipe.prompt, *([self.prompt] if self.prompt else []))))
        return msgspec.structs.replace(recipe, prompt=prompt, habits=habits)


def _spoken() -> str:
    """The wording that `tip prompt-test` compares under this name."""
    (text,) = (variant.append for variant in BUILT_IN if variant.name == "spoken" and variant.append)
    return " ".join(text.split())


def _on(side: Side, *names: str) -> tuple[tuple[str, Side], ...]:
    return tuple((name, side) for name in names)


_HESITATION = ("fillers_per_100_words", "hedges_per_100_words", "restarts_per_100_words")
_TURN_WORDS = ("agent_turn_words", "customer_turn_words")

CHANGES: tuple[Change, ...] = (
    Change(
        name="callers hesitate more",
        mends=_on("low", *_HESITATION),
        habits=HabitChanges(caller_hesitation=2.0),
    ),
    Change(
        name="agents hesitate more",
        mends=_on("low", *_HESITATION),
        habits=HabitChanges(agent_hesitation=3.0),
    ),
    Change(
        name="everybody hesitates less",
        mends=_on("high", *_HESITATION),
        habits=HabitChanges(caller_hesitation=0.5, agent_hesitation=0.5),
    ),
    Change(
        name="um and uh for everybody",
        mends=(("fillers_per_100_words", "low"),),
        habits=HabitChanges(fillers=("um", "uh")),
    ),
    Change(
        name="everybody says gonna, wanna, kinda",
        mends=(("contracted_share", "low"), ("word_characters", "high")),
        habits=HabitChanges(spellings={"going to": "gonna", "want to": "wanna", "kind of": "kinda", "got to": "gotta"}),
    ),
    Change(
        name="everybody contracts",
        mends=(("contracted_share", "low"), ("word_characters", "high")),
        habits=HabitChanges(
            spellings={
                "I am": "I'm",
                "I have": "I've",
                "I will": "I'll",
                "it is": "it's",
                "do not": "don't",
                "that is": "that's",
                "you are": "you're",
                "we are": "we're",
                "cannot": "can't",
            }
        ),
    ),
    Change(
        name="spoken, not written (the wording of tip prompt-test)",
        mends=(
            *_on("high", *_TURN_WORDS),
            ("short_turn_share", "low"),
            ("turn_length_variation", "low"),
            ("sentences_per_turn", "high"),
            ("contracted_share", "low"),
        ),
        prompt=_spoken(),
    ),
    Change(
        name="short turns",
        mends=(*_on("high", *_TURN_WORDS), ("short_turn_share", "low"), ("long_turn_share", "high")),
        prompt="Most turns are under eight words. Only now and then does somebody speak for two sentences or more.",
    ),
    Change(
        name="longer turns",
        mends=(*_on("low", *_TURN_WORDS), ("short_turn_share", "high"), ("one_word_share", "high")),
        prompt="Let people explain: about one turn in four is two or three sentences long.",
    ),
    Change(
        name="listening noises",
        mends=(("backchannel_share", "low"), ("one_word_share", "low")),
        prompt="While one speaks the other listens aloud: many turns are only mm-hm, okay, right, or yeah.",
    ),
    Change(
        name="fewer listening noises",
        mends=(("backchannel_share", "high"), ("one_word_share", "high")),
        prompt="Acknowledge seldom with a turn of its own; answer instead.",
    ),
    Change(
        name="broken-off sentences",
        mends=(("unfinished_share", "low"), ("restarts_per_100_words", "low")),
        prompt="People are cut off in the middle of a sentence, start over, and leave sentences unfinished.",
    ),
    Change(
        name="saying back",
        mends=(("echo_share", "low"),),
        prompt="Numbers and names are said in pieces, and the listener says each piece back; sometimes it is misheard.",
    ),
    Change(
        name="the customer has more to say",
        mends=(("customer_share", "low"),),
        prompt="The customer says as much as the agent: background, doubts, asides. The agent keeps it brief.",
    ),
    Change(
        name="fewer thanks and apologies",
        mends=(("thanks_share", "high"), ("sorry_share", "high"), ("understanding_share", "high")),
        prompt="Politeness is sparing: at most one thanks before the farewell, at most one apology, no assurances.",
    ),
    Change(
        name="callers differ more",
        mends=(
            ("turn_length_variation", "low"),
            ("mood_swings", "low"),
            ("opening_variety", "low"),
            ("customer_share", "low"),
        ),
        habits=HabitChanges(patience_spread=0.2, behaviours=_BEHAVIOURS),
    ),
)


def proposals(telling: Sequence[Telling], recipe: Recipe, dropped: frozenset[str], most: int) -> tuple[Change, ...]:
    """At most `most` changes that would mend what gives us away most, largest difference first.

    Args:
        dropped: Names of changes that were tried before and did not help; they are not tried again.
    """
    sides = [(found.name, _side(found)) for found in telling]
    fitting = (change for side in sides for change in CHANGES if side in change.mends)
    fresh = (change for change in fitting if change.name not in dropped and change.apply(recipe) != recipe)
    return tuple({change.name: change for change in fresh}.values())[:most]


def _side(found: Telling) -> Side:
    return "high" if found.ours > found.reference else "low"
