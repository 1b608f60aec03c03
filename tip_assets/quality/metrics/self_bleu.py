"""Self-BLEU (Zhu et al. 2018): BLEU-4 of every call with all the others as its references; higher is more alike.

BLEU is sacrebleu's (Post 2018): clipped counts, the closest reference length (the shorter of two), and exponential
smoothing of orders without a match. sacrebleu itself would count the n-grams of all references again for every call,
which is quadratic; here the highest and the second highest count of each n-gram are kept instead, so that "the highest
of all others" is one look-up. The tests hold it against sacrebleu.
"""

import math
from typing import TYPE_CHECKING

from tip_assets.quality.metrics.ngrams import MOST_WORDS, NgramCounts, NgramTable

if TYPE_CHECKING:
    import numpy as np


def self_bleu(table: NgramTable) -> float:
    """Mean over the calls, 0-1.

    Raises:
        ValueError: Fewer than two calls, so there is nothing to compare.
    """
    if table.texts < 2:
        raise ValueError("fewer than two calls")
    matches = {size: _matches(counts, table.texts) for size, counts in table.counts.items()}
    lengths = [int(length) for length in table.lengths]
    closest = _closest_lengths(lengths)
    total = 0.0
    for text, length in enumerate(lengths):
        matched = [int(matches[size][text]) for size in range(1, MOST_WORDS + 1)]
        total += _bleu(matched, length, closest[text])
    return total / table.texts


def _matches(counts: NgramCounts, texts: int) -> "np.ndarray":
    """For each text, its n-grams that another text has too, each clipped at the most any one other has it."""
    import numpy as np

    if not counts.count.size:
        return np.zeros(texts, dtype=np.int64)
    # Within each n-gram the counts from low to high: the last two are the highest of all.
    order = np.lexsort((counts.count, counts.ngram))
    ngram, text, count = counts.ngram[order], counts.text[order], counts.count[order]
    ends = np.append(np.flatnonzero(ngram[1:] != ngram[:-1]), ngram.size - 1)
    has_second = np.diff(ends, prepend=-1) > 1
    second = np.where(has_second, count[np.maximum(ends - 1, 0)], 0)
    group = np.searchsorted(ends, np.arange(ngram.size))
    of_others = np.where(np.arange(ngram.size) == ends[group], second[group], count[ends][group])
    return np.bincount(text, weights=np.minimum(count, of_others), minlength=texts).astype(np.int64)


def _closest_lengths(lengths: list[int]) -> list[int]:
    """For each text the length of another that is closest to its own; the shorter of two equally close ones."""
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    closest = [0] * len(lengths)
    for place, text in enumerate(order):
        beside = [lengths[order[other]] for other in (place - 1, place + 1) if 0 <= other < len(order)]
        closest[text] = min(beside, key=lambda length: (abs(length - lengths[text]), length))
    return closest


def _bleu(matched: list[int], length: int, reference: int) -> float:
    """BLEU of one text from its matches by order; orders longer than the text are left out (effective order)."""
    smooth, logs = 1.0, []
    for size, hits in enumerate(matched, start=1):
        possible = length - size + 1
        if possible < 1:
            break
        if hits:
            logs.append(math.log(hits / possible))
        else:
            smooth *= 2
            logs.append(-math.log(smooth * possible))
    if not logs or not any(matched):
        return 0.0
    brevity = 1.0 if length >= reference else math.exp(1 - reference / length)
    return brevity * math.exp(sum(logs) / len(logs))
