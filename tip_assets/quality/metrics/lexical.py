"""Variety of words within one call, by measures that do not fall with its length: MATTR, MTLD, HD-D.

Definitions as in the package `lexical-diversity` 0.1.1 (Kyle), which cannot be used: it takes the square of a call's
length for MTLD and needs pkg_resources, which setuptools no longer has. The tests hold the values against it. MATTR is
that of the local grade (features/language.py).
"""

import math
from collections import Counter
from collections.abc import Sequence

# McCarthy and Jarvis 2010: a factor is full when the type-token ratio falls below 0.72.
_FULL_FACTOR = 0.72
# Kyle's implementation lets no factor end before ten words.
_LEAST_FACTOR_WORDS = 10
# McCarthy and Jarvis 2007: draws of 42 words.
HDD_DRAW = 42


def mtld(words: Sequence[str]) -> float | None:
    """Mean number of words in a row that keep the type-token ratio at 0.72, both ways; None where it never falls.

    A text in which no word comes twice has no factor at all, so its value has no bound.
    """
    forwards, backwards = _factor_words(words), _factor_words(list(reversed(words)))
    return (forwards + backwards) / 2 if forwards is not None and backwards is not None else None


def _factor_words(words: Sequence[str]) -> float | None:
    factors, seen, count = 0.0, set[str](), 0
    for place, word in enumerate(words, start=1):
        seen.add(word)
        count += 1
        if place == len(words):
            factors += (1 - len(seen) / count) / (1 - _FULL_FACTOR)
        elif count >= _LEAST_FACTOR_WORDS and len(seen) / count < _FULL_FACTOR:
            factors += 1
            seen, count = set(), 0
    return len(words) / factors if factors else None


def hdd(words: Sequence[str]) -> float | None:
    """Expected type-token ratio of 42 words drawn from the text, 0-1; None for a shorter text."""
    total = len(words)
    if total < HDD_DRAW:
        return None
    all_draws = math.lgamma(total + 1) - math.lgamma(total - HDD_DRAW + 1)
    by_frequency = Counter(Counter(words).values())
    return sum(
        types * (1 - _chance_of_none(total, frequency, all_draws)) / HDD_DRAW
        for frequency, types in by_frequency.items()
    )


def _chance_of_none(total: int, frequency: int, all_draws: float) -> float:
    """That a draw holds none of a word's occurrences (hypergeometric)."""
    others = total - frequency
    if others < HDD_DRAW:
        return 0.0
    return math.exp(math.lgamma(others + 1) - math.lgamma(others - HDD_DRAW + 1) - all_draws)
