"""`tip export` on plain files: what it writes, what it says, and what it refuses."""

import json

import pytest
from click.testing import CliRunner

from tip_assets.cli.export import export
from tip_assets.exports.manifest import read_manifest


def line(number: int = 1, **changes) -> str:
    turns = [
        {"speaker": "agent", "text": "Can I have your email?"},
        {"speaker": "customer", "text": f"It is anna{number}@example.com, call me at 415-555-2671."},
    ]
    return json.dumps({"id": f"call-{number}", "turns": turns, **changes})


def run(*arguments):
    return CliRunner().invoke(export, [str(argument) for argument in arguments])


@pytest.fixture
def calls(tmp_path):
    path = tmp_path / "my calls.jsonl"
    path.write_text("".join(line(n) + "\n" for n in range(1, 4)), encoding="utf-8")
    return path


@pytest.mark.parametrize("export_format", ["lex", "csv", "jsonl"])
def test_the_smallest_lines_are_enough_for_every_format(calls, tmp_path, export_format):
    result = run(calls, tmp_path / "out put", "--format", export_format)
    assert result.exit_code == 0, result.output
    assert "3 calls, 6 turns" in result.output
    written = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "out put").rglob("*.*"))
    assert "example.com" not in written
    assert "555-2671" not in written
    assert "[EMAIL]" in written


def test_it_says_that_patterns_alone_can_miss_names(calls, tmp_path):
    result = run(calls, tmp_path / "out", "--format", "lex")
    assert "3 calls had not been scrubbed; 6 places of personal data were found" in result.output
    assert "names and other personal data may remain. Run `tip scrub` first" in result.output
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    assert any("tip scrub" in warning for warning in manifest.warnings)


def test_facts_that_generate_left_in_a_line_are_used_and_do_not_leave(tmp_path):
    source = tmp_path / "in.jsonl"
    turns = [{"speaker": "customer", "text": "Tell Zebulon I called."}]
    facts = [{"type": "NAME", "value": "Zebulon", "spoken": []}]
    source.write_text(line(turns=turns, annotations={"extra": {"personal_facts": facts}}), encoding="utf-8")
    result = run(source, tmp_path / "out", "--format", "jsonl")
    assert "only patterns" not in result.output
    assert "Zebulon" not in (tmp_path / "out" / "conversations.jsonl").read_text(encoding="utf-8")


def test_calls_that_were_scrubbed_are_taken_as_they_are(tmp_path):
    span = {"turn": 1, "start": 6, "end": 23, "type": "EMAIL", "source": "persona"}
    source = tmp_path / "in.jsonl"
    source.write_text(line(annotations={"spans": [span]}), encoding="utf-8")
    result = run(source, tmp_path / "out", "--format", "jsonl")
    assert "had not been scrubbed" not in result.output
    assert "415-555-2671" in (tmp_path / "out" / "conversations.jsonl").read_text(encoding="utf-8")


def test_raw_leaves_everything_in_and_is_marked_raw(calls, tmp_path):
    result = run(calls, tmp_path / "out", "--format", "lex", "--raw")
    assert result.exit_code == 0
    text = next((tmp_path / "out").rglob("*analysis*")).read_text(encoding="utf-8")
    assert "example.com" in text
    assert '"Output":"Raw"' in text


def test_the_pii_style_is_chosen_by_name(calls, tmp_path):
    run(calls, tmp_path / "out", "--format", "csv", "--style", "pii")
    assert "[PII]" in (tmp_path / "out" / "turns.csv").read_text(encoding="utf-8")


def test_the_given_date_files_calls_without_a_start_time(calls, tmp_path):
    run(calls, tmp_path / "out", "--format", "lex", "--date", "2026-02-03")
    assert len(list((tmp_path / "out" / "2026" / "02" / "03").glob("*_2026-02-03T00-00-00Z.json"))) == 3


