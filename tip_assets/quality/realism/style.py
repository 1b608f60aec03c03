"""How a call sounds, as figures a person can read: what the grade measures, and small habits of speech besides.

Only words count here. Punctuation, dashes and dots are a transcriber's habits, and would tell apart two houses'
transcripts, not people from models. The number of turns is left out as well: it was asked for.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean

import msgspec

from tip_assets.quality.features.measured_call import MeasuredCall, MeasuredTurn
from tip_assets.quality.grading import measured_features
from tip_assets.quality.word_lists import word_list
from tip_resources.domain.conversation import Conversation

_FILLERS = word_list("features", "fillers")
_STOPWORDS = word_list("features", "stopwords")
_SHORT_TURN_WORDS = 3
_LONG_TURN_WORDS = 25
_ECHO_SHARE = 0.5
_UNFINISHED_ENDINGS = frozenset(
    {"and", "but", "or", "so", "because", "the", "a", "an", "my", "your", "to", "of", "with", "in", "at", "i", "it's"}
    | {"that's", "is", "was", "if", "like", "for", "we", "they", "um", "uh"}
)
_THANKS = re.compile(r"\b(?:thanks|thank you|appreciate)\b")
_SORRY = re.compile(r"\b(?:sorry|apologi[sz]e|apologies)\b")
_UNDERSTANDING = re.compile(r"\b(?:i (?:completely |totally |do )?understand|i hear you|i see how|frustrating)\b")


class Feature(msgspec.Struct, frozen=True):
    """How a figure is said: "our calls have fewer back-channels: 4 % against 17 %"."""

    noun: str
    more: str
    less: str
    is_share: bool = True


_MORE_FEWER = ("more", "fewer")
_MORE_LESS = ("more", "less")

FEATURES: dict[str, Feature] = {
    "turn_words": Feature("turns, in words", "longer", "shorter", False),
    "terse_speaker_words": Feature("turns of the quieter speaker, in words", "longer", "shorter", False),
    "turn_length_variation": Feature("variation of turn lengths", *_MORE_LESS, False),
    "longest_turn_words": Feature("longest turn, in words", "a wordier", "a terser", False),
    "customer_share": Feature("of the words said by the customer", *_MORE_LESS),
    "doubled_share": Feature("turns that follow one of the same speaker", *_MORE_FEWER),
    "lexical_variety": Feature("variety of words", *_MORE_LESS),
    "repeated_ngram_share": Feature("repeated phrases", *_MORE_FEWER),
    "repeated_utterance_share": Feature("repeated utterances", *_MORE_FEWER),
    "word_characters": Feature("words, in letters", "longer", "shorter", False),
    "sentence_length_deviation": Feature("variation of sentence lengths", *_MORE_LESS, False),
    "opening_variety": Feature("variety in how turns begin", *_MORE_LESS),
    "backchannel_share": Feature("back-channels", *_MORE_FEWER),
    "question_share": Feature("turns that ask", *_MORE_FEWER),
    "disfluencies_per_100_words": Feature("hesitations per 100 words", *_MORE_FEWER, False),
    "answered_share": Feature("questions that are answered at once", *_MORE_FEWER),
    "taken_up_share": Feature("turns that take up a word of the turns before", *_MORE_FEWER),
    "function_word_share": Feature("small words", *_MORE_FEWER),
    "contracted_share": Feature("contractions where one could be", *_MORE_FEWER),
    "mood_swings": Feature("changes of mood from turn to turn", *_MORE_FEWER),
    "ill_formed_share": Feature("small words in an order that is not grammatical", *_MORE_FEWER),
    "fillers_per_100_words": Feature("fillers (um, uh) per 100 words", *_MORE_FEWER, False),
    "short_turn_share": Feature("turns of up to three words", *_MORE_FEWER),
    "one_word_share": Feature("turns of one word", *_MORE_FEWER),
    "long_turn_share": Feature("turns of more than 25 words", *_MORE_FEWER),
    "sentences_per_turn": Feature("sentences in a turn", *_MORE_FEWER, False),
    "unfinished_share": Feature("turns that break off", *_MORE_FEWER),
    "echo_share": Feature("turns that say back what was just said", *_MORE_FEWER),
    "restart_share": Feature("turns in which somebody starts over", *_MORE_FEWER),
    "thanks_share": Feature("turns that thank", *_MORE_FEWER),
    "sorry_share": Feature("turns that apologise", *_MORE_FEWER),
    "understanding_share": Feature("agents' assurances that they understand", *_MORE_FEWER),
}


def style_features(conversation: Conversation) -> dict[str, float]:
    """The features of `FEATURES` that the call gives a chance to measure; empty for a call without words."""
    measured = measured_features(conversation)
    if not measured:
        return {}
    measured |= _habits(MeasuredCall(conversation))
    return {name: measured[name] for name in FEATURES if name in measured}


def in_words(name: str, ours: float, reference: float) -> str:
    """One difference as a sentence."""
    feature = FEATURES[name]
    side = feature.more if ours > reference else feature.less
    return f"our calls have {side} {feature.noun}: {_shown(ours, feature)} against {_shown(reference, feature)}"


def _shown(value: float, feature: Feature) -> str:
    return f"{value * 100:.1f} %" if feature.is_share else f"{value:.2f}"


def _habits(call: MeasuredCall) -> dict[str, float]:
    turns, lengths = call.turns, [len(turn.words) for turn in call.turns]
    habits = {
        "fillers_per_100_words": 100 * sum(word in _FILLERS for word in call.words) / len(call.words),
        "short_turn_share": fmean(length <= _SHORT_TURN_WORDS for length in lengths),
        "one_word_share": fmean(length == 1 for length in lengths),
        "long_turn_share": fmean(length > _LONG_TURN_WORDS for length in lengths),
        "sentences_per_turn": fmean(len(turn.sentences) for turn in turns),
        "unfinished_share": fmean(turn.words[-1] in _UNFINISHED_ENDINGS for turn in turns),
        "restart_share": fmean(map(_starts_over, turns)),
        "thanks_share": _said_share(turns, _THANKS.search),
        "sorry_share": _said_share(turns, _SORRY.search),
    }
    if len(turns) > 1:
        habits["echo_share"] = fmean(_echoes(before, turn) for before, turn in pairwise(turns))
    if agent := call.turns_of("agent"):
        habits["understanding_share"] = _said_share(agent, _UNDERSTANDING.search)
    return habits


def _said_share(turns: Sequence[MeasuredTurn], found: Callable[[str], object]) -> float:
    return fmean(found(" ".join(turn.words)) is not None for turn in turns)


def _starts_over(turn: MeasuredTurn) -> bool:
    """A word or a pair of words said again right after a break: "I, I thought", "it's, it's not"."""
    words = turn.words
    return any(
        words[place : place + 1] == words[place - 1 : place]
        or (place > 1 and words[place : place + 2] == words[place - 2 : place])
        for place in turn.breaks
        if 0 < place < len(words)
    )


def _echoes(before: MeasuredTurn, turn: MeasuredTurn) -> bool:
    """Somebody else's words, in half of the turn or more; small words alone are no echo."""
    if before.speaker == turn.speaker:
        return False
    words = [word for word in turn.words if word not in _STOPWORDS and word not in _FILLERS]
    return bool(words) and sum(word in before.words for word in words) >= _ECHO_SHARE * len(turn.words)
