"""`tip analyze`, as a user runs it."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tip_assets.cli.analyze import analyze


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(analyze, [str(argument) for argument in arguments])


def line(id: str, *texts: str) -> str:
    turns = [{"speaker": ("agent", "customer")[place % 2], "text": text} for place, text in enumerate(texts)]
    return json.dumps({"id": id, "turns": turns})


CALLS = [
    line(str(n), "Thank you for calling, how can I help?", f"Hi, um, my order {n} is late.", "Let me look.", "Okay.")
    for n in range(8)
]


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    file = tmp_path / "my calls.jsonl"
    file.write_text("\n".join(CALLS) + "\n", encoding="utf-8")
    return file


def test_three_files_and_what_is_off(calls: Path, tmp_path: Path) -> None:
    result = run(calls, "--output", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "8 calls, measured on all 8 calls" in result.output and "figures are off" in result.output
    document = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert document["calls"] == 8 and document["reference_is_built_in"] is True and document["off"]
    with (tmp_path / "out" / "metrics.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert float(rows["turns"]["value"]) == 4 and float(rows["question_share"]["value"]) == 0.25
    assert float(rows["compression_ratio"]["value"]) > 1
    assert float(rows["template_rate"]["value"]) == 1
    assert "plan" in rows["plans_delivered"]["detail"] and rows["plans_delivered"]["value"] == ""
    assert "<script" not in (tmp_path / "out" / "metrics.html").read_text()


def test_a_folder_and_a_reference_of_ones_own(calls: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "more").mkdir(parents=True)
    (folder / "a.jsonl").write_text("\n".join(CALLS[:5]))
    (folder / "more" / "b.jsonl").write_text("\n".join(CALLS[5:]))
    result = run(folder, "--output", tmp_path / "out", "--reference", calls, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["calls"] == document["reference_calls"] == 8 and document["reference"] == "my calls.jsonl"
    assert document["style_distance"] == 0 and document["off"] == []


def test_bad_lines_are_named_and_the_rest_is_measured(calls: Path, tmp_path: Path) -> None:
    calls.write_text("\n".join([CALLS[0], "not json", CALLS[1], '{"id": 7}', CALLS[2], line("empty")]))
    result = run(calls, "--output", tmp_path / "out", "--json")
    assert result.exit_code == 3
    assert "line 2" in result.stderr and "line 4" in result.stderr
    document = json.loads(result.stdout)
    assert (document["lines"], document["bad_lines"], document["calls"], document["measured"]) == (6, 2, 4, 3)
    assert document["left_out"] == {"without any words": 1}


@pytest.mark.parametrize("content", ["", "no\nno\n"])
def test_a_file_without_calls_is_said_to_be_one(content: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(content)
    result = run(tmp_path / "in.jsonl", "--output", tmp_path / "out")
    assert result.exit_code == 1 and "in.jsonl" in result.stderr and not (tmp_path / "out").exists()


def test_what_is_not_there_is_said(calls: Path, tmp_path: Path) -> None:
    assert "no such file" in run(tmp_path / "gone.jsonl", "--output", tmp_path / "out").stderr
    (tmp_path / "bare").mkdir()
    assert "no .jsonl file" in run(tmp_path / "bare", "--output", tmp_path / "out").stderr
    missing = run(calls, "--output", tmp_path / "out", "--reference", tmp_path / "gone.jsonl")
    assert missing.exit_code == 1 and "no such file" in missing.stderr
    assert run(calls).exit_code == 2
    assert "this is a file" in run(calls, "--output", calls).stderr


def test_help_teaches() -> None:
    text = run("--help").output
    assert "metrics.html" in text and "reference" in text and "tip analyze calls.jsonl --output metrics" in text


def test_one_call_is_not_said_to_be_like_the_reference(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text(CALLS[0] + "\n")
    result = run(file, "--output", tmp_path / "out")
    assert result.exit_code == 0
    assert "no figure could be compared with the reference" in result.output
    assert "0 figures are off" not in result.output
