"""The large file that stages are measured on holds what it says, and a stage finds just that."""

from itertools import islice
from pathlib import Path

import pytest

from benchmarks.scale.big_file import spliced_calls, write_file
from tip_assets.quality.duplicates.comparison import Comparison
from tip_assets.quality.duplicates.whole_set import first_survive
from tip_resources.domain.conversation import Conversation
from tip_resources.storage.jsonl import BadLine, read_conversations


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return list(islice(spliced_calls(20, "simple"), 120))


@pytest.mark.parametrize("has_half_line", [True, False])
def test_every_line_that_is_no_call_is_found_by_its_number(
    lines: list[bytes], has_half_line: bool, tmp_path: Path
) -> None:
    file = tmp_path / "big.jsonl"
    written = write_file(file, size=400_000, broken_every=7, has_half_line=has_half_line, calls=iter(lines))
    found = list(read_conversations(file))
    assert written.bytes == file.stat().st_size >= 400_000
    assert tuple(one.number for one in found if isinstance(one, BadLine)) == written.broken
    assert (len(found), sum(isinstance(one, Conversation) for one in found)) == (written.lines, written.calls)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf{") and file.read_bytes().endswith(b"\r\n") is not has_half_line
    assert not has_half_line or written.broken[-1] == written.lines


def test_hardly_a_call_repeats_another(lines: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    file.write_bytes(b"\n".join(lines))
    calls = [one for one in read_conversations(file) if isinstance(one, Conversation)]
    repeated = sum(removed is not None for _, removed in first_survive(calls, Comparison(keep="first")))
    assert len(calls) == 120 and repeated < 12
