"""Every stage on calls nobody wished for: each call has an outcome, each refusal a reason, and nothing a traceback."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tip_assets.cli.main import main

AGENT, CUSTOMER = "agent", "customer"


def turn(speaker: str, text: str) -> dict[str, str]:
    return {"speaker": speaker, "text": text}


def call(*turns: dict[str, str], id: str = "the-call") -> dict[str, object]:
    return {"id": id, "turns": list(turns)}


GOOD = call(
    turn(AGENT, "Thanks for calling, this is Dana. How can I help?"),
    turn(CUSTOMER, "Hi, um, I was charged twice, I think."),
    turn(AGENT, "Oh no. Okay, let me look at that with you."),
    turn(CUSTOMER, "Thank you."),
    id="good",
)
# Calls that are strange but are calls: they go through.
STRANGE = {
    "no turns": call(),
    "one turn": call(turn(AGENT, "Hello?")),
    "empty turns": call(turn(AGENT, ""), turn(CUSTOMER, "   ")),
    "one speaker": call(turn(AGENT, "Hello?"), turn(AGENT, "Are you there?"), turn(AGENT, "Goodbye.")),
    "system only": call(turn("system", "All lines are busy.")),
    "mixed scripts": call(
        turn(AGENT, "Hello, \u041f\u0440\u0438\u0432\u0435\u0442"), turn(CUSTOMER, "\u4f60\u597d \u0645\u0631\u062d")
    ),
    "emoji": call(turn(AGENT, "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467"), turn(CUSTOMER, "\u2764\ufe0f")),
    "control characters": call(turn(AGENT, "a\u0000b\u0007\u202ec\ufeff"), turn(CUSTOMER, "\ud800 half a character")),
    "digits only": call(turn(AGENT, "4155550199"), turn(CUSTOMER, "12 34 56")),
    "punctuation only": call(turn(AGENT, "?!..."), turn(CUSTOMER, "---")),
    "one endless word": call(turn(AGENT, "a" * 100_000), turn(CUSTOMER, "yes")),
}
# Lines that are no calls: each is named with its number, and the rest goes on.
BROKEN = {
    "unknown speaker": call(turn("robot", "Beep.")),
    "text is a number": call(turn(AGENT, 5)),  # type: ignore[arg-type]
    "turns are missing": {"id": "x"},
    "a list": [],
    "not JSON": "{half a line",
}
STAGES = {
    "dedupe": ("dedupe", "{in}", "{out}"),
    "grade": ("grade", "{in}", "{out}"),
    "scrub": ("scrub", "{in}", "{out}"),
}


def run(stage: str, folder: Path, *lines: object) -> Result:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    (folder / "in.jsonl").write_text(text, encoding="utf-8")
    places = {"{in}": str(folder / "in.jsonl"), "{out}": str(folder / "out.jsonl")}
    result = CliRunner().invoke(main, [places.get(argument, argument) for argument in STAGES[stage]])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def ids(folder: Path) -> list[str]:
    return [json.loads(line)["id"] for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("case", STRANGE)
def test_a_strange_call_has_an_outcome_and_the_good_one_goes_through(stage: str, case: str, tmp_path: Path):
    result = run(stage, tmp_path, STRANGE[case], GOOD)
    written = ids(tmp_path)
    assert "good" in written
    if "the-call" in written:
        assert result.exit_code == 0, result.output
    else:
        assert result.exit_code == 3
        assert "the-call" in result.output or "line 1" in result.output


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("case", BROKEN)
def test_a_line_that_is_no_call_is_named_with_its_number(stage: str, case: str, tmp_path: Path):
    result = run(stage, tmp_path, GOOD, BROKEN[case])
    assert result.exit_code == 3
    assert "line 2" in result.output
    assert ids(tmp_path) == ["good"]


def test_an_unknown_speaker_is_refused_with_the_known_ones(tmp_path: Path):
    assert "A speaker is agent, customer or system." in run("grade", tmp_path, GOOD, BROKEN["unknown speaker"]).output


@pytest.mark.parametrize(
    "last", [("export", "--format", "lex"), ("export", "--format", "csv"), ("analyze", "--output")]
)
def test_the_last_stages_take_strange_calls_and_name_broken_lines(last: tuple[str, ...], tmp_path: Path):
    lines = [*({**one, "id": name} for name, one in STRANGE.items()), *BROKEN.values(), GOOD]
    (tmp_path / "in.jsonl").write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    )
    name, *options = last
    arguments = [name, str(tmp_path / "in.jsonl"), *options, str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 3, result.output
    assert "Traceback" not in result.output
    assert all(f"line {len(STRANGE) + place}: " in result.output for place in range(1, len(BROKEN) + 1))
    assert any((tmp_path / "out").iterdir())


@pytest.mark.parametrize("stage", STAGES)
def test_a_set_of_one(stage: str, tmp_path: Path):
    result = run(stage, tmp_path, GOOD)
    assert result.exit_code == 0
    assert ids(tmp_path) == ["good"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_file_without_calls_is_said_and_leaves_nothing_behind(stage: str, tmp_path: Path):
    result = run(stage, tmp_path)
    assert result.exit_code == 1
    assert "in.jsonl" in result.output
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_turn_of_ten_megabytes(stage: str, tmp_path: Path):
    words = "I was charged twice for order 4155550199 and um, nobody called me back. "
    result = run(stage, tmp_path, call(turn(AGENT, "Hello?"), turn(CUSTOMER, words * (10_000_000 // len(words)))), GOOD)
    assert result.exit_code in (0, 3)
    assert "good" in ids(tmp_path)
