"""Which call a line of an exported file is, and what the export's manifest says of that file.

Knows files only; where the call came from is found in origin.py.
"""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from tip_assets.exports.csv_cells import unguarded
from tip_assets.exports.manifest import MANIFEST_NAME, SPANS_NAME, FileSource, Manifest, ManifestFile, read_manifest
from tip_resources.domain.failures import BadInput
from tip_resources.storage.checksums import sha256_of

# A Lex file lies three folders (year, month, day) below its manifest.
_FOLDERS_TO_MANIFEST = 4
_LONGEST_CELL = 1 << 27


class ExportedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A call in an exported file.

    `call` is the call's id, `turn` the turn of a row of turns.csv (from 0), `request_hash` of the model call that wrote
    it, as far as line and manifest say it. `manifest` is None for a file that was taken out of its export.
    """

    file: Path
    line: int
    call: str
    turn: int | None = None
    dataset: str = ""
    request_hash: str = ""
    manifest: Manifest | None = None
    entry: ManifestFile | None = None

    def is_as_exported(self) -> bool | None:
        """Whether the file still has the checksum of its manifest; None without a manifest."""
        if self.entry is None:
            return None
        return sha256_of(self.file) == self.entry.sha256


def exported_line(file: Path, line: int | None = None) -> ExportedLine:
    """The call in line `line` of `file`, counted from 1 as an editor does.

    `file` is conversations.jsonl, spans.jsonl, turns.csv, calls.csv or a Lex file of an export, or any JSONL file of
    calls. A file with one call needs no line.

    Raises:
        BadInput: No such file or line, or what stands there is not a call.
    """
    if not file.is_file():
        raise BadInput("there is no such file.", where=str(file))
    number, fields = _fields(file, line)
    manifest, entry = _manifest_of(file)
    call = _call_id(fields, entry)
    if not call:
        raise BadInput(
            "this is not a line of an export: it names no call.",
            where=f"{file}, line {number}",
            mend="Name conversations.jsonl, turns.csv, calls.csv, spans.jsonl or a Lex file.",
        )
    source = (entry.source if entry else None) or FileSource()
    turn = fields.get("turn")
    return ExportedLine(
        file=file,
        line=number,
        call=call,
        turn=int(turn) if isinstance(turn, str) and turn.isdigit() else None,
        dataset=_text(fields, "dataset") or source.dataset or (manifest.dataset if manifest else ""),
        request_hash=_text(fields, "request_hash")
        or _text(fields.get("provenance"), "request_hash")
        or source.request_hash,
        manifest=manifest,
        entry=entry,
    )


def _fields(file: Path, line: int | None) -> tuple[int, dict[str, Any]]:
    """What stands in the line, by name, and the line's number."""
    try:
        if file.suffix.lower() == ".csv":
            return _csv_row(file, line)
        return _json_line(file, line)
    except UnicodeDecodeError as error:
        raise BadInput("this is no text in UTF-8.", where=str(file)) from error


def _json_line(file: Path, line: int | None) -> tuple[int, dict[str, Any]]:
    with file.open(encoding="utf-8-sig") as lines:
        first = list(islice(lines, (line or 1) - 1, (line or 1) + (line is None)))
    if not first:
        raise BadInput(f"the file has no line {line or 1}.", where=str(file))
    if len(first) > 1 and line is None and file.suffix != ".json":
        raise BadInput("the file holds many calls.", where=str(file), mend=f"Say which line: tip trace {file} 1")
    text = file.read_text(encoding="utf-8-sig") if line is None else first[0]
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadInput(f"this is no JSON ({error}).", where=f"{file}, line {line or 1}") from error
    if not isinstance(value, dict):
        raise BadInput("this is no JSON object.", where=f"{file}, line {line or 1}")
    return line or 1, value


def _csv_row(file: Path, line: int | None) -> tuple[int, dict[str, Any]]:
    if line is None:
        raise BadInput("the file holds many calls.", where=str(file), mend=f"Say which line: tip trace {file} 2")
    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            return line, _row_around(csv.reader(lines), line, file)
    except csv.Error as error:
        raise BadInput(f"this is no CSV file ({error}).", where=str(file)) from error
    finally:
        csv.field_size_limit(limit)


def _row_around(rows: Iterator[list[str]], line: int, file: Path) -> dict[str, Any]:
    """The row that line `line` belongs to: a cell with line breaks spans several lines."""
    header = next(rows, [])
    if line <= 1:
        raise BadInput("line 1 holds the names of the columns.", where=str(file), mend="The first call is in line 2.")
    for row in rows:
        if rows.line_num >= line:  # pyright: ignore[reportAttributeAccessIssue] - a csv reader's
            return {name: unguarded(cell) for name, cell in zip(header, row, strict=False)}
    raise BadInput(f"the file has no line {line}.", where=str(file))


def _manifest_of(file: Path) -> tuple[Manifest | None, ManifestFile | None]:
    """The manifest that lists `file`, and what it says of it."""
    resolved = file.resolve()
    for folder in list(resolved.parents)[:_FOLDERS_TO_MANIFEST]:
        if not (folder / MANIFEST_NAME).is_file() or (manifest := read_manifest(folder)) is None:
            continue
        path = resolved.relative_to(folder).as_posix()
        if path == SPANS_NAME:
            return manifest, manifest.spans
        return manifest, next((entry for entry in manifest.files if entry.path == path), None)
    return None, None


def _call_id(fields: dict[str, Any], entry: ManifestFile | None) -> str:
    """A Lex file is named by its manifest, or by its ContactId, which is the id of every call tip wrote."""
    return (
        (entry.conversation_id if entry else "")
        or _text(fields, "id")
        or _text(fields, "conversation_id")
        or _text(fields.get("CustomerMetadata"), "ContactId")
    )


def _text(fields: object, name: str) -> str:
    """The text under `name`; empty when there is none: a file may hold anything."""
    found = fields.get(name) if isinstance(fields, dict) else None
    return found if isinstance(found, str) else ""
