"""`tip analyze`: the metrics of calls in JSONL files against reference calls, without Dagster or database."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from tip_assets.cli.console import (
    EXIT_DONE_WITH_REJECTS,
    json_option,
    print_json,
    progress_bar,
    reports_failures,
    say,
)
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.storage.jsonl import BadLine, read_conversations

if TYPE_CHECKING:
    from tip_assets.quality.metrics.analysis import Analysis
    from tip_assets.quality.realism.reference import Reference
    from tip_resources.domain.set_metric import SetMetric

_SHOWN_OFF = 8
_SHOWN_BAD_LINES = 20
_NO_PLAN = "a file of calls has no plan beside it; the asset dataset_metrics measures coverage"
_PATH = click.Path(path_type=Path)


@click.command("analyze")
@click.argument("source", metavar="PATH", type=_PATH)
@click.option("--output", "folder", metavar="DIR", required=True, type=_PATH, help="Where the three files go.")
@click.option(
    "--reference",
    "reference_file",
    metavar="FILE",
    type=_PATH,
    help="JSONL file or folder of real calls to compare with  [default: the setting quality.reference, "
    "config/reference/, or the built-in calls]",
)
@click.option(
    "--embeddings",
    metavar="MODEL",
    default="",
    help="Measure the Vendi score by meaning as well, with this sentence-transformers model or folder of one; needs "
    "the extra `semantic`.",
)
@json_option
@reports_failures
def analyze(source: Path, folder: Path, reference_file: Path | None, embeddings: str, as_json: bool) -> None:
    """Measure how diverse the calls of PATH are and how like real calls they sound.

    PATH is a JSONL file of tip, or a folder of them. DIR gets metrics.json (everything, for machines), metrics.csv
    (a row for each figure) and metrics.html (the page to read; it needs no network).

    Diversity: does the set repeat itself (compression ratio, distinct n-grams, phrases shared between calls,
    Self-BLEU, Vendi score, variety of words). Style: turn lengths, hesitation, back-channels, questions, moods, each as
    a distance to the reference calls, and in words which are off. A set of more than 1,000 calls, or of
    more than 24 million characters, is measured on a sample, the same one every time. docs/metrics.md defines every
    figure.

    \b
    tip analyze calls.jsonl --output metrics
    tip analyze exports/jsonl --output metrics --reference real-calls.jsonl
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput("this is a file.", where=str(folder), mend="Name a folder; it is made where there is none.")
    calls, title = _Calls(source), source.resolve().stem
    reference = _reference(reference_file)
    found = _analysed(calls, reference, embeddings)
    from tip_assets.quality.metrics.files import FILE_NAMES, analysis_document, write_analysis

    more = {"lines": calls.lines, "bad_lines": calls.bad_lines, "reference_lines_left_out": reference.left_out}
    write_analysis(folder, title, found, more)
    if as_json:
        files = [str(folder / name) for name in FILE_NAMES]
        print_json({**analysis_document(title, found, more), "files": files})
    else:
        _tell(found, calls, folder / FILE_NAMES[-1])
    if calls.bad_lines or found.left_out:
        raise SystemExit(EXIT_DONE_WITH_REJECTS)


def _analysed(calls: "_Calls", reference: "Reference", embeddings: str) -> "Analysis":
    from tip_assets.quality.flow.template_rate import template_rate
    from tip_assets.quality.metrics.analysis import analyse
    from tip_assets.quality.metrics.sampling import SAMPLE_CALLS, sample_of_calls

    with progress_bar(None, "read") as bar:
        sample = sample_of_calls(calls.read(bar))
    if not sample.items:
        what = f"none of its {calls.lines} lines is a call" if calls.lines else "there is no call in it"
        raise BadInput(f"{what}.", where=str(calls.source), mend=_SMALLEST_LINE)
    more = [_no_coverage(), *template_rate((call, None) for call in sample.items).metrics()]
    total = len(sample.items) + min(len(reference.conversations), SAMPLE_CALLS)
    with progress_bar(total, "measure") as bar:
        return analyse(sample, reference, more=more, embedding_model=embeddings, on_call=bar.update)


def _reference(file: Path | None) -> "Reference":
    from tip_assets.quality.realism.reference import reference_calls
    from tip_resources.home import project_home
    from tip_resources.settings.layers import load_settings

    settings = load_settings(project_home(), use_database=False)
    if file is not None:
        quality = settings.quality.model_copy(update={"reference": str(file.resolve())})
        settings = settings.model_copy(update={"quality": quality})
    return reference_calls(settings, project_home())


def _no_coverage() -> "SetMetric":
    from tip_resources.domain.set_metric import SetMetric

    return SetMetric(name="plans_delivered", group="coverage", goal="1", detail=_NO_PLAN)


class _Calls:
    """The calls of a file or folder; says on stderr which lines are none."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.lines = self.bad_lines = 0
        if not source.exists():
            raise BadInput("there is no such file or folder.", where=str(source))
        self._files = sorted(source.rglob("*.jsonl")) if source.is_dir() else [source]
        if not self._files:
            raise BadInput("there is no .jsonl file in this folder.", where=str(source))

    def read(self, bar: tqdm) -> Iterator[Conversation]:
        """Every readable call of every file, in order."""
        for file in self._files:
            for item in read_conversations(file):
                self.lines += 1
                bar.update()
                if isinstance(item, BadLine):
                    self._reject(item, file)
                else:
                    yield item

    def _reject(self, line: BadLine, file: Path) -> None:
        self.bad_lines += 1
        if self.bad_lines <= _SHOWN_BAD_LINES:
            where = f"{file.name}: " if len(self._files) > 1 else ""
            tqdm.write(f"tip: {_ascii(where + line.reason)}", file=sys.stderr)


_SMALLEST_LINE = (
    'Each line is a JSON object such as {"id": "1", "turns": [{"speaker": "agent", "text": "..."}, '
    '{"speaker": "customer", "text": "..."}]}.'
)


def _tell(found: "Analysis", calls: _Calls, page: Path) -> None:
    say(f"{found.calls:,} calls, measured on {found.size}")
    say(f"reference: {_ascii(found.reference)}, {found.reference_calls:,} calls")
    for reason, count in {**found.left_out, **found.notes}.items():
        say(f"note: {count:,} calls {reason}")
    if calls.bad_lines:
        say(f"{calls.bad_lines:,} lines left out, the first named above")
    say(_off_in_words(found))
    for sentence in found.off[:_SHOWN_OFF]:
        say(f"  {_ascii(sentence)}")
    say(f"page: {page}")


def _off_in_words(found: "Analysis") -> str:
    """How many figures are off; where none could be compared, that instead of a 0 that sounds like praise."""
    if not any(metric.distance is not None for metric in found.metrics):
        return "no figure could be compared with the reference: too few calls with words"
    return f"{len(found.off)} figures are off" + (", the farthest first:" if found.off else "")


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
