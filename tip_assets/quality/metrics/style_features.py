"""Conversational figures of one call: how long turns are, who speaks when, hesitation, listening, asking, feeling.

Each is defined in docs/metrics.md. Those shared with the local grade come from features/; these are figures only, what
they should be is said by the reference calls.
"""

import math
from collections import Counter
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Literal

import msgspec

from tip_assets.quality.features.language import english, language
from tip_assets.quality.features.measured_call import MeasuredCall
from tip_assets.quality.features.moods import moods, valence
from tip_assets.quality.features.turn_taking import HEDGES, spoken_style, turn_taking
from tip_assets.quality.word_lists import word_list
from tip_resources.domain.conversation import Conversation, Turn

_HESITATIONS = word_list("features", "fillers")
_CUT_OFF = ("-", "\u2013", "\u2014", "...", "\u2026")
_THIRDS = 3
# Two turns of each speaker: below that nothing can be said of who follows whom, or of a change of mood.
_LEAST_TURNS = 4

Unit = Literal["number", "percent", "per_100_words"]


class StyleFeature(msgspec.Struct, frozen=True, kw_only=True):
    """`label` is the figure in words a reader knows; `more` and `less` say what it means to have more or less of it."""

    label: str
    more: str
    less: str
    unit: Unit = "number"

    def in_words(self, value: float) -> str:
        """The value with its unit."""
        if self.unit == "percent":
            return f"{value:.1%}"
        return f"{value:.3g}" + (" per 100 words" if self.unit == "per_100_words" else "")


def _share(label: str, more: str, less: str) -> StyleFeature:
    return StyleFeature(label=label, more=more, less=less, unit="percent")


FEATURES: dict[str, StyleFeature] = {
    "turns": StyleFeature(label="turns in a call", more="calls are longer", less="calls are shorter"),
    "agent_turn_words": StyleFeature(
        label="words in a turn of the agent", more="agents speak at greater length", less="agents are terser"
    ),
    "customer_turn_words": StyleFeature(
        label="words in a turn of the caller", more="callers speak at greater length", less="callers are terser"
    ),
    "turn_length_variation": StyleFeature(
        label="spread of turn lengths (deviation by mean)",
        more="turn lengths vary more",
        less="turns are too much of one length",
    ),
    "customer_share": _share("share of words that are the caller's", "callers talk more", "callers talk less"),
    "sentence_words": StyleFeature(label="words in a sentence", more="longer sentences", less="shorter sentences"),
    "hesitation_share": _share("turns with um, uh, er", "more hesitation", "too little hesitation"),
    "fillers_per_100_words": StyleFeature(
        label="you know, I mean, kind of", more="more fillers", less="too few fillers", unit="per_100_words"
    ),
    "restarts_per_100_words": StyleFeature(
        label="words said twice in a row", more="more restarts", less="too few restarts", unit="per_100_words"
    ),
    "backchannel_share": _share("turns that only show listening", "more back-channels", "too few back-channels"),
    "question_share": _share("turns that ask", "more questions", "fewer questions"),
    "contracted_share": _share("verbs contracted where they could be", "more contractions", "language too written"),
    "turn_taking_entropy": StyleFeature(
        label="uncertainty of who speaks next, in bits",
        more="turns change hands less regularly",
        less="turns alternate too strictly",
    ),
    "doubled_share": _share(
        "turns that follow one of the same speaker", "more turns in a row by one speaker", "too strict alternation"
    ),
    "cut_off_share": _share("turns that break off before the other speaks", "more interruptions", "too few of them"),
    "overlap_share": _share("turns that begin before the last has ended", "more overlap", "less overlap"),
    "sentiment_start": StyleFeature(
        label="the caller's mood in the first third, -1 to 1", more="callers begin gladder", less="crosser"
    ),
    "sentiment_change": StyleFeature(
        label="change of the caller's mood from first to last third",
        more="moods rise more over the call",
        less="moods rise less over the call",
    ),
    "sentiment_spread": StyleFeature(
        label="deviation of the caller's mood over the call", more="moods vary more", less="feelings are too even"
    ),
    "mood_swings": _share("neighbouring caller turns that flip mood", "more swings of mood", "fewer swings of mood"),
    "reading_grade": StyleFeature(
        label="Coleman-Liau school grade of the words", more="language too bookish", less="simpler language"
    ),
}


