"""The diversity of a set as rows: on the whole sample, and beside the reference on equal amounts of both.

Most of these figures change with the size of a set, so a set and a smaller reference are compared on as many calls (or
as many words) of each: those rows end in `_at_equal_size`.
"""

import random
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cached_property
from pathlib import PurePath
from statistics import fmean

import msgspec

from tip_assets.quality.features.style_figures import StyleFigure
from tip_assets.quality.metrics.measured_set import MeasuredSet
from tip_assets.quality.metrics.ngrams import NgramTable
from tip_assets.quality.metrics.repetition import (
    OPENING_WORDS,
    compression_ratio,
    distinct_share,
    opening_entropy,
    self_repetition,
)
from tip_assets.quality.metrics.self_bleu import self_bleu
from tip_assets.quality.metrics.style import compared_metric
from tip_assets.quality.metrics.vendi import vendi_of_embeddings, vendi_of_ngrams
from tip_resources.domain.set_metric import SetMetric

# Zhu et al. 2018 score samples too; a matrix of 500 by 500 has its eigenvalues in a tenth of a second.
PAIRED_CALLS = 500
EQUAL_SIZE = "_at_equal_size"
_DRAWS = 5
_SEED = 7
_LEAST_CALLS = 2


class Drawn:
    """Calls to measure; their n-grams are counted once, when the first measure asks for them."""

    def __init__(self, texts: Sequence[str], words: Sequence[Sequence[Hashable]]) -> None:
        self.texts = texts
        self.words = words

    @cached_property
    def table(self) -> NgramTable:
        """The n-grams of the calls."""
        return NgramTable(self.words)


class SetMeasure(msgspec.Struct, frozen=True, kw_only=True):
    """How one figure of a set is found. Equal amounts are calls, or words; `most_calls` bounds the cost."""

    label: str
    goal: str
    of: Callable[["Drawn"], float]
    by_words: bool = False
    most_calls: int | None = None


MEASURES: dict[str, SetMeasure] = {
    "compression_ratio": SetMeasure(
        label="bytes before by bytes after gzip",
        goal="lower: less repetition within 32 kB",
        of=lambda drawn: compression_ratio(drawn.texts),
        by_words=True,
    ),
    "compression_ratio_xz": SetMeasure(
        label="bytes before by bytes after xz",
        goal="lower: less repetition across the set",
        of=lambda drawn: compression_ratio(drawn.texts, is_far_sighted=True),
        by_words=True,
        most_calls=PAIRED_CALLS,
    ),
    **{
        f"distinct_{size}": SetMeasure(
            label=f"different {size}-grams by all {size}-grams",
            goal="higher: more varied",
            of=lambda drawn, size=size: distinct_share(drawn.table.counts[size]),
            by_words=True,
        )
        for size in (1, 2, 3)
    },
    "self_repetition": SetMeasure(
        label="mean ln(1 + occurrences of a call's 4-grams in other calls)",
        goal="lower: calls share fewer phrases",
        of=lambda drawn: self_repetition(drawn.table),
    ),
    "self_bleu": SetMeasure(
        label="BLEU-4 of each call against all others, smoothed as sacrebleu's exp",
        goal="lower: calls are less alike",
        of=lambda drawn: self_bleu(drawn.table),
        most_calls=PAIRED_CALLS,
    ),
    "vendi_score": SetMeasure(
        label="effective number of different calls, by the mean cosine of 1- to 4-gram counts",
        goal="higher, at most the number of calls",
        of=lambda drawn: vendi_of_ngrams(drawn.table),
        most_calls=PAIRED_CALLS,
    ),
    "opening_entropy": SetMeasure(
        label=f"entropy of the first {OPENING_WORDS} words of the calls, in bits",
        goal="higher, at most log2 of the number of calls",
        of=lambda drawn: opening_entropy(drawn.words)[0],
    ),
}

LEXICAL: dict[str, StyleFigure] = {
    "mattr": StyleFigure("type-token ratio, moving average over 50 words", "a higher", "a lower", "number"),
    "mtld": StyleFigure("runs of words that keep the type-token ratio at 0.72", "longer", "shorter", "number"),
    "hdd": StyleFigure("expected type-token ratio of 42 words drawn", "a higher", "a lower", "number"),
}


def diversity_metrics(ours: MeasuredSet, reference: MeasuredSet | None, embedding_model: str = "") -> list[SetMetric]:
    """All rows of the group `diversity`.

    Args:
        ours: The set.
        reference: The calls it is held against; None leaves the comparisons out.
        embedding_model: A sentence-transformers model for the Vendi score by meaning; empty leaves that out.
    """
    mine = _Draws(ours)
    theirs = _Draws(reference) if reference is not None and reference.words else None
    mine.measure(
        (name, part)
        for name, measure in MEASURES.items()
        for part in (mine.most(measure), *(mine.beside(measure, theirs) if theirs else ()))
    )
    rows = [_whole(name, measure, mine) for name, measure in MEASURES.items()]
    if embedding_model:
        rows.append(_by_meaning(mine, embedding_model))
    if theirs is not None:
        theirs.measure((name, part) for name, measure in MEASURES.items() for part in theirs.beside(measure, mine))
        rows += [_beside(name, measure, mine, theirs) for name, measure in MEASURES.items()]
    spreads = reference.lexical if reference is not None else {}
    rows += [
        compared_metric(name, "diversity", figure, ours.lexical.get(name, ()), spreads.get(name, ()))
        for name, figure in LEXICAL.items()
    ]
    return rows


