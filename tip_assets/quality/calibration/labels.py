"""Calls with people's grades: those that ship with tip, and a user's own.

The labels of labelled_calls.jsonl are the judgement of tip's maintainers, one grade a call; no panel gave them.
"""

import csv
from collections.abc import Mapping
from importlib.resources import as_file, files
from pathlib import Path

import msgspec

from tip_resources.domain.conversation import Conversation
from tip_resources.domain.failures import BadInput
from tip_resources.domain.grade import Grade
from tip_resources.storage.jsonl import BadLine, read_conversations

SIDES = ("realism", "coherence", "naturalness", "overall")
_BEST = 5.0
_HEADER = f"id,{','.join(SIDES)}"


def built_in_labels() -> list[Conversation]:
    """The labelled calls that ship with tip, grades under annotations.grade."""
    with as_file(files("tip_assets.quality.calibration") / "labelled_calls.jsonl") as path:
        return read_labelled_calls(path)


def read_labelled_calls(path: Path) -> list[Conversation]:
    """Calls of a JSONL file that carry a grade under annotations.grade.

    Raises:
        BadInput: A line is no call, has no grade, or one out of range.
    """
    calls = _calls_of(path)
    for call in calls:
        if call.annotations.grade is None:
            raise BadInput(f"call {call.id} has no annotations.grade.", where=str(path), mend="Label it, or remove it.")
        _check_range(call.annotations.grade, f"{path}, call {call.id}")
    return calls


def read_labels_table(labels: Path, calls: Path) -> list[Conversation]:
    """The calls of a JSONL file with the grades of a CSV of id,realism,coherence,naturalness,overall.

    Raises:
        BadInput: A column or a call is missing, or a grade is no number from 0 to 5.
    """
    by_id = {call.id: call for call in _calls_of(calls)}
    try:
        text = labels.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the labels: {error}.", where=str(labels)) from error
    try:
        return _labelled_rows(csv.DictReader(text.splitlines()), labels, calls, by_id)
    except csv.Error as error:
        raise BadInput(f"not a CSV table: {error}.", where=str(labels)) from error


def _labelled_rows(
    rows: csv.DictReader, labels: Path, calls: Path, by_id: Mapping[str, Conversation]
) -> list[Conversation]:
    header = ",".join(rows.fieldnames or ())
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if header.count(mark) >= len(SIDES):
            raise BadInput(
                f"the columns look separated by {name}.", where=str(labels), mend=f"Save it with commas: {_HEADER}"
            )
    if missing := {"id", *SIDES} - set(rows.fieldnames or ()):
        raise BadInput(
            f"columns are missing: {', '.join(sorted(missing))}.",
            where=str(labels),
            mend=f"The first line is {_HEADER}",
        )
    labelled = []
    for number, row in enumerate(rows, start=2):
        where = f"{labels}, line {number}"
        call = by_id.get(row["id"])
        if call is None:
            raise BadInput(f"no call has the id {row['id']!r}.", where=where, mend=f"Look at the ids of {calls}.")
        try:
            realism, coherence, naturalness, overall = (float(row[side] or "nothing") for side in SIDES)
        except ValueError as error:
            raise BadInput(f"a grade is no number: {error}.", where=where) from error
        grade = Grade(
            realism=realism, coherence=coherence, naturalness=naturalness, overall=overall, grader=labels.name
        )
        _check_range(grade, where)
        labelled.append(_with_label(call, grade))
    return labelled


def _with_label(call: Conversation, grade: Grade) -> Conversation:
    return msgspec.structs.replace(call, annotations=msgspec.structs.replace(call.annotations, grade=grade))


def _calls_of(path: Path) -> list[Conversation]:
    calls = []
    for item in read_conversations(path):
        if isinstance(item, BadLine):
            raise BadInput(item.reason, where=str(path))
        calls.append(item)
    if not calls:
        raise BadInput("the file holds no call.", where=str(path))
    return calls


def _check_range(grade: Grade, where: str) -> None:
    for side in SIDES:
        value = getattr(grade, side)
        # Written so that NaN fails too.
        if not 0 <= value <= _BEST:
            raise BadInput(f"{side} is {value:g}, not from 0 to 5.", where=where)
