"""`tip export` into a bucket: the folder appears whole, and what is not an export of ours is left alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.s3_server import S3Server, s3, s3_server
from tip_assets.cli.main import main

__all__ = ["s3", "s3_server"]


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    lines = [{"id": f"c{n}", "turns": [{"speaker": "agent", "text": f"Hello {n}."}]} for n in range(3)]
    (tmp_path / "calls.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return tmp_path / "calls.jsonl"


def export(calls: Path, directory: str, export_format: str = "jsonl") -> Result:
    return CliRunner().invoke(main, ["export", str(calls), directory, "--format", export_format, "--json"])


def test_an_export_goes_to_a_prefix_and_replaces_only_an_earlier_one_there(calls: Path, s3: S3Server) -> None:
    place = f"{s3.url}/mine"
    for _ in range(2):
        done = export(calls, place)
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["directory"] == place
    assert s3.names("mine/") == ["conversations.jsonl", "manifest.json", "spans.jsonl"]
    refused = export(calls, place, "csv")
    assert refused.exit_code == 1 and "holds a jsonl export" in refused.stderr
    refused = export(calls, s3.url)
    assert refused.exit_code == 1 and "not an export of tip" in refused.stderr
    assert s3.names("mine/") == ["conversations.jsonl", "manifest.json", "spans.jsonl"]
    assert sorted(path.name for path in calls.parent.iterdir() if path.name != ".tip") == ["calls.jsonl"]


def test_another_scheme_is_refused_instead_of_made_a_folder_of(calls: Path) -> None:
    refused = export(calls, "gs://bucket/mine")
    assert refused.exit_code == 1 and "DIR: gs:// is no place" in refused.stderr
    assert not (calls.parent / "gs:").exists()