# A part of a set: how many calls, and the seed they are drawn with; 0 where it is the whole set.
_Part = tuple[int, int]


class _Draws:
    """What is measured of parts of a set. The n-grams of a part take much memory, so one part is there at a time."""

    def __init__(self, some: MeasuredSet) -> None:
        self.of = some
        self.calls = len(some.words)
        self.words = sum(map(len, some.words))
        self._found: dict[tuple[str, _Part], float | ValueError] = {}

    def most(self, measure: SetMeasure) -> _Part:
        """As much as is measured without a comparison."""
        return self._part(min(self.calls, measure.most_calls or self.calls), _SEED)

    def equal_calls(self, measure: SetMeasure, other: "_Draws") -> int:
        """How many calls of either side are compared, where calls are counted."""
        return min(self.calls, other.calls, measure.most_calls or self.calls)

    def equal_words(self, measure: SetMeasure, other: "_Draws") -> int | None:
        """How many words of either side are compared; None where calls are counted."""
        return min(self.words, other.words) if measure.by_words else None

    def beside(self, measure: SetMeasure, other: "_Draws") -> list[_Part]:
        """Parts with as much as `other` has; one where that is the whole set, none where there is too little."""
        calls, words = self.equal_calls(measure, other), self.equal_words(measure, other)
        if calls < _LEAST_CALLS:
            return []
        is_whole = calls == self.calls if words is None else words == self.words
        seeds = range(_SEED, _SEED + (1 if is_whole else _DRAWS))
        return [self._part(calls if words is None else self._calls_with(words, seed), seed) for seed in seeds]

    def measure(self, wanted: Iterable[tuple[str, _Part]]) -> None:
        """Finds the figures of these measures on these parts, for `value`."""
        names: dict[_Part, list[str]] = {}
        for name, part in wanted:
            names.setdefault(part, []).append(name)
        for part, of_part in names.items():
            drawn = self.draw(part)
            for name in of_part:
                try:
                    self._found[name, part] = MEASURES[name].of(drawn)
                except ValueError as reason:
                    self._found[name, part] = reason

    def value(self, name: str, part: _Part) -> float:
        """What was found.

        Raises:
            ValueError: Why it could not be measured.
        """
        found = self._found[name, part]
        if isinstance(found, ValueError):
            raise found
        return found

    def draw(self, part: _Part) -> Drawn:
        """The calls of a part in their own order."""
        calls, seed = part
        chosen = sorted(self._order(seed)[:calls])
        return Drawn([self.of.texts[at] for at in chosen], [self.of.words[at] for at in chosen])

    def _part(self, calls: int, seed: int) -> _Part:
        return (calls, seed if calls < self.calls else 0)

    def _calls_with(self, words: int, seed: int) -> int:
        """How many calls of the draw with that seed take as many words."""
        total = 0
        for taken, place in enumerate(self._order(seed)):
            if total >= words:
                return taken
            total += len(self.of.words[place])
        return self.calls

    def _order(self, seed: int) -> list[int]:
        return random.Random(seed).sample(range(self.calls), self.calls)


def _whole(name: str, measure: SetMeasure, ours: _Draws) -> SetMetric:
    part = ours.most(measure)
    try:
        value = ours.value(name, part)
    except ValueError as reason:
        return _unknown(name, measure, str(reason))
    calls, _ = part
    amount = ours.of.size if calls == ours.calls else f"{calls:,} of them, drawn from {ours.of.size}"
    return SetMetric(
        name=name, group="diversity", value=value, goal=measure.goal, detail=f"{measure.label}; on {amount}"
    )


def _beside(name: str, measure: SetMeasure, ours: _Draws, reference: _Draws) -> SetMetric:
    full_name = name + EQUAL_SIZE
    parts = (ours, ours.beside(measure, reference)), (reference, reference.beside(measure, ours))
    if not parts[0][1]:
        return _unknown(full_name, measure, "fewer than two calls to compare")
    try:
        mine, theirs = (fmean(some.value(name, part) for part in of_side) for some, of_side in parts)
    except ValueError as reason:
        return _unknown(full_name, measure, str(reason))
    words = ours.equal_words(measure, reference)
    amount = f"{words:,} words" if words else f"{ours.equal_calls(measure, reference):,} calls"
    return SetMetric(
        name=full_name,
        group="diversity",
        value=mine,
        reference=theirs,
        distance=abs(mine - theirs) / theirs if theirs else None,
        goal="near the reference",
        detail=f"{measure.label}; on {amount} of each, mean of up to {_DRAWS} draws; the distance is "
        f"|ours - reference| / reference{'' if theirs else ', unknown because the reference is 0'}",
    )


def _by_meaning(ours: _Draws, model: str) -> SetMetric:
    texts = ours.draw(ours.most(MEASURES["vendi_score"])).texts
    label = f"effective number of different calls, by the cosine of embeddings of {PurePath(model).name}"
    return SetMetric(
        name="vendi_score_semantic",
        group="diversity",
        value=vendi_of_embeddings(texts, model) if texts else None,
        goal="higher, at most the number of calls",
        detail=f"{label}; on {len(texts):,} calls of {ours.of.size}" if texts else f"{label}: no calls",
    )


def _unknown(name: str, measure: SetMeasure, reason: str) -> SetMetric:
    return SetMetric(name=name, group="diversity", goal=measure.goal, detail=f"{measure.label}: {reason}")