def style_features(conversation: Conversation) -> dict[str, float]:
    """Figures by name; empty for a call without words.

    Left out are figures that need English where the call is in another language, those of a speaker who says nothing,
    and overlap where no times are known.
    """
    call = MeasuredCall(conversation)
    if not call.turns:
        return {}
    shape, words = turn_taking(call), language(call)
    found = {name: shape[name] for name in ("turns", "turn_length_variation", "customer_share", "doubled_share")}
    for speaker in ("agent", "customer"):
        if turns := call.turns_of(speaker):
            found[f"{speaker}_turn_words"] = fmean(len(turn.words) for turn in turns)
    sentences = [len(sentence) for turn in call.turns for sentence in turn.sentences]
    found["sentence_words"] = fmean(sentences)
    found |= _taking_turns(conversation, call)
    if call.is_english:
        found |= _english_talk(call) | _feelings(call)
        # Coleman and Liau 1975: letters and sentences per 100 words.
        found["reading_grade"] = 5.88 * words["word_characters"] - 29.6 * len(sentences) / len(call.words) - 15.8
    return found


def turn_taking_entropy(speakers: list[str]) -> float:
    """Entropy of the next speaker, given who speaks, in bits: 0 when they strictly alternate, 1 when it is a coin.

    H(next | now) over neighbouring turns of the call (Shannon's conditional entropy).
    """
    pairs = Counter(pairwise(speakers))
    before = Counter(speakers[:-1])
    total = sum(pairs.values())
    return -sum(n / total * math.log2(n / before[now]) for (now, _), n in pairs.items()) + 0.0


def _taking_turns(conversation: Conversation, call: MeasuredCall) -> dict[str, float]:
    found: dict[str, float] = {}
    if len(call.turns) >= _LEAST_TURNS:
        found["turn_taking_entropy"] = turn_taking_entropy([turn.speaker for turn in call.turns])
    changes = [(one, other) for one, other in pairwise(conversation.turns) if one.speaker != other.speaker]
    if changes:
        found["cut_off_share"] = fmean(one.text.rstrip(" \"'\u201d").endswith(_CUT_OFF) for one, _ in changes)
        overlaps = [overlap for pair in changes if (overlap := _overlap(*pair)) is not None]
        if len(overlaps) == len(changes):
            found["overlap_share"] = fmean(overlaps)
    return found


def _overlap(one: Turn, other: Turn) -> bool | None:
    """Whether the other began before the one had ended; None without times."""
    return None if one.end_ms is None or other.start_ms is None else other.start_ms < one.end_ms


def _english_talk(call: MeasuredCall) -> dict[str, float]:
    talk, total = spoken_style(call), len(call.words)
    found = {name: talk[name] for name in ("backchannel_share", "question_share")}
    found["hesitation_share"] = fmean(not _HESITATIONS.isdisjoint(turn.words) for turn in call.turns)
    found["fillers_per_100_words"] = 100 * sum(len(HEDGES.findall(" ".join(t.words))) for t in call.turns) / total
    twice = sum(one == other and not one.isdigit() for t in call.turns for one, other in pairwise(t.words))
    found["restarts_per_100_words"] = 100 * twice / total
    if (contracted := english(call).get("contracted_share")) is not None:
        found["contracted_share"] = contracted
    return found


def _feelings(call: MeasuredCall) -> dict[str, float]:
    """The caller's mood by a word list: -1 cross, 0 neither, 1 glad for each turn."""
    valences = [valence(turn) for turn in call.turns_of("customer")]
    if len(valences) < _LEAST_TURNS:
        return {}
    third = len(valences) // _THIRDS
    start, end = fmean(valences[:third]), fmean(valences[-third:])
    return {
        "sentiment_start": start,
        "sentiment_change": end - start,
        "sentiment_spread": pstdev(valences),
        "mood_swings": moods(call, None)["mood_swings"],
    }
