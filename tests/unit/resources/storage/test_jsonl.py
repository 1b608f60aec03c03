"""Lines are read one by one; a bad one is reported by number and the rest goes on."""

import gzip
from pathlib import Path

import pytest

from tip_resources.domain.conversation import Conversation, Turn
from tip_resources.domain.failures import BadInput
from tip_resources.storage import jsonl
from tip_resources.storage.jsonl import BadLine, read_conversations, write_conversations

CALL = Conversation(id="a", turns=(Turn(speaker="agent", text="h\u00e9llo\u2028 there"),))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    assert write_conversations(file, [CALL, CALL]) == 2
    assert list(read_conversations(file)) == [CALL, CALL]


def test_a_half_written_last_line_is_reported_by_number(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    write_conversations(file, [CALL])
    with file.open("ab") as opened:
        opened.write(b'\n{"id": "b", "turns": [{"speak')
    first, bad = read_conversations(file)
    assert first == CALL
    assert isinstance(bad, BadLine) and bad.number == 3 and "line 3" in bad.reason


def test_a_byte_order_mark_windows_line_ends_and_wrong_encodings_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    good = b'{"id": "a", "turns": []}'
    file.write_bytes(b"\xef\xbb\xbf" + good + b"\r\n" + b'{"id": "\xe9", "turns": []}\r\n' + good + b"\r\n")
    first, bad, last = read_conversations(file)
    assert isinstance(first, Conversation) and isinstance(last, Conversation)
    assert isinstance(bad, BadLine) and bad.number == 2


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read the file"):
        list(read_conversations(tmp_path / "nothing.jsonl"))


def test_an_interrupted_write_leaves_no_file(tmp_path: Path) -> None:
    def calls():
        yield CALL
        raise KeyboardInterrupt

    file = tmp_path / "calls.jsonl"
    with pytest.raises(KeyboardInterrupt):
        write_conversations(file, calls())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "a", "turns": []}'.encode("utf-16"), "UTF-16"),
        (gzip.compress(b'{"id": "a", "turns": []}'), "gzip"),
        (b"PK\x03\x04" + b"\n" * 50, "ZIP"),
        (b"PAR1\x00\x00", "Parquet"),
    ],
    ids=["UTF-16", "gzip", "ZIP", "Parquet"],
)
def test_a_file_of_another_kind_is_refused_at_once_with_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        list(read_conversations(file))


@pytest.mark.parametrize("extra", [b"[" * 10_000, b'{"a":' * 10_000, b"[" * 500 + b"]" * 500])
def test_a_line_that_is_nested_too_deep_is_a_bad_line(tmp_path: Path, extra: bytes) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b'{"id": "a", "turns": [], "x": ' + extra + b'}\n{"id": "b", "turns": []}\n')
    bad, good = read_conversations(file)
    assert isinstance(bad, BadLine) and "line 1: nested deeper than 100 levels" in bad.reason
    assert isinstance(good, Conversation)


def test_a_line_without_an_end_is_passed_over_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "LONGEST_LINE_BYTES", 1_000_000)
    file, good = tmp_path / "calls.jsonl", b'{"id": "a", "turns": []}\n'
    file.write_bytes(good + b"x" * 3_500_000 + b"\n" + good + b'{"id": "' + b"y" * 2_000_000)
    first, endless, second, last = read_conversations(file)
    assert isinstance(first, Conversation) and isinstance(second, Conversation)
    assert endless == BadLine(2, "line 2: longer than 1 MB.")
    assert last == BadLine(4, "line 4: longer than 1 MB.")


def test_turns_of_ten_megabytes_are_calls(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    call = Conversation(id="a", turns=(Turn(speaker="agent", text="word " * 2_000_000),))
    write_conversations(file, [call, CALL])
    assert [len(one.turns[0].text) for one in read_conversations(file) if isinstance(one, Conversation)] == [
        10_000_000,
        len(CALL.turns[0].text),
    ]


def test_a_number_no_column_can_hold_is_a_bad_line(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b'{"id": "a", "turns": [], "index": 99999999999999999999}\n{"id": "b", "turns": [], "x": 1e999}\n')
    assert all(isinstance(one, BadLine) for one in read_conversations(file))


def test_a_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot read the file"):
        list(read_conversations(tmp_path))
