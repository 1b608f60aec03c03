"""A large JSONL file as it comes from elsewhere, to run the stage commands on.

`python -m benchmarks.scale.big_file /tmp/big.jsonl --gigabytes 1 --half-line` writes calls of the rehearsal grammar:
a byte order mark, lines that end in CRLF, one line in `--broken-every` that is no call, and with `--half-line` a last
one that ends in its middle, as a copy that was broken off does. Prints what a stage must report: how many lines, how
many calls, and the numbers of the lines that are none.

Every call is spliced from parts of several calls of the grammar, so that hardly one repeats another however many there
are; it carries no personal facts, so that patterns alone find personal data. The same arguments write the same file.
Takes some 10 s of CPU for the first calls, and 2 s for each GB.

To see what a stage takes of it: `python -m benchmarks.scale.stage_peak -- scrub /tmp/big.jsonl /tmp/clean.jsonl`.
"""

import argparse
import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec

from benchmarks.scale.rehearsal_variety import Paths, written_calls
from tip_assets.generation.glossary import prompt_for
from tip_assets.planning.domain_library import load_library
from tip_resources.domain.codec import to_json
from tip_resources.domain.dataset_spec import Complexity, DatasetSpec

_DOMAIN = "healthcare"
_PARTS = 4
_SEED = 7
# What stands on lines that are no calls, one after the other; the last is Latin-1, which is no UTF-8.
_BROKEN = (
    b'{"id": "cut short", "turns": [{"speaker": "agent", "te',
    b'{"id": "no turns"}',
    b"<html><body>502 Bad Gateway</body></html>",
    b'{"id": "wrong speaker", "turns": [{"speaker": "bot", "text": "Hello."}]}',
    b'{"id": "Latin-1", "turns": [{"speaker": "agent", "text": "Se\xf1or"}]}',
)


class Written(msgspec.Struct, frozen=True):
    """What is in a file; `broken` are the numbers, from 1, of the lines that are no calls."""

    bytes: int
    lines: int
    calls: int
    broken: tuple[int, ...]


def write_file(file: Path, *, size: int, broken_every: int, has_half_line: bool, calls: Iterator[bytes]) -> Written:
    """Writes lines of `calls` until the file has `size` bytes."""
    broken: list[int] = []
    written = 0
    with file.open("wb") as out:
        written += out.write(b"\xef\xbb\xbf")
        for number in count(1):
            is_last = written >= size
            if is_last and not has_half_line:
                return Written(written, number - 1, number - 1 - len(broken), tuple(broken))
            line = next(calls)
            if is_last:
                broken.append(number)
                written += out.write(line[: len(line) // 2])
                return Written(written, number, number - len(broken), tuple(broken))
            if number % broken_every == 0:
                line = _BROKEN[len(broken) % len(_BROKEN)]
                broken.append(number)
            written += out.write(line + b"\r\n")
    raise AssertionError("count() has no end")


def spliced_calls(distinct: int, complexity: Complexity) -> Iterator[bytes]:
    """Calls without end, as lines of JSON: the first quarter of one of the grammar, the second of another, ..."""
    spec = DatasetSpec(name="big", count=distinct, domain=_DOMAIN, complexity=complexity, seed=_SEED)
    library = load_library(_DOMAIN)
    parts: list[list[bytes]] = [[] for _ in range(_PARTS)]
    for call in written_calls(spec, library, prompt_for(library), Paths()):
        turns = [to_json(turn) for turn in call.turns]
        for place, of_place in enumerate(parts):
            begin, end = (len(turns) * edge // _PARTS for edge in (place, place + 1))
            of_place.append(b",".join(turns[begin:end]))
    draw = random.Random(_SEED)
    for number in count(1):
        turns = b",".join(draw.choice(of_place) for of_place in parts)
        yield b'{"id":"big/%d","domain":"%b","turns":[%b]}' % (number, _DOMAIN.encode(), turns)


def main() -> None:
    """Writes the file and tells what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--gigabytes", type=float, default=1.0, help="Size of the file, in 10^9 bytes.")
    parser.add_argument("--half-line", action="store_true", help="Let the last line end in its middle.")
    parser.add_argument("--broken-every", type=int, default=10_000, help="One line in so many is no call.")
    parser.add_argument("--complexity", choices=("simple", "complex"), default="simple", help="Length of the calls.")
    parser.add_argument("--distinct", type=int, default=2_000, help="Calls of the grammar to splice from.")
    options = parser.parse_args()
    found = write_file(
        options.file,
        size=int(options.gigabytes * 1e9),
        broken_every=options.broken_every,
        has_half_line=options.half_line,
        calls=spliced_calls(options.distinct, options.complexity),
    )
    print(f"{found.bytes / 1e6:,.1f} MB, {found.lines:,} lines, {found.calls:,} calls")
    print(f"{len(found.broken)} lines are no calls: {', '.join(map(str, found.broken))}")


if __name__ == "__main__":
    main()
