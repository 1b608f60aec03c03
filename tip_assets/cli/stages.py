"""`tip dedupe`, `tip grade`, `tip scrub`: the quality stages on plain JSONL files, without Dagster.

Everything streams: one call is held at a time, besides what a stage must remember (fingerprints, ids).
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from tqdm import tqdm

from tip_assets.cli.console import (
    EXIT_DONE_WITH_REJECTS,
    json_option,
    print_json,
    progress_bar,
    reports_failures,
    say,
)
from tip_assets.quality.json_report import JsonReport, writing_report
from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.storage.jsonl import BadLine, JsonlWriter, read_conversations, writing_jsonl

if TYPE_CHECKING:
    from tip_assets.quality.judged_calls import JudgeTier
    from tip_assets.quality.pii.styles import RedactionStyle

_FILE = click.Path(path_type=Path)
input_argument = click.argument("input_file", metavar="IN.jsonl", type=_FILE)
output_argument = click.argument("output_file", metavar="OUT.jsonl", type=_FILE)


@click.command("dedupe")
@input_argument
@output_argument
@click.option("--report", type=_FILE, help="Write what was removed, and why, to this JSON file.")
@json_option
@reports_failures
def dedupe(input_file: Path, output_file: Path, report: Path | None, as_json: bool) -> None:
    """Copy IN.jsonl to OUT.jsonl without the calls that repeat an earlier one.

    Two calls are the same when speakers and words are, whatever their case, punctuation and spacing. The
    first one stays. The report is {"kept", "removed": [{"id", "duplicate_of", "method", "similarity"}],
    "seconds"}.
    """
    from tip_assets.quality.duplicates.index import deduplicate

    _check_files(input_file, output_file, report)
    calls = _Calls(input_file, "dedupe")
    with writing_jsonl(output_file) as writer, writing_report(report, "removed") as removed:
        for conversation, match in deduplicate(calls.read()):
            if match is None:
                writer.write(conversation)
            else:
                removed.add(match)
        removed.close_with(kept=writer.count, seconds=calls.seconds())
    summary = {"kept": writer.count, "removed": removed.count}
    calls.finish(summary, f"{writer.count} calls kept, {removed.count} duplicates removed", output_file, as_json)


@click.command("grade")
@input_argument
@output_argument
@click.option(
    "--tier",
    type=click.Choice(["local", "network", "openai"]),
    default="local",
    show_default=True,
    help="Who grades. local: measures the form of a call, no model. network: a model of yours judges. openai: a "
    "paid API judges.",
)
@click.option(
    "--rehearsal", is_flag=True, help="With --tier network: ask the scripted server; its grades mean nothing."
)
@json_option
@reports_failures
def grade(input_file: Path, output_file: Path, tier: str, rehearsal: bool, as_json: bool) -> None:
    """Copy IN.jsonl to OUT.jsonl with a grade on every call, under annotations.grade.

    Realism, coherence, naturalness and overall are 0-5; the named metrics are 0-1. docs/grading.md says
    what each of them measures. A judge sees redacted text only.
    """
    if rehearsal and tier != "network":
        raise click.UsageError("--rehearsal goes with --tier network.")
    _check_files(input_file, output_file, None)
    calls = _Calls(input_file, "grade")
    if tier == "local":
        graded = _measured(calls)
    else:
        graded = _judged(calls, "openai" if tier == "openai" else "network", rehearsal)
    totals = dict.fromkeys(("realism", "coherence", "naturalness", "overall"), 0.0)
    count = 0
    with writing_jsonl(output_file) as writer:
        for conversation in graded:
            writer.write(conversation)
            if given := conversation.annotations.grade:
                count += 1
                for name in totals:
                    totals[name] += getattr(given, name)
    means = {name: round(total / count, 3) if count else None for name, total in totals.items()}
    said = ", ".join(f"{name} {mean:.2f}" for name, mean in means.items() if mean is not None)
    summary = {"graded": count, "tier": tier, "mean": means}
    calls.finish(summary, f"{count} calls graded, on average {said or 'nothing'} of 5", output_file, as_json)


def _measured(calls: "_Calls") -> Iterator[Conversation]:
    from tip_assets.quality.grading import grade_locally

    for conversation in calls.read():
        annotations = msgspec.structs.replace(conversation.annotations, grade=grade_locally(conversation))
        yield msgspec.structs.replace(conversation, annotations=annotations)


def _judged(calls: "_Calls", tier: "JudgeTier", rehearsal: bool) -> Iterator[Conversation]:
    from tip_assets.quality.judged_calls import judged_calls
    from tip_resources.fleet.fleet_servers import this_machine_alone
    from tip_resources.home import project_home
    from tip_resources.settings.layers import load_settings

    settings = load_settings(project_home(), use_database=False)
    return judged_calls(
        calls.read(),
        tier=tier,
        settings=settings,
        environ=os.environ,
        rehearsal=rehearsal,
        on_ungraded=calls.reject,
        fleet=this_machine_alone(project_home()),
    )


@click.command("scrub")
@input_argument
@output_argument
@click.option("--report", type=_FILE, help="Write where personal data was found to this JSON file.")
@click.option(
    "--style",
    type=click.Choice(["type_tag", "pii"]),
    default="type_tag",
    show_default=True,
    help="Write [NAME], [PHONE], ... or [PII] in the place of personal data.",
)
@json_option
@reports_failures
def scrub(input_file: Path, output_file: Path, report: Path | None, style: str, as_json: bool) -> None:
    """Copy IN.jsonl to OUT.jsonl with the personal data replaced.

    Facts listed under annotations.extra.personal_facts (as `tip generate` writes them) are found in any
    form; everything else by patterns. A call in which a known fact is left is not written. The report is
    {"spans": [{"id", "turn", "start", "end", "type", "source"}], "seconds"}, offsets into the input text.
    """
    _check_files(input_file, output_file, report)
    calls = _Calls(input_file, "scrub")
    with writing_jsonl(output_file) as writer, writing_report(report, "spans") as spans:
        for conversation in calls.read():
            _scrub_one(conversation, "pii" if style == "pii" else "type_tag", writer, spans, calls)
        spans.close_with(seconds=calls.seconds())
    summary = {"scrubbed": writer.count, "spans": spans.count}
    text = f"{writer.count} calls scrubbed, {spans.count} places of personal data replaced"
    calls.finish(summary, text, output_file, as_json)


def _scrub_one(
    conversation: Conversation, style: "RedactionStyle", writer: JsonlWriter, spans: JsonReport, calls: "_Calls"
) -> None:
    from tip_assets.quality.leaks import leaked_facts
    from tip_assets.quality.personal_data import find_spans, personal_facts
    from tip_assets.quality.scrubbing import redact

    try:
        facts = personal_facts(conversation)
    except BadInput as error:
        calls.reject(str(error))
        return
    found = find_spans(conversation, facts)
    annotations = msgspec.structs.replace(conversation.annotations, spans=found)
    redacted = redact(msgspec.structs.replace(conversation, annotations=annotations), style, facts)
    leaked = leaked_facts(redacted, facts)
    if leaked:
        calls.reject(f"call {conversation.id}: could not scrub {', '.join(leaked)}; the call is left out.")
        return
    for span in found:
        spans.add({"id": conversation.id, **msgspec.to_builtins(span)})
    writer.write(redacted)


class _Calls:
    """The calls of the input file; counts what is wrong with it and says so on stderr."""

    def __init__(self, path: Path, label: str) -> None:
        self._path = path
        self._label = label
        self._started = time.perf_counter()
        self._rejects = 0
        self._duplicate_ids = 0
        self._read = 0

    def read(self) -> Iterator[Conversation]:
        """Every readable call in order.

        Raises:
            BadInput: The file holds no call at all; a half-written output is then thrown away.
        """
        seen: set[int] = set()
        with progress_bar(None, self._label) as bar:
            for item in read_conversations(self._path):
                if isinstance(item, BadLine):
                    self.reject(item.reason)
                    continue
                # Eight bytes of an id instead of the id: what is remembered stays small.
                short = hash(item.id)
                if short in seen:
                    self._duplicate_ids += 1
                seen.add(short)
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
                say(f"{self._duplicate_ids} calls have the id of an earlier one; they are kept as they are")
            if self._rejects:
                say(f"{self._rejects} lines or calls left out, named above")
        if self._rejects:
            raise SystemExit(EXIT_DONE_WITH_REJECTS)


_SMALLEST_LINE = (
    'Each line is a JSON object such as {"id": "1", "turns": [{"speaker": "agent", "text": "..."}, '
    '{"speaker": "customer", "text": "..."}]}.'
)


def _check_files(input_file: Path, output_file: Path, report: Path | None) -> None:
    if not input_file.exists():
        raise BadInput("there is no such file.", where=str(input_file))
    if input_file.is_dir():
        raise BadInput("this is a folder, not a file.", where=str(input_file), mend="Name a JSONL file in it.")
    used = {input_file.resolve(): "the input"}
    for path, name in ((output_file, "the output"), (report, "the report")):
        if path is None:
            continue
        if path.is_dir():
            raise BadInput(f"{name} is a folder.", where=str(path), mend="Name a file.")
        if path.resolve() in used:
            raise BadInput(
                f"{name} would overwrite {used[path.resolve()]}.", where=str(path), mend="Name another file."
            )
        used[path.resolve()] = name
