"""Files nobody wished for, in and out of every stage: one clear line, the exit code, and nothing lost."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tip_assets.cli import stage_files
from tip_assets.cli.dedupe import dedupe
from tip_assets.cli.grade import grade
from tip_assets.cli.main import main
from tip_assets.cli.scrub import scrub

STAGES = {
    "dedupe": ("dedupe", "{in}", "{out}.jsonl"),
    "grade": ("grade", "{in}", "{out}.jsonl"),
    "scrub": ("scrub", "{in}", "{out}.jsonl"),
    "export": ("export", "{in}", "{out}", "--format", "jsonl"),
    "analyze": ("analyze", "{in}", "--output", "{out}"),
}
TO_A_FILE = {"dedupe": dedupe, "grade": grade, "scrub": scrub}
posix_only = pytest.mark.skipif(os.name == "nt", reason="devices and pipes of Windows are no files")


def call(id: str, *texts: str) -> str:
    turns = [{"speaker": ("agent", "customer")[n % 2], "text": text} for n, text in enumerate(texts)]
    return json.dumps({"id": id, "turns": turns}) + "\n"


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(call(str(n), "How can I help?", f"I was charged {n} times.", "I see.") for n in range(6)))
    return path


def run(stage: str, source: Path, output: Path) -> Result:
    words = [word.format(**{"in": str(source), "out": str(output)}) for word in STAGES[stage]]
    result = CliRunner().invoke(main, words, env={"TIP_HOME": str(source.parent)})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (call("1", "Hello.").encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00packed", "gzip"),
        (b'{"id": "1", "turns": "K\xf6ln"}\n' * 2, "line"),
        (b"", "empty"),
    ],
    ids=["UTF-16", "gzip", "Latin-1", "empty"],
)
def test_a_file_without_a_readable_call_fails_in_words_and_writes_nothing(
    stage: str, content: bytes, said: str, tmp_path: Path
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(content)
    result = run(stage, source, tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.stderr or "no call" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("place", ["a file", "no folder"])
def test_an_output_that_cannot_be_made_is_said(stage: str, place: str, calls: Path, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("mine")
    output = tmp_path / "a file" / "out" if place == "a file" else tmp_path / ("x" * 300)
    result = run(stage, calls, output)
    assert result.exit_code == 1
    assert "Traceback" not in result.output and result.stderr.startswith("tip: ")
    assert (tmp_path / "a file").read_text() == "mine"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights bind neither Windows this way nor root")
@pytest.mark.parametrize("stage", STAGES)
def test_a_file_without_permission_is_said(stage: str, calls: Path, tmp_path: Path) -> None:
    calls.chmod(0)
    result = run(stage, calls, tmp_path / "out")
    assert result.exit_code == 1 and "Permission denied" in result.stderr


@posix_only
@pytest.mark.parametrize("command", TO_A_FILE.values(), ids=TO_A_FILE)
def test_a_device_or_pipe_is_never_replaced_by_a_file(command, calls: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    result = CliRunner().invoke(command, [str(calls), str(pipe)])
    assert result.exit_code == 1 and "a device or a pipe" in result.stderr
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("link", ["symlink", "hard link"])
@pytest.mark.parametrize("command", TO_A_FILE.values(), ids=TO_A_FILE)
def test_an_output_that_is_the_input_by_another_name_loses_nothing(command, link: str, calls: Path) -> None:
    before, other = calls.read_bytes(), calls.with_name("other.jsonl")
    (other.symlink_to if link == "symlink" else other.hardlink_to)(calls)
    result = CliRunner().invoke(command, [str(calls), str(other)])
    assert calls.read_bytes() == before
    if link == "symlink":
        assert result.exit_code == 1 and "would overwrite the input" in result.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: os.truncate(path, path.stat().st_size // 2), "changed while it was read"),
        (lambda path: path.write_text(path.read_text() + call("more", "Hello.")), "changed while it was read"),
        (lambda path: path.write_text(path.read_text().replace("charged", "chanced")), "changed while it was read"),
    ],
    ids=["shrinks", "grows", "is rewritten"],
)
def test_a_file_that_changes_between_two_readings_is_told_and_nothing_written(
    change, said: str, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_reading = stage_files.StageCalls.read

    def then_changes(self):
        yield from first_reading(self)
        os.utime(calls, ns=(0, 0))
        change(calls)

    monkeypatch.setattr(stage_files.StageCalls, "read", then_changes)
    result = CliRunner().invoke(dedupe, [str(calls), str(tmp_path / "out.jsonl")])
    assert result.exit_code == 1 and said in result.stderr, result.output
    assert not (tmp_path / "out.jsonl").exists()


def test_a_half_line_where_a_file_was_cut_is_named_and_the_rest_is_used(calls: Path, tmp_path: Path) -> None:
    os.truncate(calls, calls.stat().st_size - 20)
    result = run("grade", calls, tmp_path / "out")
    assert result.exit_code == 3 and "line 6" in result.stderr
    assert "1 line or call left out" in result.stdout
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 5


@posix_only
@pytest.mark.parametrize("stage", ["grade", "scrub", "export", "analyze"])
def test_a_pipe_is_read_as_it_comes(stage: str, calls: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writing = threading.Thread(target=pipe.write_bytes, args=(calls.read_bytes(),), daemon=True)
    writing.start()
    result = run(stage, pipe, tmp_path / "out")
    assert result.exit_code == 0, result.output


_WITH_PEAK = (
    "import atexit, resource, sys; from tip_assets.cli.main import main; atexit.register(lambda: "
    "print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)); main()"
)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="the peak of memory is asked of POSIX")
@pytest.mark.parametrize("stage", ["dedupe", "grade", "scrub", "export"])
def test_memory_does_not_grow_with_the_file_and_a_half_line_costs_one_line(stage: str, tmp_path: Path) -> None:
    peaks = []
    for lines in (1_000, 7_000):
        source = tmp_path / f"{lines}.jsonl"
        write_many(source, lines)
        words = [word.format(**{"in": str(source), "out": str(tmp_path / f"out-{lines}")}) for word in STAGES[stage]]
        command = [sys.executable, "-c", _WITH_PEAK, *words]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "TIP_HOME": str(tmp_path)}
        )
        assert done.returncode == 3, done.stderr
        assert f"line {lines // 2 + 1}:" in done.stderr
        unit = 1 if sys.platform == "darwin" else 1024
        peaks.append(int(done.stderr.rpartition("peak ")[2]) * unit)
    grown = (tmp_path / "7000.jsonl").stat().st_size - (tmp_path / "1000.jsonl").stat().st_size
    assert grown > 10_000_000
    assert peaks[1] - peaks[0] < grown, f"{peaks}: what is read is held"


def write_many(path: Path, lines: int) -> None:
    """Calls of 1.9 kB, each of words of its own; the line in the middle is half written."""
    with path.open("w") as file:
        for number in range(lines):
            texts = [" ".join(f"w{number}x{turn}x{word}" for word in range(12)) for turn in range(12)]
            line = call(f"call-{number}", *texts)
            file.write(line[: len(line) // 2] + "\n" if number == lines // 2 else line)
