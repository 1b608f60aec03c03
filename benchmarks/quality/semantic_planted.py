"""What the comparison by meaning adds to the word methods on a set with planted duplicates, in how much time.

python -m benchmarks.quality.semantic_planted --words                       4,000 calls of the grammar; half a minute
python -m benchmarks.quality.semantic_planted --words --corpus recognised   no capitals, no marks
python -m benchmarks.quality.semantic_planted --words --corpus short --calls 20000 --curve     recall and precision
python -m benchmarks.quality.semantic_planted --file CALLS.jsonl            calls of your own; with sentence vectors
python -m benchmarks.quality.semantic_planted --words --file CALLS.jsonl --cleared 0.6   without their own duplicates

The set is compared as `deduped_conversations` does it, the first of several survives. Recall and precision before and
after are of the same set. A set of people's calls may hold duplicates of its own; what is removed of them counts as
wrong ("original"). With --cleared originals are left out first that are alike as strings of characters
(rapidfuzz's `ratio`, digits left out, every call with every earlier one): another measure than any that is measured.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.quality.near_duplicates_calls import Turns, grammar_calls
from benchmarks.quality.near_duplicates_planted import COPIES, INTERLEAVED, SPLICES, Score, plant
from tip_assets.quality.duplicates.comparison import Comparison
from tip_assets.quality.duplicates.matches import DuplicateMatch
from tip_assets.quality.duplicates.meaning import MeaningComparer
from tip_assets.quality.duplicates.rare_words import RareWordNeighbours
from tip_assets.quality.duplicates.semantic import CallPair, SemanticComparer
from tip_assets.quality.duplicates.sentence_model import open_sentence_model
from tip_assets.quality.duplicates.text_vectors import RememberedVectors
from tip_assets.quality.duplicates.whole_set import find_survivors
from tip_resources.domain.conversation import Conversation

_CORPORA = {"usual": {}, "short": {"length": "short"}, "recognised": {"style": "recognised"}}
_CURVE = (0.5, 0.8, 0.95, 0.99, 0.999)
_BLOCK_ROWS = 256


class _Counted:
    """Counts the pairs asked for."""

    def __init__(self, comparer: SemanticComparer) -> None:
        self._comparer = comparer
        self.pairs = 0

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        """See `SemanticComparer`."""
        self.pairs += len(pairs)
        return self._comparer.duplicates(pairs)


class _Remembered:
    """Answers for several certainties, having each pair compared once; a pair is known by its places in the set."""

    def __init__(self, model: RememberedVectors | None) -> None:
        self._any = MeaningComparer(0.0, model)
        self._known: dict[tuple[str, str], DuplicateMatch | None] = {}
        self.certainty = 0.0

    def duplicates(self, pairs: Sequence[CallPair]) -> list[DuplicateMatch | None]:
        """See `SemanticComparer`."""
        new = [pair for pair in pairs if (pair.new.id, pair.earlier.id) not in self._known]
        answers = self._any.duplicates(new)
        self._known.update(((pair.new.id, pair.earlier.id), found) for pair, found in zip(new, answers, strict=True))
        found = [self._known[pair.new.id, pair.earlier.id] for pair in pairs]
        return [one if one and one.similarity >= self.certainty else None for one in found]


def measure(calls: Sequence[Conversation], comparer: SemanticComparer | None) -> tuple[Score, int, float]:
    """The score of a planted set, the pairs compared by meaning, and the CPU seconds."""
    counted = _Counted(comparer) if comparer else None
    finders = [RareWordNeighbours()] if comparer else []
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = find_survivors(lambda: calls, Path(folder), Comparison(keep="first"), semantic=counted, finders=finders)
        with closing(found):
            removed = {row.id: row for row in found.removed()}
    seconds = time.process_time() - began
    score = Score()
    for call in calls:
        row = removed.get(call.id)
        same = row and DuplicateMatch(
            id=row.id, duplicate_of=row.duplicate_of, method=row.method, similarity=row.similarity
        )
        score.add(call.id, same)
    return score, counted.pairs if counted else 0, seconds


def show(name: str, score: Score) -> None:
    """Prints recall by kind, precision, and what was removed wrongly."""
    recalls = {kind: round(share, 3) for kind, share in score.recalls().items()}
    print(f"{name}: recall {recalls}; precision {score.precision():.4f}; removed wrongly {score.wrong()}")


def show_curve(calls: Sequence[Conversation], model: RememberedVectors | None) -> None:
    """Prints, by certainty, the worst recall of the edits, that of paraphrases, and precision."""
    print("| certainty | edits | paraphrase | precision |\n|---|---|---|---|")
    comparer = _Remembered(model)
    for certainty in (*_CURVE, None):
        comparer.certainty = certainty or 0.0
        score, _, _ = measure(calls, None if certainty is None else comparer)
        recalls = dict(score.recalls())
        paraphrase = recalls.pop("paraphrase")
        name = "words alone" if certainty is None else certainty
        print(f"| {name} | {min(recalls.values()):.3f} | {paraphrase:.3f} | {score.precision():.3f} |", flush=True)


def cleared(originals: Sequence[Turns], most_alike: float) -> list[Turns]:
    """Those that no earlier one is as alike to, by the characters of all that is said but digits."""
    from rapidfuzz import fuzz, process  # pyright: ignore[reportMissingImports] - by hand: uv pip install rapidfuzz

    texts = ["".join(c for turn in turns for c in f"{turn.text.lower()} " if not c.isdigit()) for turns in originals]
    kept: list[Turns] = []
    for start in range(0, len(texts), _BLOCK_ROWS):
        block = texts[start : start + _BLOCK_ROWS]
        alike = process.cdist(block, texts[: start + len(block)], scorer=fuzz.ratio, score_cutoff=100 * most_alike)
        for row in range(len(block)):
            if not np.any(alike[row, : start + row]):
                kept.append(originals[start + row])
    return kept


def main() -> None:
    """Reads the options, plants, measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=4_000, help="calls in the set, planted ones included")
    parser.add_argument("--corpus", choices=_CORPORA, default="usual", help="which calls of the grammar (usual)")
    parser.add_argument("--file", type=Path, help="originals from JSON lines of calls instead of the grammar")
    parser.add_argument("--cleared", type=float, help="leave out originals as alike as this (0-1) to an earlier one")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another set")
    parser.add_argument("--certainty", type=float, default=0.95, help="quality.duplicate_threshold (0.95)")
    parser.add_argument("--curve", action="store_true", help="measure at five certainties, as a Markdown table")
    parser.add_argument("--words", action="store_true", help="words in order instead of sentence vectors")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    model = None if options.words else RememberedVectors(open_sentence_model())
    originals: list[Turns] = (
        _turns_of(options.file)
        if options.file
        else list(grammar_calls(options.calls, options.seed, **_CORPORA[options.corpus]))
    )
    if options.cleared is not None:
        before, originals = len(originals), cleared(originals, options.cleared)
        print(f"{before - len(originals):,} of {before:,} originals left out: alike to an earlier one")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "planted.jsonl")
        # Copies stand anywhere up to the number of calls, so it must be one that the originals are enough for.
        most = int(len(originals) / (1 - COPIES - SPLICES - INTERLEAVED))
        plant(originals, min(options.calls, most), options.seed, path)
        decoder = msgspec.json.Decoder(Conversation)
        calls = [decoder.decode(line) for line in path.read_bytes().splitlines()]
    if options.curve:
        show_curve(calls, model)
        return
    by_words, _, seconds = measure(calls, None)
    show("words alone", by_words)
    with_meaning, pairs, more = measure(calls, MeaningComparer(options.certainty, model))
    show("with meaning", with_meaning)
    print(f"{len(calls):,} calls; {seconds:.1f} CPU s, {more:.1f} with meaning; {pairs:,} pairs")


def _turns_of(path: Path) -> list[Turns]:
    decoder = msgspec.json.Decoder(Conversation)
    return [decoder.decode(line).turns for line in path.read_bytes().splitlines() if line]


if __name__ == "__main__":
    main()