def test_bad_lines_are_reported_by_number_and_the_rest_goes_on(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text(f'{line(1)}\n{{"id": "x"}}\n\n{line(2)}\n{{"id": "half\n', encoding="utf-8")
    result = run(source, tmp_path / "out", "--format", "csv")
    assert result.exit_code == 3
    assert "tip: line 2: " in result.output
    assert "tip: line 5: " in result.output
    assert "2 calls, 4 turns" in result.output


def test_json_output_has_the_figures_and_the_bad_lines(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text(f"{line(1)}\nnot json\n{line(1)}\n", encoding="utf-8")
    result = run(source, tmp_path / "out", "--format", "lex", "--json")
    assert result.exit_code == 3
    told = json.loads(result.stdout)
    assert (told["conversations"], told["left_out"], told["bad_lines"]) == (1, 1, 1)
    assert told["first_bad_lines"][0]["line"] == 2
    assert told["spans_found_here"] == 4


def test_a_file_with_no_call_in_it_does_not_replace_an_earlier_export(calls, tmp_path):
    run(calls, tmp_path / "out", "--format", "csv")
    wrong = tmp_path / "photo.jpg"
    wrong.write_bytes(b"\xff\xd8\xff\xe0 not text\nmore\n")
    result = run(wrong, tmp_path / "out", "--format", "csv")
    assert result.exit_code == 1
    assert "not one of its 2 lines is a call" in result.output
    assert b"call-1" in (tmp_path / "out" / "calls.csv").read_bytes()


def test_a_missing_file_is_a_clear_failure(tmp_path):
    result = run(tmp_path / "none.jsonl", tmp_path / "out", "--format", "csv")
    assert result.exit_code == 1
    assert "none.jsonl: cannot read the file" in result.output
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_ours_is_refused(calls, tmp_path):
    result = run(calls, tmp_path, "--format", "csv")
    assert result.exit_code == 1
    assert "Name a new or empty folder" in result.output
    assert calls.exists()


def test_an_input_inside_the_folder_to_replace_is_refused(calls, tmp_path):
    run(calls, tmp_path / "out", "--format", "jsonl")
    result = run(tmp_path / "out" / "conversations.jsonl", tmp_path / "out", "--format", "jsonl")
    assert result.exit_code == 1
    assert "lies in the folder" in result.output
    assert (tmp_path / "out" / "conversations.jsonl").exists()


@pytest.mark.parametrize(
    "options",
    [("--format", "docx"), (), ("--format", "lex", "--raw", "--style", "pii"), ("--format", "lex", "--date", "soon")],
)
def test_wrong_options_are_a_usage_error(calls, tmp_path, options):
    assert run(calls, tmp_path / "out", *options).exit_code == 2


@pytest.mark.parametrize("nothing", [b"", b"\n\n  \n"])
def test_an_empty_file_is_no_export_and_leaves_an_earlier_one_alone(calls, nothing, tmp_path):
    run(calls, tmp_path / "out", "--format", "csv")
    source = tmp_path / "in.jsonl"
    source.write_bytes(nothing)
    result = run(source, tmp_path / "out", "--format", "csv")
    assert result.exit_code == 1
    assert "there is no call in it" in result.output
    assert b"call-1" in (tmp_path / "out" / "calls.csv").read_bytes()


def test_the_set_is_named_by_option_or_by_the_file(calls, tmp_path):
    run(calls, tmp_path / "one", "--format", "csv")
    run(calls, tmp_path / "two", "--format", "csv", "--dataset", "named")
    names = [manifest.dataset for name in ("one", "two") if (manifest := read_manifest(tmp_path / name))]
    assert names == ["my calls", "named"]


def test_output_is_ascii_whatever_the_file_holds(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text(line(1) + '\n{"id": "\u00e9", "turns": "\u4f60"}\n', encoding="utf-8")
    assert run(source, tmp_path / "out", "--format", "csv").output.isascii()
