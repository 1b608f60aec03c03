"""`tip generate` against a model whose calls cannot be used."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.assets.quality.judge_server import serving
from tests.unit.resources.llm.scripted_server import Reply, answers, says
from tip_assets.cli.generate import generate
from tip_assets.generation import stopping
from tip_resources.upkeep import disk_room


def test_what_was_wrong_with_the_answers_is_said_and_json_stays_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: short\ncount: 2\ndomain: retail\nquery: 2 retail calls\n")
    one_turn = {"calls": [{"call": 1, "turns": [{"speaker": "agent", "text": "Hello."}]}]}
    with serving(json.dumps(one_turn), "phi-4") as server:
        monkeypatch.setenv("TIP_LLM_URL", server.url)
        result = CliRunner().invoke(generate, [str(spec), str(tmp_path / "calls.jsonl"), "--json"])
    assert result.exit_code == 3
    assert "calls could not be used: too_short" in result.stderr
    told = json.loads(result.stdout)
    assert told["written"] == 0 and told["rejected"]["too_short"] > 0
    rejects = list((tmp_path / "calls.jsonl.parts" / "rejects").glob("*.json"))
    assert len(rejects) == told["rejected"]["too_short"]
    assert any("Hello." in json.loads(path.read_text())["raw_text"] for path in rejects)
    assert told["parts"] == str(tmp_path / "calls.jsonl.parts") and told["parts"] in result.stderr


UNUSABLE = {
    "prose": ("Certainly! Here are two lovely calls.", "invalid_output"),
    "numbers JSON does not have": ('{"calls": [{"call": NaN, "turns": []}]}', "invalid_output"),
    "a refusal": ("I'm sorry, but I can't help with that.", "refusal"),
    "another shape": ('{"calls": [{"call": 1, "turns": {"agent": "Hello."}}]}', "wrong_schema"),
}


@pytest.mark.parametrize(("answer", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_every_unusable_answer_is_among_the_rejects_with_its_reason_and_text(
    answer: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, parts = generated(says(answer), tmp_path, monkeypatch)
    assert result.exit_code == 3, result.output
    rejects = [json.loads(path.read_text()) for path in (parts / "rejects").glob("*.json")]
    assert {reject["reason"] for reject in rejects} == {reason}
    assert all(reject["raw_text"] and reject["raw_text"] in answer for reject in rejects)
    assert reason in result.stderr


def test_a_server_that_answers_with_web_pages_ends_the_set_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = answers(200, "<html>Sign in</html>", Content_Type="application/json")
    result, _ = generated(page, tmp_path, monkeypatch)
    assert result.exit_code == 1
    assert "is not an OpenAI-compatible server (a web page" in result.stderr


def generated(reply: Reply, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, Path]:
    monkeypatch.setenv("TIP_HOME", str(folder))
    monkeypatch.setenv("TIP_MODELS__PROBE_LOCALHOST", "false")
    spec = folder / "spec.yaml"
    spec.write_text("name: short\ncount: 1\ndomain: retail\nquery: 1 retail call\n")
    with serving(reply, "phi-4") as server:
        monkeypatch.setenv("TIP_LLM_URL", server.url)
        result = CliRunner().invoke(generate, [str(spec), str(folder / "calls.jsonl")])
    return result, folder / "calls.jsonl.parts"


def test_a_complete_file_leaves_no_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: one\ncount: 1\ndomain: retail\nquery: 1 retail call\n")
    left = tmp_path / ".calls.jsonl.0123abcd.tmp"  # as a killed run leaves it
    left.write_text("half a li")
    result = CliRunner().invoke(generate, [str(spec), str(tmp_path / "calls.jsonl"), "--rehearsal"])
    assert result.exit_code == 0, result.output
    assert "1 of 1 call written" in result.output
    assert not left.exists() and not (tmp_path / "calls.jsonl.parts").exists()


def test_a_disk_that_runs_short_stops_it_with_what_is_finished_and_it_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    for name, value in {"LOW": "1", "HIGH": "1"}.items():
        monkeypatch.setenv(f"TIP_GENERATION__CONCURRENCY__{name}", value)
        monkeypatch.setenv(f"TIP_GENERATION__BATCH_SIZE_SIMPLE__{name}", value)
    monkeypatch.setenv("TIP_ENGINE__MAX_CONCURRENCY", "1")
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0.0)
    spec, output = tmp_path / "spec.yaml", tmp_path / "calls.jsonl"
    spec.write_text("name: six\ncount: 6\ndomain: retail\nquery: 6 retail calls\n")
    parts = tmp_path / "calls.jsonl.parts" / "calls"

    def free_bytes(folder: Path) -> int:
        assert folder == tmp_path, "the disk of the output"
        return 10**9 if [*parts.rglob("*.json")] else 10**12

    def generate_six() -> Result:
        return CliRunner().invoke(generate, [str(spec), str(output), "--rehearsal"])

    monkeypatch.setattr(disk_room, "free_bytes", free_bytes)
    result = generate_six()
    assert result.exit_code == 3, result.output
    assert "1.0 GB are free" in result.stderr and "Make room" in result.stderr and "raise it" not in result.stderr
    written = [json.loads(line)["id"] for line in output.read_text().splitlines()]
    assert 0 < len(written) < 6 and len(written) == len([*parts.rglob("*.json")])

    refused = generate_six()
    assert refused.exit_code == 1 and "nothing was written: 1.0 GB are free" in refused.stderr
    assert len(output.read_text().splitlines()) == len(written)

    monkeypatch.setattr(disk_room, "free_bytes", lambda _: 10**12)
    result = generate_six()
    assert result.exit_code == 0, result.output
    ids = [json.loads(line)["id"] for line in output.read_text().splitlines()]
    assert len(set(ids)) == 6 and set(written) < set(ids) and not parts.exists()
