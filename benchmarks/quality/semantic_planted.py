"""What the comparison by meaning adds to the word methods on a set with planted duplicates, in how much time.

python -m benchmarks.quality.semantic_planted --words                       4,000 calls of the grammar; half a minute
python -m benchmarks.quality.semantic_planted --words --style recognised    no capitals, no marks
python -m benchmarks.quality.semantic_planted --file CALLS.jsonl            calls of your own; with sentence vectors

Calls come one after the other, as in near_duplicates.py; those no word method matches are compared by meaning with
the near misses that the index names. Recall and precision before and after are of the same set.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks.quality.near_duplicates_calls import STYLES, Turns, grammar_calls
from benchmarks.quality.near_duplicates_planted import Score, plant
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.meaning import MeaningComparer
from tip_assets.quality.duplicates.semantic import CallPair
from tip_assets.quality.duplicates.sentence_model import open_sentence_model
from tip_assets.quality.duplicates.sketches import sketches
from tip_assets.quality.duplicates.text_vectors import RememberedVectors
from tip_resources.domain.conversation import Conversation


def measure(path: Path, comparer: MeaningComparer) -> None:
    """Finds the duplicates of a planted file and prints both scores."""
    decoder = msgspec.json.Decoder(Conversation)
    by_words, with_meaning = Score(), Score()
    index = DuplicateIndex()
    kept: dict[str, Conversation] = {}
    count, pairs, seconds = 0, 0, 0.0
    for line in path.read_bytes().splitlines():
        call = decoder.decode(line)
        (sketch,) = sketches([call])
        count += 1
        match = index.find(sketch)
        by_words.add(call.id, match)
        if match is None:
            asked = [CallPair(new=call, earlier=kept[id_], word_similarity=w) for id_, w in index.near_misses(sketch)]
            began = time.process_time()
            found = [answer for answer in comparer.duplicates(asked) if answer]
            seconds += time.process_time() - began
            pairs += len(asked)
            match = max(found, key=lambda answer: answer.similarity, default=None)
        with_meaning.add(call.id, match)
        if match is None:
            # What meaning matched is no original, so nothing is compared with it.
            index.add(sketch)
            kept[call.id] = call
    for name, score in (("words alone", by_words), ("with meaning", with_meaning)):
        recalls = {kind: round(share, 4) for kind, share in score.recalls().items()}
        print(f"{name}: recall {recalls}; precision {score.precision():.4f}; removed wrongly {score.wrong()}")
    print(f"{count:,} calls; {pairs:,} pairs, {1000 * seconds / max(pairs, 1):.2f} CPU ms each")


def main() -> None:
    """Reads the options, plants, measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=4_000, help="calls in the set, planted ones included")
    parser.add_argument("--style", choices=STYLES, help="how the grammar's text looks (a mixture)")
    parser.add_argument("--file", type=Path, help="originals from JSON lines of calls instead of the grammar")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another set")
    parser.add_argument("--words", action="store_true", help="words in order instead of sentence vectors")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    model = None if options.words else RememberedVectors(open_sentence_model())
    calls = _turns_of(options.file) if options.file else grammar_calls(options.calls, options.seed, style=options.style)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "planted.jsonl")
        plant(calls, options.calls, options.seed, path)
        measure(path, MeaningComparer(0.95, model))


def _turns_of(path: Path) -> list[Turns]:
    decoder = msgspec.json.Decoder(Conversation)
    return [decoder.decode(line).turns for line in path.read_bytes().splitlines() if line]


if __name__ == "__main__":
    main()
