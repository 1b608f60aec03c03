"""`tip judge`, as a user runs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.assets.quality.judge_server import VERDICT, serving
from tip_assets.cli.judge import judge
from tip_assets.quality.calibration.labels import built_in_labels
from tip_resources.domain.codec import to_json


def run(home: Path, *arguments: str | Path, **environ: str) -> Result:
    environ = {"TIP_HOME": str(home), "TIP_MODELS__PROBE_LOCALHOST": "false", **environ}
    return CliRunner().invoke(judge, [str(argument) for argument in arguments], env=environ)


def test_the_local_tier_is_held_against_the_labels_and_listed(tmp_path: Path) -> None:
    assert "tip judge calibrate" in run(tmp_path, "list").stdout
    result = run(tmp_path, "calibrate", "--tier", "local")
    assert result.exit_code == 0, result.output
    assert "not calibrated, does not rank as people do" in result.stdout
    listed = json.loads(run(tmp_path, "list", "--json").stdout)["calibrations"]
    assert [(one["grader"], one["is_calibrated"]) for one in listed] == [("tip-local", False)]
    assert listed[0]["sides"]["overall"]["pearson"]["low"] < listed[0]["sides"]["overall"]["pearson"]["value"]


def test_a_judge_that_says_the_same_of_every_call_is_not_calibrated(tmp_path: Path) -> None:
    with serving(json.dumps(VERDICT)) as server:
        result = run(tmp_path, "calibrate", "--samples", "1", "--json", TIP_LLM_URL=server.url)
        asked = len(server.asked)
        again = run(tmp_path, "calibrate", "--samples", "1", TIP_LLM_URL=server.url)
        assert len(server.asked) == asked  # what was answered is kept
        fresh = run(tmp_path, "calibrate", "--samples", "1", "--fresh", TIP_LLM_URL=server.url)
        assert len(server.asked) == 2 * asked
    found = json.loads(result.stdout)
    assert (found["grader"], found["verdict"]) == ("judge", "does not rank as people do")
    assert found["sides"]["overall"]["pearson"]["value"] is None
    assert asked == len(built_in_labels()) + 6
    assert "unknown" in again.stdout and fresh.exit_code == 0


def test_a_users_own_labels_come_beside_or_instead_of_the_shipped_ones(tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_bytes(b"".join(to_json(call) + b"\n" for call in built_in_labels()[:5]))
    beside = json.loads(run(tmp_path, "calibrate", "--tier", "local", "--labels", mine, "--json").stdout)
    assert (beside["calls"], beside["labels"]) == (35, ["built-in", "mine.jsonl"])
    alone = json.loads(
        run(tmp_path, "calibrate", "--tier", "local", "--labels", mine, "--only-labels", "--json").stdout
    )
    assert (alone["calls"], alone["verdict"]) == (5, "too few calls")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("calibrate", "--tier", "local", "--only-labels"), "--only-labels needs --labels"),
        (("calibrate", "--tier", "local", "--labels", "{}"), "name the file with the calls with --calls"),
        (("calibrate", "--tier", "openai", "--rehearsal"), "--rehearsal goes with --tier network"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("id,realism,coherence,naturalness,overall\n")
    result = run(tmp_path, *(argument.format(table) for argument in arguments))
    assert result.exit_code == 2
    assert said in result.stderr


def test_without_a_judge_it_says_what_was_tried(tmp_path: Path) -> None:
    result = run(tmp_path, "calibrate", TIP_LLM_URL="http://127.0.0.1:9/v1")
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/v1" in result.stderr
