"""Measures the semantic tier: paraphrases found, hard negatives kept, seconds and memory.

python -m benchmarks.quality.semantic CALLS.jsonl                 200 calls, all kinds of pairs; some 2 minutes
python -m benchmarks.quality.semantic CALLS.jsonl --words         the same without the extra: words in order
python -m benchmarks.quality.semantic CALLS.jsonl --fit           also fits the curve of certainty anew
python -m benchmarks.quality.semantic CALLS.jsonl --floor         also how alike by words is what sentences find

CALLS.jsonl holds conversations as `tip` writes them (English, some thousands, so that each has a natural neighbour:
the call nearest by its set of words). Real task-oriented dialogues are best; nothing is downloaded here.
Pairs: paraphrases of four strengths (paraphrases.py), splices of two calls, splices of two calls of one domain, the
agent of one call with the customer of another, and natural neighbours. Figures are CPU seconds of one thread.
"""

import argparse
import random
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.paraphrases import crossed, paraphrase, splice
from tip_assets.quality.duplicates.meaning import Said, certainty_of, facts_shared, likeness, likeness_at, said_by
from tip_assets.quality.duplicates.neighbours import whole_vector
from tip_assets.quality.duplicates.semantic import SentenceModel
from tip_assets.quality.duplicates.sentence_model import open_sentence_model
from tip_assets.quality.duplicates.spoken_pieces import named_in
from tip_assets.quality.duplicates.word_vectors import WordVectors
from tip_assets.quality.words import words_of
from tip_resources.domain.conversation import Conversation

_STRENGTHS = (0.5, 0.7, 0.9, 1.0)
_PAIRS_AT_ONCE = 100


class Pair(NamedTuple):
    """Two calls of which we know whether they say the same."""

    kind: str
    new: Conversation
    earlier: Conversation

    @property
    def is_duplicate(self) -> bool:
        """Only paraphrases are."""
        return self.kind.startswith("paraphrase")


def pairs_from(calls: Sequence[Conversation], number: int, seed: int) -> list[Pair]:
    """Five pairs a call: one paraphrase, two splices, one crossed, one natural neighbour."""
    rng = random.Random(seed)
    by_domain: dict[str, list[Conversation]] = {}
    for call in calls:
        by_domain.setdefault(call.domain, []).append(call)
    words = [frozenset(word for turn in call.turns for word in words_of(turn.text)) for call in calls]
    pairs: list[Pair] = []
    for count, place in enumerate(rng.sample(range(len(calls)), min(number, len(calls)))):
        call, strength = calls[place], _STRENGTHS[count % len(_STRENGTHS)]
        pairs.append(Pair(f"paraphrase {strength}", paraphrase(call, rng, strength), call))
        other, akin = _other(call, calls, rng), _other(call, by_domain[call.domain], rng)
        pairs.append(Pair("splice", splice(call, other, rng), rng.choice((call, other))))
        pairs.append(Pair("splice of one domain", splice(call, akin, rng), rng.choice((call, akin))))
        pairs.append(Pair("crossed, of one domain", crossed(call, akin), rng.choice((call, akin))))
        alike = [len(words[place] & theirs) / max(len(words[place] | theirs), 1) for theirs in words]
        alike[place] = -1.0
        pairs.append(Pair("natural neighbour", call, calls[int(np.argmax(alike))]))
    return pairs


def report(pairs: Sequence[Pair], name: str, values: NDArray[np.float64], thresholds: Sequence[float]) -> None:
    """Prints, for several thresholds, recall and precision, and of each kind the share that is found."""
    truth = np.array([pair.is_duplicate for pair in pairs])
    kinds = sorted({pair.kind for pair in pairs}, key=lambda kind: (not kind.startswith("paraphrase"), kind))
    print(f"\n| {name} | recall | precision | " + " | ".join(kinds) + " |")
    print("|---" * (len(kinds) + 3) + "|")
    for threshold in thresholds:
        found = values >= threshold
        right = int((found & truth).sum())
        shares = [float(found[[pair.kind == kind for pair in pairs]].mean()) for kind in kinds]
        figures = (right / truth.sum(), right / max(int(found.sum()), 1), *shares)
        print(f"| {threshold} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")


