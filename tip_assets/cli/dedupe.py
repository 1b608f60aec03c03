"""`tip dedupe`: a JSONL file without the calls that repeat another."""

from pathlib import Path

import click

from tip_assets.cli.console import json_option, reports_failures
from tip_assets.cli.stage_files import FILE, StageCalls, check_files, input_argument, output_argument
from tip_assets.quality.json_report import writing_report
from tip_resources.storage.jsonl import writing_jsonl


@click.command("dedupe")
@input_argument
@output_argument
@click.option("--report", type=FILE, help="Write what was removed, and why, to this JSON file.")
@json_option
@reports_failures
def dedupe(input_file: Path, output_file: Path, report: Path | None, as_json: bool) -> None:
    """Copy IN.jsonl to OUT.jsonl without the calls that repeat an earlier one.

    Two calls are the same when speakers and words are, whatever their case, punctuation and spacing. The
    first one stays. The report is {"kept", "removed": [{"id", "duplicate_of", "method", "similarity"}],
    "seconds"}.
    """
    from tip_assets.quality.duplicates.index import deduplicate

    check_files(input_file, output_file, report)
    calls = StageCalls(input_file, "dedupe")
    with writing_jsonl(output_file) as writer, writing_report(report, "removed") as removed:
        for conversation, match in deduplicate(calls.read()):
            if match is None:
                writer.write(conversation)
            else:
                removed.add(match)
        removed.close_with(kept=writer.count, seconds=calls.seconds())
    summary = {"kept": writer.count, "removed": removed.count}
    calls.finish(summary, f"{writer.count} calls kept, {removed.count} duplicates removed", output_file, as_json)
