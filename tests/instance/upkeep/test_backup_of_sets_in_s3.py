"""Sets in an object store stay there: a backup says which, and a restore looks whether they are."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine
from upath import UPath

from tests.s3_server import S3Server, forget_connections, s3, s3_server
from tip_assets.cli.console import EXIT_FAILED
from tip_assets.cli.main import main
from tip_resources.database.connection import URL_VARIABLE
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.storage.objects import put_object, remove_object
from tip_resources.storage.places import storage_root

__all__ = ["s3", "s3_server"]

pytestmark = pytest.mark.slow


@pytest.fixture
def bucket(home: Path, fresh_database: Engine, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> UPath:
    """A project whose sets lie in S3, three objects of 11 bytes in all."""
    monkeypatch.setenv("TIP_STORAGE_URL", s3.url)
    RequestStore(fresh_database).add(DatasetSpec(name="clinic", count=3, domain="healthcare", query="q"), source="cli")
    root = storage_root(s3.url, home)
    put_object(root / "sets" / "calls" / "clinic.parquet", b"rows")
    put_object(root / "parts" / "clinic" / "a part.json", b"{}")
    put_object(root / "exports" / "clinic" / "lex" / "manifest.json", b"whole")
    return root


def tip(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"TIP_HOME": str(home)})


def test_what_is_not_in_a_backup_is_said_and_looked_for_when_it_is_restored(
    bucket: UPath,
    s3: S3Server,
    home: Path,
    new_home: Path,
    other_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "backup"
    said = tip(home, "backup", str(target))
    assert said.exit_code == 0, said.output
    assert f"NOT in it: 3 objects, 11 B, at {s3.url}" in said.stdout
    listed = [line.split(" ", 2) for line in (target / "objects.txt").read_text().splitlines()]
    assert [(size, name) for size, _, name in listed] == [
        ("5", "exports/clinic/lex/manifest.json"),
        ("2", "parts/clinic/a part.json"),
        ("4", "sets/calls/clinic.parquet"),
    ]

    monkeypatch.setenv(URL_VARIABLE, other_database)
    remove_object(bucket / "parts" / "clinic" / "a part.json")
    put_object(bucket / "sets" / "calls" / "clinic.parquet", b"ROWS")
    refused = tip(new_home, "restore", str(target))
    assert refused.exit_code == EXIT_FAILED
    assert "1 of 3 objects" in refused.output and "parts/clinic/a part.json among them" in refused.output
    assert list(new_home.iterdir()) == []

    done = tip(new_home, "restore", str(target), "--without-objects", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["missing_objects"] == ["parts/clinic/a part.json"]
    assert found["changed_objects"] == ["sets/calls/clinic.parquet"]
    assert "clinic" in tip(new_home, "list").stdout


def test_a_backup_whose_objects_are_all_there_is_restored_without_a_word_of_them(
    bucket: UPath, home: Path, new_home: Path, other_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "backup"
    assert tip(home, "backup", str(target)).exit_code == 0
    monkeypatch.setenv(URL_VARIABLE, other_database)
    done = tip(new_home, "restore", str(target))
    assert done.exit_code == 0, done.output
    assert "missing" not in done.stdout and "changed" not in done.stdout


def test_a_store_that_is_gone_does_not_keep_the_database_from_coming_back(
    bucket: UPath,
    home: Path,
    new_home: Path,
    other_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "backup"
    assert tip(home, "backup", str(target)).exit_code == 0
    monkeypatch.setenv(URL_VARIABLE, other_database)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    forget_connections()
    refused = tip(new_home, "restore", str(target))
    assert refused.exit_code == EXIT_FAILED and "there are no credentials for S3" in refused.output
    assert list(new_home.iterdir()) == []
    done = tip(new_home, "restore", str(target), "--without-objects")
    assert done.exit_code == 0, done.output
    assert "nobody looked for 3 objects" in done.stdout


def test_a_list_of_objects_that_was_spoiled_is_found(bucket: UPath, home: Path, new_home: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    assert tip(home, "backup", str(target)).exit_code == 0
    (target / "objects.txt").write_text("")
    refused = tip(new_home, "restore", str(target))
    assert refused.exit_code == EXIT_FAILED and "objects.txt is missing or not as it was written" in refused.output
