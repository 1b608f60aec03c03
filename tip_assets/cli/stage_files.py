"""What the stages on plain files share: the calls of one input, what was wrong with them, and the last word.

The stages themselves (`tip dedupe`, `tip grade`, `tip scrub`) are in their own modules.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from tqdm import tqdm

from tip_assets.cli.console import EXIT_DONE_WITH_REJECTS, counted, print_json, progress_bar, say
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.storage.jsonl import BadLine, read_conversations
from tip_resources.storage.seen_ids import SeenIds

FILE = click.Path(path_type=Path)
input_argument = click.argument("input_file", metavar="IN.jsonl", type=FILE)
output_argument = click.argument("output_file", metavar="OUT.jsonl", type=FILE)


class StageCalls:
    """The calls of the input file; counts what is wrong with it and says so on stderr."""

    def __init__(self, path: Path, label: str) -> None:
        self._path = path
        self._label = label
        self._started = time.perf_counter()
        self._rejects = 0
        self._duplicate_ids = 0
        self._read = 0
        self._was_read = False
        self._as_it_was = (0, 0)

    @property
    def count(self) -> int:
        """Calls read so far, the first time."""
        return self._read

    def read_again_and_again(self) -> Iterator[Conversation]:
        """`read`, and the same calls in silence each further time: what is wrong is counted and said once.

        Raises:
            BadInput: As `read`, or the file changed in the meantime.
        """
        if not self._was_read:
            self._was_read = True
            self._as_it_was = self._size_and_time()
            yield from self.read()
            return
        count = 0
        with progress_bar(self._read, self._label) as bar:
            for item in read_conversations(self._path):
                if isinstance(item, BadLine):
                    continue
                count += 1
                if count > self._read:
                    break
                bar.update()
                yield item
        if count != self._read or self._size_and_time() != self._as_it_was:
            raise BadInput(
                "the file changed while it was read.", where=str(self._path), mend="Try again once it is written."
            )

    def _size_and_time(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_size, found.st_mtime_ns

    def check_can_be_read_again(self, mend: str) -> None:
        """Raises BadInput for a pipe, which gives its lines once; `mend` says what to do instead."""
        if not self._path.is_file():
            raise BadInput("this is no file that can be read twice.", where=str(self._path), mend=mend)

    def read(self) -> Iterator[Conversation]:
        """Every readable call in order.

        Raises:
            BadInput: The file holds no call at all; a half-written output is then thrown away.
        """
        with SeenIds() as seen, progress_bar(None, self._label) as bar:
            for item in read_conversations(self._path):
                if isinstance(item, BadLine):
                    self.reject(item.reason)
                    continue
                self._duplicate_ids += not seen.add(item.id)
                self._read += 1
                bar.update()
                yield item
        if self._read == 0:
            what = f"none of its {self._rejects} lines is a call" if self._rejects else "the file is empty"
            raise BadInput(f"{what}.", where=str(self._path), mend=_SMALLEST_LINE)

    def reject(self, what: str) -> None:
        """Counts something that could not be used and says it."""
        self._rejects += 1
        tqdm.write(f"tip: {what}", file=sys.stderr)

    def seconds(self) -> float:
        """Since the start."""
        return round(time.perf_counter() - self._started, 3)

    def finish(self, summary: Mapping[str, object], text: str, output: Path, as_json: bool) -> None:
        """Prints the summary, and ends with exit code 3 when something was left out."""
        if as_json:
            print_json(
                {
                    "read": self._read,
                    **summary,
                    "rejects": self._rejects,
                    "duplicate_ids": self._duplicate_ids,
                    "seconds": self.seconds(),
                    "output": str(output),
                }
            )
        else:
            say(f"{text}: {output}")
            if self._duplicate_ids:
                one = self._duplicate_ids == 1
                have, kept = ("has", "it is kept as it is") if one else ("have", "they are kept as they are")
                say(f"{counted(self._duplicate_ids, 'call')} {have} the id of an earlier one; {kept}")
            if self._rejects:
                what = "line or call" if self._rejects == 1 else "lines or calls"
                say(f"{self._rejects:,} {what} left out, named above")
        if self._rejects:
            raise SystemExit(EXIT_DONE_WITH_REJECTS)


_SMALLEST_LINE = (
    'Each line is a JSON object such as {"id": "1", "turns": [{"speaker": "agent", "text": "..."}, '
    '{"speaker": "customer", "text": "..."}]}.'
)


def check_files(input_file: Path, output_file: Path, report: Path | None) -> None:
    """Before anything is written.

    Raises:
        BadInput: No such input, a folder, or one file named twice.
    """
    if not input_file.exists():
        raise BadInput("there is no such file.", where=str(input_file))
    if input_file.is_dir():
        raise BadInput("this is a folder, not a file.", where=str(input_file), mend="Name a JSONL file in it.")
    used = {input_file.resolve(): "the input"}
    for path, name in ((output_file, "the output"), (report, "the report")):
        if path is None:
            continue
        check_output(path, name)
        if path.resolve() in used:
            raise BadInput(
                f"{name} would overwrite {used[path.resolve()]}.", where=str(path), mend="Name another file."
            )
        used[path.resolve()] = name


def check_output(path: Path, name: str) -> None:
    """Before anything is written, whose place a finished file takes.

    Raises:
        BadInput: A folder, or a device or pipe, which would be replaced by a file of that name.
    """
    if path.is_dir():
        raise BadInput(f"{name} is a folder.", where=str(path), mend="Name a file.")
    if path.exists() and not path.is_file():
        raise BadInput(f"{name} is a device or a pipe, not a file.", where=str(path), mend="Name a file.")
