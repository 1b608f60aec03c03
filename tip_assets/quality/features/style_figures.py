"""How a call sounds, as figures a person can read: the one list that sets are compared and calls told apart by.

Each figure is defined in docs/metrics.md. They are figures only; what they should be is said by the reference calls.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Literal

import msgspec

from tip_assets.quality.features.measured_call import MeasuredCall, MeasuredTurn
from tip_assets.quality.features.measured_form import MeasuredForm
from tip_assets.quality.features.moods import moods, valence
from tip_assets.quality.features.turn_taking import HEDGES
from tip_assets.quality.word_lists import word_list
from tip_resources.domain.conversation import Conversation, Turn

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
_CUT_OFF = ("-", "\u2013", "\u2014", "...", "\u2026")
_THIRDS = 3
# Below that nothing can be said of who follows whom, or of a change of mood.
_LEAST_TURNS = 4

Unit = Literal["number", "percent", "per_100_words"]


class StyleFigure(msgspec.Struct, frozen=True):
    """How a figure is said: "fewer back-channels", "4.0 % against 17.0 %".

    `tells_apart` is False where the difference says nothing of who wrote a call: the plan asks for it, or it is a
    transcriber's habit. Such a figure is compared and shown, and no discriminator sees it.
    """

    noun: str
    more: str
    less: str
    unit: Unit = "percent"
    tells_apart: bool = True

    def side(self, is_more: bool) -> str:
        """What it means to have more or less of it than the reference."""
        return f"{self.more if is_more else self.less} {self.noun}"

    def in_words(self, value: float) -> str:
        """The value with its unit."""
        if self.unit == "percent":
            return f"{value * 100:.1f} %"
        return f"{value:.2f}" + (" per 100 words" if self.unit == "per_100_words" else "")


_MORE_FEWER = ("more", "fewer")
_MORE_LESS = ("more", "less")
_LONGER_SHORTER = ("longer", "shorter")

FIGURES: dict[str, StyleFigure] = {
    "turns": StyleFigure("turns in a call", *_MORE_FEWER, "number", tells_apart=False),
    "agent_turn_words": StyleFigure("turns of the agent, in words", *_LONGER_SHORTER, "number"),
    "customer_turn_words": StyleFigure("turns of the caller, in words", *_LONGER_SHORTER, "number"),
    "turn_length_variation": StyleFigure("variation of turn lengths", *_MORE_LESS, "number"),
    "longest_turn_words": StyleFigure("longest turn, in words", "a wordier", "a terser", "number"),
    "short_turn_share": StyleFigure("turns of up to three words", *_MORE_FEWER),
    "one_word_share": StyleFigure("turns of one word", *_MORE_FEWER),
    "long_turn_share": StyleFigure("turns of more than 25 words", *_MORE_FEWER),
    "customer_share": StyleFigure("of the words said by the caller", *_MORE_LESS),
    "sentences_per_turn": StyleFigure("sentences in a turn", *_MORE_FEWER, "number"),
    "sentence_words": StyleFigure("sentences, in words", *_LONGER_SHORTER, "number"),
    "sentence_length_deviation": StyleFigure("variation of sentence lengths", *_MORE_LESS, "number"),
    "turn_taking_entropy": StyleFigure("uncertainty of who speaks next, in bits", *_MORE_LESS, "number"),
    "doubled_share": StyleFigure("turns that follow one of the same speaker", *_MORE_FEWER),
    "cut_off_share": StyleFigure("turns that break off before the other speaks", *_MORE_FEWER, tells_apart=False),
    "overlap_share": StyleFigure("turns that begin before the last has ended", *_MORE_FEWER, tells_apart=False),
    "word_characters": StyleFigure("words, in letters", *_LONGER_SHORTER, "number"),
    "opening_variety": StyleFigure("variety in how turns begin", *_MORE_LESS),
    "repeated_ngram_share": StyleFigure("repeated phrases", *_MORE_FEWER),
    "repeated_utterance_share": StyleFigure("repeated utterances", *_MORE_FEWER),
    "function_word_share": StyleFigure("small words", *_MORE_FEWER),
    "contracted_share": StyleFigure("contractions where one could be", *_MORE_FEWER),
    "ill_formed_share": StyleFigure("small words in an order that is not grammatical", *_MORE_FEWER),
    "fillers_per_100_words": StyleFigure("fillers (um, uh)", *_MORE_FEWER, "per_100_words"),
    "hedges_per_100_words": StyleFigure("hedges (you know, I mean, kind of)", *_MORE_FEWER, "per_100_words"),
    "restarts_per_100_words": StyleFigure("words said twice in a row", *_MORE_FEWER, "per_100_words"),
    "unfinished_share": StyleFigure("turns that end in mid-sentence", *_MORE_FEWER),
    "backchannel_share": StyleFigure("back-channels", *_MORE_FEWER),
    "question_share": StyleFigure("turns that ask", *_MORE_FEWER),
    "answered_share": StyleFigure("questions that are answered at once", *_MORE_FEWER),
    "taken_up_share": StyleFigure("turns that take up a word of the turns before", *_MORE_FEWER),
    "echo_share": StyleFigure("turns that say back what was just said", *_MORE_FEWER),
    "thanks_share": StyleFigure("turns that thank", *_MORE_FEWER),
    "sorry_share": StyleFigure("turns that apologise", *_MORE_FEWER),
    "understanding_share": StyleFigure("agents' assurances that they understand", *_MORE_FEWER),
    "sentiment_start": StyleFigure(
        "mood of the callers at first (-1 to 1)", "a gladder", "a crosser", "number", tells_apart=False
    ),
    "sentiment_change": StyleFigure(
        "rise of the callers' mood over a call", "a greater", "a smaller", "number", tells_apart=False
    ),
    "sentiment_spread": StyleFigure("variation of the callers' mood", *_MORE_LESS, "number"),
    "mood_swings": StyleFigure("caller turns that flip mood", *_MORE_FEWER),
}
TELLING_FIGURES = tuple(name for name, figure in FIGURES.items() if figure.tells_apart)


def style_figures(conversation: Conversation, form: MeasuredForm | None = None) -> dict[str, float]:
    """Those of `FIGURES` that the call gives a chance to measure, in that order; empty for a call without words.

    Left out are figures that need English where the call is in another language, those of a speaker who says nothing,
    and overlap where no times are known. `form` is the call's, where it was measured already.
    """
    form = form or MeasuredForm(conversation)
    call = form.call
    if not call.turns:
        return {}
    found = {**form.features, **_turns(call), **_breaking_in(conversation.turns)}
    if call.is_english:
        found |= {**_habits(call), **_feelings(call)}
    return {name: found[name] for name in FIGURES if name in found}


def in_words(name: str, ours: float, reference: float) -> str:
    """One difference as a sentence without its subject: "fewer back-channels: 4.0 % against 17.0 %"."""
    figure = FIGURES[name]
    return f"{figure.side(ours > reference)}: {figure.in_words(ours)} against {figure.in_words(reference)}"


def turn_taking_entropy(speakers: Sequence[str]) -> float:
    """Entropy of the next speaker, given who speaks, in bits: 0 when they strictly alternate, 1 when it is a coin.

    H(next | now) over neighbouring turns of the call (Shannon's conditional entropy).
    """
    pairs = Counter(pairwise(speakers))
    before = Counter(speakers[:-1])
    total = sum(pairs.values())
    return -sum(n / total * math.log2(n / before[now]) for (now, _), n in pairs.items()) + 0.0


def _turns(call: MeasuredCall) -> dict[str, float]:
    turns, lengths = call.turns, [len(turn.words) for turn in call.turns]
    found = {
        "short_turn_share": fmean([length <= _SHORT_TURN_WORDS for length in lengths]),
        "one_word_share": fmean([length == 1 for length in lengths]),
        "long_turn_share": fmean([length > _LONG_TURN_WORDS for length in lengths]),
        "sentences_per_turn": fmean([len(turn.sentences) for turn in turns]),
        "sentence_words": fmean([len(sentence) for turn in turns for sentence in turn.sentences]),
    }
    for speaker in ("agent", "customer"):
        if said := call.turns_of(speaker):
            found[f"{speaker}_turn_words"] = fmean([len(turn.words) for turn in said])
    if len(turns) >= _LEAST_TURNS:
        found["turn_taking_entropy"] = turn_taking_entropy([turn.speaker for turn in turns])
    return found


def _breaking_in(turns: Sequence[Turn]) -> Mapping[str, float]:
    changes = [(one, other) for one, other in pairwise(turns) if one.speaker != other.speaker]
    if not changes:
        return {}
    found = {"cut_off_share": fmean([one.text.rstrip(" \"'\u201d").endswith(_CUT_OFF) for one, _ in changes])}
    overlaps = [overlap for pair in changes if (overlap := _overlap(*pair)) is not None]
    if len(overlaps) == len(changes):
        found["overlap_share"] = fmean(overlaps)
    return found


def _overlap(one: Turn, other: Turn) -> bool | None:
    """Whether the other began before the one had ended; None without times."""
    return None if one.end_ms is None or other.start_ms is None else other.start_ms < one.end_ms


def _habits(call: MeasuredCall) -> dict[str, float]:
    turns, texts, per_100 = call.turns, [" ".join(turn.words) for turn in call.turns], 100 / len(call.words)
    found = {
        "fillers_per_100_words": per_100 * sum(word in _FILLERS for word in call.words),
        "hedges_per_100_words": per_100 * sum(len(HEDGES.findall(text)) for text in texts),
        "restarts_per_100_words": per_100 * sum(_restarts(turn.words) for turn in turns),
        "unfinished_share": fmean([turn.words[-1] in _UNFINISHED_ENDINGS for turn in turns]),
        "thanks_share": _said_share(texts, _THANKS.search),
        "sorry_share": _said_share(texts, _SORRY.search),
    }
    if len(turns) > 1:
        found["echo_share"] = fmean([_echoes(before, turn) for before, turn in pairwise(turns)])
    if agent := [text for text, turn in zip(texts, turns, strict=True) if turn.speaker == "agent"]:
        found["understanding_share"] = _said_share(agent, _UNDERSTANDING.search)
    return found


def _said_share(texts: Sequence[str], found: Callable[[str], object]) -> float:
    return fmean([found(text) is not None for text in texts])


def _restarts(words: Sequence[str]) -> int:
    """How often a word or a pair of words is said again at once: "I, I thought", "it was, it was not"; no numbers."""
    return sum(
        not word.isdigit()
        and (word == words[place - 1] or (place >= 3 and words[place - 3 : place - 1] == words[place - 1 : place + 1]))
        for place, word in enumerate(words)
        if place
    )


def _echoes(before: MeasuredTurn, turn: MeasuredTurn) -> bool:
    """Somebody else's words, in half of the turn or more; small words alone are no echo."""
    if before.speaker == turn.speaker:
        return False
    words = [word for word in turn.words if word not in _STOPWORDS and word not in _FILLERS]
    return bool(words) and sum(word in before.words for word in words) >= _ECHO_SHARE * len(turn.words)


def _feelings(call: MeasuredCall) -> dict[str, float]:
    """The caller's mood by a word list: -1 cross, 0 neither, 1 glad for each turn."""
    found = moods(call, None)
    valences = [valence(turn) for turn in call.turns_of("customer")]
    if len(valences) >= _LEAST_TURNS:
        third = len(valences) // _THIRDS
        start = fmean(valences[:third])
        found["sentiment_start"] = start
        found["sentiment_change"] = fmean(valences[-third:]) - start
        found["sentiment_spread"] = pstdev(valences)
    return found
