"""What a killed writer left beside its file goes; what another process is writing stays."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tip_resources.storage.jsonl import writing_jsonl

_WRITES_AND_WAITS = """
import sys
from pathlib import Path
from tip_resources.storage.jsonl import writing_jsonl

with writing_jsonl(Path(sys.argv[1])) as writer:
    writer.write({"half": "a file"})
    print("writing", flush=True)
    sys.stdin.read()
"""


def temporary(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix == ".tmp"]


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal of POSIX")
def test_the_next_writer_clears_what_a_killed_one_left_and_nothing_else(tmp_path: Path) -> None:
    output = tmp_path / "calls [1].jsonl"
    foreign = [
        tmp_path / name for name in (".other.jsonl.0123abcd.tmp", ".calls [1].jsonl.mine.tmp", "calls [1].jsonl.tmp")
    ]
    for path in foreign:
        path.write_text("mine")
    command = [sys.executable, "-c", _WRITES_AND_WAITS, str(output)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"writing\n"
        (half,) = set(temporary(tmp_path)) - set(foreign)
        with writing_jsonl(output) as other:
            other.write({"whole": "file"})
        assert half.exists(), "another process was writing it"
        writer.send_signal(signal.SIGKILL)
    assert half.exists()
    with writing_jsonl(output) as last:
        last.write({"whole": "file"})
    assert not half.exists()
    assert all(path.exists() for path in foreign)
    assert output.read_bytes() == b'{"whole":"file"}\n'
