"""From a line of an exported file to its call: every kind of file, moved, changed, broken."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.unit.assets.exports.conftest import MakeCall
from tip_assets.exports.csv_export import write_csv
from tip_assets.exports.exported_line import exported_line
from tip_assets.exports.jsonl_export import write_jsonl
from tip_assets.exports.lex import write_lex
from tip_resources.domain.conversation import Turn
from tip_resources.domain.failures import BadInput


def test_a_line_of_jsonl_and_of_its_spans(tmp_path: Path, make_call: MakeCall) -> None:
    calls = [make_call(0), make_call(1, origin={"request_hash": "cd34"})]
    write_jsonl(calls, tmp_path / "out", dataset="set-one", run_id="run-1")
    found = exported_line(tmp_path / "out" / "conversations.jsonl", 2)
    assert (found.call, found.dataset, found.request_hash) == (calls[1].id, "set-one", "cd34")
    assert found.manifest is not None and found.manifest.run_id == "run-1"
    assert found.is_as_exported() is True
    spans = exported_line(tmp_path / "out" / "spans.jsonl", 1)
    assert spans.call == calls[0].id and spans.is_as_exported() is True


def test_a_row_of_csv_is_found_by_any_of_its_lines(tmp_path: Path, make_call: MakeCall) -> None:
    turns = (Turn(speaker="agent", text="First line\nsecond line"), Turn(speaker="customer", text='"Yes", he said'))
    calls = [make_call(0, turns=turns, spans=()), make_call(1)]
    write_csv(calls, tmp_path / "out", dataset="set-one")
    rows = [exported_line(tmp_path / "out" / "turns.csv", line) for line in (2, 3, 4, 5)]
    assert [(row.call == calls[0].id, row.turn) for row in rows] == [(True, 0), (True, 0), (True, 1), (False, 0)]
    call = exported_line(tmp_path / "out" / "calls.csv", 3)
    assert (call.call, call.dataset, call.request_hash) == (calls[1].id, "set-one", "ab12")


def test_a_lex_file_by_its_manifest_and_taken_out_of_its_export(tmp_path: Path, make_call: MakeCall) -> None:
    call = make_call(0, id="imported call 7")
    write_lex([call], tmp_path / "out", dataset="set-one", fallback_date=date(2026, 1, 2))
    file = next((tmp_path / "out").glob("*/*/*/*.json"))
    found = exported_line(file)
    assert (found.call, found.dataset, found.is_as_exported()) == (call.id, "set-one", True)
    alone = shutil.copy(file, tmp_path / "alone.json")
    assert exported_line(Path(alone)).manifest is None
    assert exported_line(Path(alone)).is_as_exported() is None


def test_a_changed_file_is_told_from_the_exported_one(tmp_path: Path, make_call: MakeCall) -> None:
    write_jsonl([make_call(0)], tmp_path / "out", dataset="set-one")
    file = tmp_path / "out" / "conversations.jsonl"
    file.write_text(file.read_text(encoding="utf-8").replace("bill", "pill"), encoding="utf-8")
    assert exported_line(file, 1).is_as_exported() is False


def test_a_file_with_one_call_needs_no_line(tmp_path: Path, make_call: MakeCall) -> None:
    write_jsonl([make_call(0)], tmp_path / "out", dataset="set-one")
    assert exported_line(tmp_path / "out" / "conversations.jsonl").call == make_call(0).id


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("calls.jsonl", '{"id": "1", "turns": []}\n{"id": "2", "turns": []}\n', None, "many calls"),
        ("calls.jsonl", '{"id": "1", "turns": []}\n', 2, "no line 2"),
        ("calls.jsonl", "", None, "no line 1"),
        ("calls.jsonl", '{"id": "1", "tur\n', 1, "no JSON"),
        ("calls.jsonl", "[1]\n", 1, "no JSON object"),
        ("calls.jsonl", '{"turns": 3}\n', 1, "names no call"),
        ("calls.jsonl", '{"id": 7}\n', 1, "names no call"),
        ("turns.csv", "conversation_id,turn\r\na,0\r\n", None, "many calls"),
        ("turns.csv", "conversation_id,turn\r\na,0\r\n", 1, "names of the columns"),
        ("turns.csv", "conversation_id,turn\r\na,0\r\n", 3, "no line 3"),
        ("turns.csv", "", 2, "no line 2"),
        ("turns.csv", "word\r\na\r\n", 2, "names no call"),
    ],
)
def test_what_is_no_line_of_an_export_is_told_and_how_to_mend_it(
    tmp_path: Path, name: str, text: str, line: int | None, says: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8", newline="")
    with pytest.raises(BadInput, match=says):
        exported_line(tmp_path / name, line)


def test_a_file_in_another_encoding_and_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "latin.jsonl").write_bytes('{"id": "Zoë"}\n'.encode("latin-1"))
    with pytest.raises(BadInput, match="UTF-8"):
        exported_line(tmp_path / "latin.jsonl", 1)
    with pytest.raises(BadInput, match="no such file"):
        exported_line(tmp_path / "none.jsonl", 1)