def fit(pairs: Sequence[Pair], likenesses: NDArray[np.float64]) -> None:
    """Prints middle and steepness of the logistic curve that fits best, paraphrases weighing as much as the rest."""
    from sklearn.linear_model import LogisticRegression

    truth = np.array([pair.is_duplicate for pair in pairs])
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(likenesses[:, None], truth)
    steepness = float(model.coef_[0, 0])
    print(f"fitted: middle {-float(model.intercept_[0]) / steepness:.3f}, steepness {steepness:.1f}")


def show_floors(pairs: Sequence[Pair], likenesses: NDArray[np.float64]) -> None:
    """Prints how many of the paraphrases found would be left, and how many pairs read, under a floor by words."""
    by_words = np.array([_likeness_by_words(pair) for pair in pairs])
    found = np.array([pair.is_duplicate for pair in pairs]) & (likenesses >= likeness_at(0.95))
    print("\n| least likeness by words | found by sentences | pairs to read |\n|---|---|---|")
    for floor in (0.0, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45):
        print(f"| {floor} | {int((found & (by_words >= floor)).sum())} | {int((by_words >= floor).sum())} |")


def _likeness_by_words(pair: Pair) -> float:
    new, earlier = said_by([pair.new, pair.earlier], WordVectors())
    return likeness(new, earlier) if new and earlier else 0.0


def _other(call: Conversation, calls: Sequence[Conversation], rng: random.Random) -> Conversation:
    """Another call than this one, where there is one."""
    other = rng.choice(calls)
    return other if other.id != call.id else calls[(calls.index(call) + 1) % len(calls)]


def main() -> None:
    """Reads the options, measures, prints Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("calls", type=Path, help="JSON lines of conversations")
    parser.add_argument("--calls", dest="number", type=int, default=200, help="calls to make pairs of (200)")
    parser.add_argument("--seed", type=int, default=1, help="which calls, and how they are rewritten (1)")
    parser.add_argument("--words", action="store_true", help="words in order instead of sentence vectors")
    parser.add_argument("--floor", action="store_true", help="what a least likeness by words loses")
    parser.add_argument("--fit", action="store_true", help="fit the curve of certainty (needs scikit-learn)")
    options = parser.parse_args()
    decoder = msgspec.json.Decoder(Conversation)
    calls = [decoder.decode(line) for line in options.calls.read_bytes().splitlines() if line]
    pairs = pairs_from(calls, options.number, options.seed)

    started = time.process_time()
    model = WordVectors() if options.words else _one_threaded_model()
    opened = time.process_time()
    said: list[Said | None] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        said += said_by([call for pair in pairs[start : start + _PAIRS_AT_ONCE] for call in pair[1:]], model)
    sides = list(zip(said[::2], said[1::2], strict=True))
    likenesses = np.array([likeness(new, earlier) if new and earlier else 0.0 for new, earlier in sides])
    seconds = time.process_time() - opened
    report(pairs, "certainty", np.array([certainty_of(value) for value in likenesses]), (0.5, 0.8, 0.9, 0.95, 0.98))
    cosines = [float(whole_vector(new) @ whole_vector(earlier)) if new and earlier else 0.0 for new, earlier in sides]
    report(pairs, "cosine of one vector a call", np.array(cosines), (0.8, 0.85, 0.9, 0.95, 0.98))
    if options.fit:
        fit(pairs, likenesses)
    if options.floor:
        show_floors(pairs, likenesses)
    least = likeness_at(0.95)
    settled = sum(facts_shared(named_in(pair.new.turns), named_in(pair.earlier.turns)) < least for pair in pairs)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{len(pairs)} pairs, {1000 * seconds / len(pairs):.1f} CPU ms each; {settled} need no model: other facts")
    print(f"opened in {opened - started:.1f} CPU s; peak {peak_mb:.0f} MB, calls read included; on {model.device}")


def _one_threaded_model() -> SentenceModel:
    """One thread: what several cost is not twice as fast, and CPU seconds can be compared."""
    import torch  # pyright: ignore[reportMissingImports] - the extra semantic

    torch.set_num_threads(1)
    return open_sentence_model()


if __name__ == "__main__":
    main()
