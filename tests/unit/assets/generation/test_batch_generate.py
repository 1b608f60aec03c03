"""`tip generate` through the batch API, end to end: the double answers with what the rehearsal server writes."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.unit.assets.generation.openai_batch_double import BatchDouble
from tip_assets.cli.generate import generate
from tip_resources.rehearsal.process import rehearsal_process


def test_a_set_is_written_through_the_batch_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with rehearsal_process() as rehearsal:

        def answer(body: dict[str, Any]) -> tuple[int, Any]:
            asked = json.dumps({**body, "model": "rehearsal", "max_tokens": body["max_completion_tokens"]}).encode()
            headers = {"content-type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(f"{rehearsal}/chat/completions", asked, headers)) as got:
                return 200, json.load(got)

        with BatchDouble(answer) as double:
            (tmp_path / "config").mkdir()
            (tmp_path / "config" / "default.yaml").write_text(
                "models:\n  probe_localhost: false\n  endpoints:\n"
                f"    - {{url: '{double.url}', name: openai, tier: openai, model: gpt-4.1-mini,"
                " context_window_tokens: 128000}\n"
            )
            (tmp_path / "config" / "prices.yaml").write_text("models: {gpt-4.1-mini: {input: 0.4, output: 1.6}}")
            (tmp_path / "dagster.yaml").write_text("")
            (tmp_path / "s.yaml").write_text("count: 6\ndomain: retail\ntier: openai\nbatch_api: true\n")
            monkeypatch.setenv("TIP_HOME", str(tmp_path))
            monkeypatch.delenv("TIP_LLM_URL", raising=False)
            monkeypatch.setenv("OPENAI_API_KEY", "test")
            out = tmp_path / "o.jsonl"
            done = CliRunner().invoke(generate, [str(tmp_path / "s.yaml"), str(out), "--max-cost", "5"])
            assert done.exit_code == 0, done.output + done.stderr
            assert len(out.read_text().splitlines()) == 6
            assert len(double.asked) >= 6
            assert "within 24 h (batch API)" in done.stderr
