"""`tip judge`, as a user runs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from tests.unit.assets.quality.judge_server import VERDICT, serving
from tip_assets.cli.config import config
from tip_assets.cli.grade import grade
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


def test_what_tip_config_set_stored_chooses_the_judge(tmp_path: Path, fresh_database: Engine) -> None:
    calls = tmp_path / "calls.jsonl"
    calls.write_bytes(to_json(built_in_labels()[0]) + b"\n")
    home = {"TIP_HOME": str(tmp_path), "TIP_MODELS__PROBE_LOCALHOST": "false"}
    with serving(json.dumps(VERDICT), "small", "large") as server:
        for key, value in (("models.by_role.judge", "large"), ("quality.judge_samples", "2")):
            assert CliRunner().invoke(config, ["set", key, value], env=home).exit_code == 0
        environ = {**home, "TIP_LLM_URL": server.url}
        graded = CliRunner().invoke(
            grade, [str(calls), str(tmp_path / "out.jsonl"), "--tier", "network", "--json"], env=environ
        )
        asked = {one.body["model"] for one in server.asked}
    assert graded.exit_code == 0, graded.output
    assert asked == {"large"} and json.loads(graded.stdout)["samples"] == 2
    run(tmp_path, "calibrate", "--tier", "local")
    elsewhere = tmp_path / "elsewhere"
    assert CliRunner().invoke(config, ["set", "storage_url", str(elsewhere)], env=home).exit_code == 0
    assert "no grader was held" in run(tmp_path, "list").stdout


def test_no_database_is_made_to_find_out_that_it_holds_no_settings(tmp_path: Path) -> None:
    assert run(tmp_path, "list").exit_code == 0
    assert not list(tmp_path.rglob("PG_VERSION"))
