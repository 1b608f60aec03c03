"""How much a set repeats itself: compression, distinct n-grams, long n-grams shared between calls, openings.

Definitions and sources: docs/metrics.md. The packages that publish them are held against these in the tests; they are
not used because they load models or tokenizers for what a few array operations do.
"""

import gzip
import lzma
import math
from collections import Counter
from collections.abc import Hashable, Sequence

from tip_assets.quality.metrics.ngrams import NgramCounts, NgramTable

# Four words and more are "long" in Salkar et al. 2022; `diversity` counts n-grams of four.
LONG_NGRAM = 4
# The first words of a call: enough to tell "thank you for calling" from another greeting.
OPENING_WORDS = 5


def compression_ratio(texts: Sequence[str], *, is_far_sighted: bool = False) -> float:
    """Bytes before by bytes after (Shaib et al. 2024): higher is more repetitive.

    Args:
        texts: The calls, joined by a space as in the package `diversity`.
        is_far_sighted: Use xz, which sees repetition over megabytes; gzip sees the last 32 kB only.

    Raises:
        ValueError: There is no text.
    """
    data = " ".join(texts).encode("utf-8", "replace")
    if not data:
        raise ValueError("no text to compress")
    packed = lzma.compress(data) if is_far_sighted else gzip.compress(data)
    return len(data) / len(packed)


def distinct_share(counts: NgramCounts) -> float:
    """Different n-grams by all n-grams of the set (Li et al. 2016), 0-1: higher is more varied.

    Raises:
        ValueError: There is no n-gram.
    """
    if not counts.total:
        raise ValueError("no n-grams")
    return counts.different / counts.total


def self_repetition(table: NgramTable) -> float:
    """Mean over calls of ln(1 + how often its different 4-grams occur in other calls) (Salkar et al. 2022).

    An n-gram counts once for each other call that has it, as in the package `diversity`. 0: no call shares any.

    Raises:
        ValueError: There is no call.
    """
    import numpy as np

    if not table.texts:
        raise ValueError("no calls")
    counts = table.counts[LONG_NGRAM]
    calls_with = np.bincount(counts.ngram, minlength=1)
    elsewhere = np.bincount(counts.text, weights=calls_with[counts.ngram] - 1, minlength=table.texts)
    return float(np.log(elsewhere + 1).mean())


def opening_entropy(texts: Sequence[Sequence[Hashable]]) -> tuple[float, int]:
    """Entropy of the first words of the calls, in bits, and how many different openings there are.

    Raises:
        ValueError: There is no call.
    """
    openings = Counter(tuple(text[:OPENING_WORDS]) for text in texts)
    return entropy_bits(openings), len(openings)


def entropy_bits(counts: Counter) -> float:
    """Shannon entropy of the counts, in bits.

    Raises:
        ValueError: Nothing was counted.
    """
    total = counts.total()
    if not total:
        raise ValueError("nothing was counted")
    # `+ 0.0` turns the -0.0 of a single value into 0.
    return -sum(count / total * math.log2(count / total) for count in counts.values() if count) + 0.0
