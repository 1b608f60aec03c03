"""`tip generate` against a model whose calls cannot be used."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.assets.quality.judge_server import serving
from tip_assets.cli.generate import generate


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
