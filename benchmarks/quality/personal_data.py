"""What the detectors of personal data find, how well they type it, and how fast they are.

The labelled set is made here (personal_data_set.py): every kind of personal data in written and spoken forms, between
talk that only looks personal. A value counts as found when every letter and digit of it is covered by spans, and as
typed when one of these spans has the type it should have. A span is false when it overlaps no value.

    python -m benchmarks.quality.personal_data                      recall, precision and speed on held-out templates
    python -m benchmarks.quality.personal_data --part training      on the templates the detectors were written with
    python -m benchmarks.quality.personal_data --calls FILE.jsonl   also the speed on your calls (personas' facts with
                                                                    them are searched for too)
    python -m benchmarks.quality.personal_data --engine re          speed without Hyperscan
    python -m benchmarks.quality.personal_data --presidio           beside Presidio's model-free engine (extra)

Speed is characters per second of CPU time of this process, the best of three rounds, after a warm-up.
"""

import argparse
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.quality.personal_data_set import KINDS, Label, LabelledCall, labelled_calls
from tip_assets.quality.personal_data import find_spans, personal_facts
from tip_assets.quality.pii import triggers
from tip_assets.quality.pii.scan import ReScanner
from tip_resources.domain.codec import conversation_from_json
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.redaction import PiiSpan

Find = Callable[[Conversation], Sequence[PiiSpan]]
_ROUNDS = 3


class Score(NamedTuple):
    """Of `values` of a kind, how many were found whole, and how many with the right type."""

    values: int
    found: int
    typed: int


