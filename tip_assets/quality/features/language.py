"""The words themselves: variety, repetition, contractions, sentence lengths (naturalness)."""

from collections import Counter
from statistics import fmean

from tip_assets.quality.features.measured_call import MeasuredCall, deviation
from tip_assets.quality.word_lists import word_list

_STOPWORDS = word_list("features", "stopwords")
# Covington and McFall 2010: the moving-average type-token ratio does not depend on the length of the text.
_MATTR_WINDOW = 50
_NGRAM = 4
_UTTERANCE_WORDS = 3
# Word pairs that speech contracts: "it is" could have been "it's".
_SUBJECTS = frozenset({"i", "you", "he", "she", "it", "we", "they", "that", "there", "what", "who"})
_CONTRACTABLE = frozenset({"am", "is", "are", "will", "would", "have", "has"})
_BEFORE_NOT = frozenset(
    {"do", "does", "did", "is", "are", "was", "were", "have", "has", "had", "would", "could", "should", "will"}
)
_CONTRACTED_ENDINGS = ("n't", "'s", "'re", "'m", "'ll", "'ve", "'d")
_INFORMAL = frozenset({"gonna", "wanna", "gotta", "can't", "won't", "kinda", "dunno", "lemme"})
_LEAST_CHANCES = 5


def language(call: MeasuredCall) -> dict[str, float]:
    """Features of any language."""
    words = call.words
    utterances = Counter(
        (turn.speaker, tuple(turn.words)) for turn in call.turns if len(turn.words) >= _UTTERANCE_WORDS
    )
    ngrams = Counter(zip(*(words[start:] for start in range(_NGRAM)), strict=False))
    features = {
        "lexical_variety": mattr(words),
        "repeated_ngram_share": _repeated_share(ngrams),
        "repeated_utterance_share": _repeated_share(utterances),
        "word_characters": sum(map(len, words)) / len(words),
    }
    sentence_lengths = [len(sentence) for turn in call.turns for sentence in turn.sentences]
    if len(sentence_lengths) > 1:
        features["sentence_length_deviation"] = deviation(sentence_lengths)
    openings = [tuple(turn.words[:2]) for turn in call.turns if len(turn.words) > _UTTERANCE_WORDS]
    if openings:
        features["opening_variety"] = len(set(openings)) / len(openings)
    return features


def english(call: MeasuredCall) -> dict[str, float]:
    """Features that need English words."""
    features = {"function_word_share": fmean([word in _STOPWORDS for word in call.words])}
    contracted = expanded = 0
    for turn in call.turns:
        previous = ""
        for word in turn.words:
            contracted += word in _INFORMAL or ("'" in word and word.endswith(_CONTRACTED_ENDINGS))
            expanded += (word in _CONTRACTABLE and previous in _SUBJECTS) or (word == "not" and previous in _BEFORE_NOT)
            previous = word
    if contracted + expanded >= _LEAST_CHANCES:
        features["contracted_share"] = contracted / (contracted + expanded)
    return features


def mattr(words: list[str]) -> float:
    """Mean share of different words over all windows of 50 words; the plain share for a shorter text."""
    if len(words) <= _MATTR_WINDOW:
        return len(set(words)) / len(words)
    # A word adds one to each window in which it is the first of its kind: to those that begin after its last place.
    total, last_start = 0, len(words) - _MATTR_WINDOW
    place_of: dict[str, int] = {}
    for place, word in enumerate(words):
        first = place_of.get(word, -1) + 1
        if first <= place - _MATTR_WINDOW:
            first = place - _MATTR_WINDOW + 1
        last = place if place < last_start else last_start
        if last >= first:
            total += last - first + 1
        place_of[word] = place
    return total / (last_start + 1) / _MATTR_WINDOW


def _repeated_share(counts: Counter) -> float:
    """Share of all items that occurred before."""
    total = counts.total()
    return (total - len(counts)) / total if total else 0.0
