"""How many planted duplicates are found, how many calls are removed wrongly, how fast, and in how much memory.

    python -m benchmarks.quality.near_duplicates                            100,000 calls of the grammar
    python -m benchmarks.quality.near_duplicates --corpus short             0.7 kB a call
    python -m benchmarks.quality.near_duplicates --corpus recognised        no capitals, no marks
    python -m benchmarks.quality.near_duplicates --file CALLS.jsonl         calls of your own as originals
    python -m benchmarks.quality.near_duplicates --calls 30000 --curve      the same for thresholds from 0.5 to 0.9
    python -m benchmarks.quality.near_duplicates --further                  replaced only, foreign words, shuffled turns
    python -m benchmarks.quality.near_duplicates --calls 1000000 --on-disk  words and keys in files

The set is written to a file first; what is measured is a process of its own that reads it in batches. CPU seconds are
those of all its threads for sketching and finding, reading the file left out; the peak is its whole memory, reading
and libraries included (mapped files too with --on-disk; `own` is without them).
"""

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.quality.near_duplicates_calls import Turns, grammar_calls
from benchmarks.quality.near_duplicates_planted import Score, plant
from tip_assets.quality.duplicates.index import DuplicateIndex
from tip_assets.quality.duplicates.sketches import sketches
from tip_assets.quality.duplicates.thresholds import DEFAULT, Thresholds
from tip_resources.domain.conversation import Conversation

_CORPORA: dict[str, dict[str, Any]] = {
    "usual": {},
    "short": {"length": "short"},
    "recognised": {"style": "recognised"},
}
_BATCH = 256
_CURVE = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000, help="calls in the set, planted ones included")
    parser.add_argument("--corpus", choices=_CORPORA, default="usual", help="which calls of the grammar")
    parser.add_argument("--file", type=Path, help="originals from a JSONL file of calls instead of the grammar")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes another set")
    parser.add_argument("--on-disk", action="store_true", help="the index keeps words and keys in files")
    parser.add_argument("--further", action="store_true", help="plant copies with further kinds of edits")
    parser.add_argument("--curve", action="store_true", help="measure at nine thresholds, as a Markdown table")
    parser.add_argument("--near", type=float, default=DEFAULT.near, help="threshold of similarity by all words")
    parser.add_argument("--masked", type=float, default=DEFAULT.masked, help="threshold without names and numbers")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    wishes = parser.parse_args()
    if wishes.measure:
        print(json.dumps(measured(wishes.measure, Thresholds(near=wishes.near, masked=wishes.masked), wishes.on_disk)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.jsonl"
        calls = (
            _calls_of(wishes.file)
            if wishes.file
            else grammar_calls(wishes.calls, wishes.seed, **_CORPORA[wishes.corpus])
        )
        plant(calls, wishes.calls, wishes.seed, path, wishes.further)
        thresholds = _CURVE if wishes.curve else (wishes.near,)
        for near in thresholds:
            figures = _in_own_process(path, near, wishes.masked, wishes.on_disk)
            print(_row(near, figures) if wishes.curve else json.dumps(figures, indent=2), flush=True)


def measured(path: Path, thresholds: Thresholds, on_disk: bool) -> dict[str, Any]:
    """Finds the duplicates of a planted file and returns the figures."""
    score, cpu_seconds, count, characters = Score(), 0.0, 0, 0
    with tempfile.TemporaryDirectory() as folder, path.open("rb") as lines:
        index = DuplicateIndex(folder=Path(folder) if on_disk else None, thresholds=thresholds)
        decoder = msgspec.json.Decoder(Conversation)
        while batch := [decoder.decode(line) for line in itertools.islice(lines, _BATCH)]:
            began = _cpu_seconds()
            matches = index.find_or_add_all(sketches(batch))
            cpu_seconds += _cpu_seconds() - began
            count += len(batch)
            characters += sum(len(turn.text) for call in batch for turn in call.turns)
            for call, match in zip(batch, matches, strict=True):
                score.add(call.id, match)
    return {
        "calls": count,
        "characters a call": round(characters / count),
        "recall": {kind: round(share, 4) for kind, share in score.recalls().items()},
        "precision": score.precision(),
        "removed wrongly": score.wrong(),
        "calls per CPU second": round(count / cpu_seconds),
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "own MB at the end": _own_megabytes(),
    }


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _own_megabytes() -> int | None:
    """Memory that is no mapped file (Linux), None elsewhere."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["RssAnon"].split()[0]) // 1024


def _calls_of(path: Path) -> Iterator[Turns]:
    decoder = msgspec.json.Decoder(Conversation)
    with path.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line).turns


def _in_own_process(path: Path, near: float, masked: float, on_disk: bool) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.quality.near_duplicates", "--measure", str(path)]
    command += ["--near", str(near), "--masked", str(masked), *(["--on-disk"] if on_disk else [])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def _row(near: float, figures: dict[str, Any]) -> str:
    recall = figures["recall"]
    edits = [share for kind, share in recall.items() if kind != "paraphrase"]
    worst = min(edits) if edits else None
    return f"| {near:.2f} | {worst:.3f} | {recall.get('paraphrase', float('nan')):.3f} | {figures['precision']:.4f} |"


if __name__ == "__main__":
    main()
