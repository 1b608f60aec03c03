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
