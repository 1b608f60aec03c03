"""Measures the semantic tier: paraphrases found, hard negatives kept, seconds and memory.

python -m benchmarks.quality.semantic CALLS.jsonl                 200 calls, all kinds of pairs; some 2 minutes
python -m benchmarks.quality.semantic CALLS.jsonl --calls 1000 --fit   also fits the curve of certainty anew

CALLS.jsonl holds conversations as `tip` writes them (English, some thousands, so that each has a natural neighbour:
the call nearest by its set of words). Real task-oriented dialogues are best; nothing is downloaded here.
Pairs: paraphrases of four strengths (paraphrases.py), splices of two calls, splices of two calls of one domain, the
agent of one call with the customer of another, and natural neighbours. Figures are CPU seconds of one thread.
"""

import argparse
import math
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
from tip_assets.quality.duplicates.meaning import certainty_of, likeness, said_by
from tip_assets.quality.duplicates.sentence_model import open_sentence_model
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


def report(pairs: Sequence[Pair], likenesses: NDArray[np.float64]) -> None:
    """Prints, for several certainties, recall of each kind of paraphrase and wrongly found pairs of the others."""
    truth = np.array([pair.is_duplicate for pair in pairs])
    certainties = np.array([certainty_of(value) for value in likenesses])
    kinds = sorted({pair.kind for pair in pairs}, key=lambda kind: (not kind.startswith("paraphrase"), kind))
    print("| certainty | likeness | recall | precision | " + " | ".join(kinds) + " |")
    print("|---" * (len(kinds) + 4) + "|")
    for certainty in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99):
        found = certainties >= certainty
        right = int((found & truth).sum())
        least = min(likenesses[found], default=math.nan)
        shares = [float(found[[pair.kind == kind for pair in pairs]].mean()) for kind in kinds]
        print(
            f"| {certainty} | {least:.3f} | {right / truth.sum():.3f} | {right / max(int(found.sum()), 1):.3f} | "
            + " | ".join(f"{share:.3f}" for share in shares)
            + " |"
        )


def fit(pairs: Sequence[Pair], likenesses: NDArray[np.float64]) -> None:
    """Prints middle and steepness of the logistic curve that fits best, paraphrases weighing as much as the rest."""
    from sklearn.linear_model import LogisticRegression

    truth = np.array([pair.is_duplicate for pair in pairs])
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(likenesses[:, None], truth)
    steepness = float(model.coef_[0, 0])
    print(f"fitted: middle {-float(model.intercept_[0]) / steepness:.3f}, steepness {steepness:.1f}")


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
    parser.add_argument("--fit", action="store_true", help="fit the curve of certainty (needs scikit-learn)")
    options = parser.parse_args()
    decoder = msgspec.json.Decoder(Conversation)
    calls = [decoder.decode(line) for line in options.calls.read_bytes().splitlines() if line]
    pairs = pairs_from(calls, options.number, options.seed)

    started = time.process_time()
    import torch

    torch.set_num_threads(1)
    model = open_sentence_model()
    loaded = time.process_time()
    likenesses: list[float] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        chunk = pairs[start : start + _PAIRS_AT_ONCE]
        said = said_by([call for pair in chunk for call in (pair.new, pair.earlier)], model)
        likenesses += [
            likeness(new, old) if new and old else 0.0 for new, old in zip(said[::2], said[1::2], strict=True)
        ]
    seconds = time.process_time() - loaded
    report(pairs, np.array(likenesses))
    if options.fit:
        fit(pairs, np.array(likenesses))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\n{len(pairs)} pairs; model opened in {loaded - started:.1f} CPU s; {1000 * seconds / len(pairs):.0f} CPU ms"
    )
    print(f"a pair without settling any beforehand by its facts; peak {peak_mb:.0f} MB; {model.device}")


if __name__ == "__main__":
    main()
