"""`tip export`: a JSONL file as a Lex, CSV or JSONL export, on plain files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace
from upath import UPath

from tip_assets.cli.console import (
    EXIT_DONE_WITH_REJECTS,
    json_option,
    print_json,
    progress_bar,
    reports_failures,
    say,
)
from tip_resources.domain.failures import BadInput

if TYPE_CHECKING:
    from tip_assets.exports.manifest import ExportSummary, OutputStyle
    from tip_assets.exports.plain_files import PlainCalls

# More would scroll the summary away; --json has the first thousand.
_SHOWN_BAD_LINES = 20
_COUNTING_BLOCK_BYTES = 1 << 20


@click.command("export")
@click.argument("source", metavar="IN.jsonl", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("directory", metavar="DIR")
@click.option(
    "--format", "export_format", type=click.Choice(["lex", "csv", "jsonl"]), required=True, help="What to write."
)
@click.option(
    "--style",
    type=click.Choice(["type_tag", "pii", "surrogate", "hash"]),
    default=None,
    help="Personal data becomes [NAME] (type_tag, the default), [PII], a made-up value, or [NAME_3F9A2C51].",
)
@click.option("--raw", is_flag=True, help="Leave personal data in; the export is marked Raw.")
@click.option(
    "--date",
    "fallback",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    default=None,
    help="Lex: day of calls that carry no start time [default: today, UTC].",
)
@click.option("--dataset", default=None, help="Name of the set in the manifest [default: the name of IN].")
@click.option(
    "--minimum-turns",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Lex: warn below this many turns in all.",
)
@json_option
@reports_failures
def export(
    source: Path,
    directory: str,
    export_format: str,
    style: "OutputStyle | None",
    raw: bool,
    fallback: datetime | None,
    dataset: str | None,
    minimum_turns: int,
    as_json: bool,
) -> None:
    """Export the calls of IN.jsonl into the folder DIR, which appears whole. DIR may be s3://BUCKET/PREFIX.

    An earlier export of the same format in DIR is replaced; any other folder that is not empty is refused.
    Calls that were never scrubbed are scrubbed on the way: by the facts that `tip generate` left in them,
    else by patterns alone, which can miss names.

    \b
    tip export calls.jsonl lex-out --format lex
    tip export calls.jsonl tables --format csv --style pii
    """
    if raw and style:
        raise click.UsageError("--raw leaves personal data in, so --style has nothing to say; use one of them.")
    chosen: OutputStyle = "raw" if raw else style or "type_tag"
    day = (fallback or datetime.now(UTC)).date()
    from tip_assets.exports.plain_files import PlainCalls
    from tip_resources.home import project_home
    from tip_resources.redaction_key import redaction_key

    writer = _writer(export_format, fallback_date=day, minimum_turns=minimum_turns)
    with (
        _place(source, directory, export_format) as folder,
        progress_bar(_line_count(source), f"export {export_format}") as bar,
    ):
        calls = PlainCalls(source, scrubs=not raw, on_line=partial(bar.update, 1))
        name = dataset or source.stem
        key = redaction_key(project_home(), name) if chosen in ("surrogate", "hash") else None
        summary = writer(calls, folder, dataset=name, style=chosen, key=key, late_warnings=calls.warnings)
    if _is_remote(directory):
        summary = replace(summary, directory=UPath(directory))
    if as_json:
        print_json(_as_json(summary, calls))
    else:
        _tell(summary, calls)
    if calls.bad_lines or summary.left_out:
        raise SystemExit(EXIT_DONE_WITH_REJECTS)


def _writer(export_format: str, **lex_options: object) -> Callable[..., "ExportSummary"]:
    if export_format == "lex":
        from tip_assets.exports.lex import write_lex

        return partial(write_lex, **lex_options)  # pyright: ignore[reportArgumentType]
    if export_format == "csv":
        from tip_assets.exports.csv_export import write_csv

        return write_csv
    from tip_assets.exports.jsonl_export import write_jsonl

    return write_jsonl


@contextmanager
def _place(source: Path, directory: str, export_format: str) -> Iterator[Path]:
    """A local folder to export into, which is or becomes `directory`."""
    from tip_resources.storage.places import is_local, storage_root

    target = storage_root(directory, Path.cwd(), named="DIR")
    if is_local(target):
        folder = Path(target.path) if "://" in directory else Path(directory)
        _refuse_input_inside(source, folder)
        yield folder
        return
    from tip_assets.exports.export_in_s3 import building_in_s3

    with building_in_s3(target, export_format) as folder:
        yield folder


def _refuse_input_inside(source: Path, directory: Path) -> None:
    """The folder is replaced as a whole, so an input in it would go with it."""
    if (
        directory.resolve() in source.resolve().parents
        and directory.is_dir()
        and (directory / "manifest.json").exists()
    ):
        raise BadInput(
            f"the input {source.name} lies in the folder that the export would replace.",
            where=str(directory),
            mend="Name another folder.",
        )


def _line_count(source: Path) -> int | None:
    """Lines of the file for the progress bar; None when nobody sees the bar."""
    if not sys.stderr.isatty() or not source.is_file():
        return None
    with source.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, _COUNTING_BLOCK_BYTES), b""))


def _as_json(summary: "ExportSummary", calls: "PlainCalls") -> dict[str, object]:
    return {
        **summary.as_dict(),
        "lines": calls.lines,
        "bad_lines": calls.bad_lines,
        "first_bad_lines": [{"line": line.number, "reason": line.reason} for line in calls.first_bad_lines],
        "scrubbed_here": calls.scrubbed_here,
        "spans_found_here": calls.spans_found_here,
    }


def _tell(summary: "ExportSummary", calls: "PlainCalls") -> None:
    for line in calls.first_bad_lines[:_SHOWN_BAD_LINES]:
        click.echo(f"tip: {_ascii(line.reason)}", err=True)
    if calls.bad_lines > _SHOWN_BAD_LINES:
        click.echo(f"tip: {calls.bad_lines - _SHOWN_BAD_LINES} more lines like these.", err=True)
    say(f"{summary.conversations} calls, {summary.turns} turns in {summary.files} files: {summary.directory}")
    for warning in summary.warnings:
        say(f"note: {_ascii(warning)}")
    if summary.format == "lex" and summary.files and not _is_remote(str(summary.directory)):
        ours = "--exclude manifest.json --exclude spans.jsonl"
        say(f'to S3: aws s3 sync "{summary.directory}" s3://BUCKET/PREFIX {ours}')


def _is_remote(directory: str) -> bool:
    return directory.startswith("s3://")


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