def main() -> None:
    """Reads the arguments and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=("training", "held_out"), default="held_out")
    parser.add_argument("--per-template", type=int, default=20, help="values per form and template (default 20)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--calls", type=Path, nargs="*", default=[], help="JSONL files to measure the speed on")
    parser.add_argument("--engine", choices=("hyperscan", "re"), default="hyperscan")
    parser.add_argument("--presidio", action="store_true", help="measure Presidio too")
    parser.add_argument("--misses", type=int, default=0, help="print so many missed values and false spans")
    arguments = parser.parse_args()
    if arguments.engine == "re":
        use_re()
    calls = labelled_calls(arguments.part, arguments.per_template, arguments.seed)
    print(f"{len(calls)} calls, {sum(len(call.labels) for call in calls)} values, {arguments.part} templates\n")
    report(calls, find_spans, arguments.misses)
    if arguments.presidio:
        print("\nPresidio, model-free engine\n")
        report(calls, presidio_finder(), 0)
    print("\nspeed, million characters per CPU second")
    print_speeds([labelled.call for labelled in calls], arguments.calls)


def use_re() -> None:
    """Puts the `re` scanner in the place of Hyperscan, as on a platform without its wheel."""
    triggers.scanner_of = ReScanner


def presidio_finder() -> Find:
    """Presidio's model-free engine with its types as ours.

    Raises:
        SystemExit: presidio-analyzer is not installed.
    """
    try:
        from tip_assets.quality.pii.presidio import PresidioFinder
    except ImportError as error:
        raise SystemExit(f"Presidio cannot be measured: {error}") from error
    return PresidioFinder().find


def report(calls: Sequence[LabelledCall], find: Find, misses: int) -> None:
    """Prints recall by kind and form, and precision by type."""
    scores: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    right, false, all_spans = Counter[str](), Counter[str](), Counter[str]()
    shown = 0
    for call, labels in calls:
        spans = find(call)
        for label in labels:
            score = scores[label.kind, label.form]
            is_found, is_typed = judge(call, label, spans)
            score[0] += 1
            score[1] += is_found
            score[2] += is_found and is_typed
            if not (is_found and is_typed) and shown < misses:
                shown += 1
                print("missed", label.kind, label.form, "|", call.turns[label.turn].text, "|", touching(label, spans))
        for span in spans:
            over = [label for label in labels if overlaps(label, span)]
            all_spans[span.type] += 1
            right[span.type] += any(label.type == span.type for label in over)
            false[span.type] += not over
            if not over and shown < misses:
                shown += 1
                print("false", span.type, "|", call.turns[span.turn].text[span.start : span.end], "|",
                      call.turns[span.turn].text)  # fmt: skip
    print(f"{'kind':32} {'type':34} {'form':14} {'values':>6} {'found':>7} {'typed':>7}")
    for (kind, form), (count, found, typed) in sorted(scores.items(), key=lambda item: list(KINDS).index(item[0][0])):
        print(f"{kind:32} {KINDS[kind].type:34} {form:14} {count:6} {found / count:7.3f} {typed / count:7.3f}")
    count, found, typed = (sum(score[place] for score in scores.values()) for place in range(3))
    print(f"{'all':32} {'':34} {'':14} {count:6} {found / count:7.3f} {typed / count:7.3f}\n")
    print(f"{'type':34} {'spans':>6} {'precision typed':>16} {'precision any':>14}")
    for kind, number in sorted(all_spans.items()):
        print(f"{kind:34} {number:6} {right[kind] / number:16.3f} {1 - false[kind] / number:14.3f}")
    number = max(1, all_spans.total())
    print(f"{'all':34} {number:6} {right.total() / number:16.3f} {1 - false.total() / number:14.3f}")


def judge(call: Conversation, label: Label, spans: Sequence[PiiSpan]) -> tuple[bool, bool]:
    """Whether every letter and digit of the value is covered, and whether by a span of its type."""
    covered = {place for span in spans if span.turn == label.turn for place in range(span.start, span.end)}
    text = call.turns[label.turn].text
    wanted = {place for place in range(label.start, label.end) if text[place].isalnum()}
    return wanted <= covered, any(span.type == label.type for span in spans if overlaps(label, span))


def overlaps(label: Label, span: PiiSpan) -> bool:
    """Whether the span shares a character with the value."""
    return span.turn == label.turn and span.start < label.end and label.start < span.end


def touching(label: Label, spans: Sequence[PiiSpan]) -> list[str]:
    """The types of the spans that touch a value."""
    return [span.type for span in spans if overlaps(label, span)]


def print_speeds(labelled: Sequence[Conversation], files: Sequence[Path]) -> None:
    """The speed on the labelled set, on the same without its personal data, and on the files."""
    bare = [without_values(call) for call in labelled]
    print_speed("labelled set", labelled, [() for _ in labelled])
    print_speed("its turns without personal data", bare, [() for _ in bare])
    for file in files:
        calls = [conversation_from_json(line) for line in file.read_text(encoding="utf-8").splitlines()]
        facts = [personal_facts(call) for call in calls]
        print_speed(f"{file.name}, no facts known", calls, [() for _ in calls])
        print_speed(
            f"{file.name}, its turns without any", [without_values(call) for call in calls], [() for _ in calls]
        )
        if any(facts):
            print_speed(f"{file.name}, with its facts", calls, facts)


def without_values(call: Conversation) -> Conversation:
    """The call without turns in which something is found."""
    hot = {span.turn for span in find_spans(call)}
    return Conversation(id=call.id, turns=tuple(turn for number, turn in enumerate(call.turns) if number not in hot))


def print_speed(name: str, calls: Sequence[Conversation], facts: Sequence[Sequence]) -> None:
    """Characters per CPU second, the best of some rounds."""
    characters = sum(len(turn.text) for call in calls for turn in call.turns)
    best, spans = float("inf"), 0
    for _ in range(_ROUNDS):
        started = time.process_time()
        spans = sum(len(find_spans(call, known)) for call, known in zip(calls, facts, strict=True))
        best = min(best, time.process_time() - started)
    print(
        f"{name:44} {characters / best / 1e6:6.2f}   {len(calls)} calls of {characters / len(calls):,.0f} characters, "
        f"{1000 * spans / characters:.2f} spans per 1,000 characters"
    )


if __name__ == "__main__":
    main()
