"""`tip gc`, `tip backup`, `tip restore` and what `tip doctor` says of disk and production, as a person uses them."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from tests.small_disk import mounted
from tip_assets.cli import doctor
from tip_assets.cli.console import EXIT_FAILED
from tip_assets.cli.main import main
from tip_resources.upkeep import disk_room
from tip_resources.upkeep.words import in_bytes


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a project"
    (folder / "config").mkdir(parents=True)
    monkeypatch.setenv("TIP_HOME", str(folder))
    return folder


def tip(*arguments: str) -> str:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def an_old_log(home: Path) -> Path:
    log = home / ".tip" / "logs" / "runs" / "old.log"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"x" * 1234)
    os.utime(log, (0, 0))
    return log


def test_gc_shows_what_would_go_before_it_does_it(home: Path) -> None:
    log = an_old_log(home)
    assert "would go: 1.2 kB" in tip("gc", "--dry-run")
    assert log.exists()
    done = json.loads(tip("gc", "--json"))
    assert (done["dry_run"], done["count"], done["bytes"]) == (False, 1, 1234)
    assert done["removed"]["logs of run workers"] == {"count": 1, "bytes": 1234, "days": 30}
    assert not log.exists()
    assert "removed: 0 B" in tip("gc")


def test_a_backup_says_what_is_in_it_and_an_empty_place_takes_it(home: Path, tmp_path: Path) -> None:
    (home / "config" / "default.yaml").write_text("debug: false\n")
    said = tip("backup", str(tmp_path / "backup"))
    assert "rows and 1 files" in said and "read back and whole" in said
    refused = CliRunner().invoke(main, ["restore", str(tmp_path / "backup")])
    assert refused.exit_code == EXIT_FAILED and "--replace" in refused.output
    nothing = CliRunner().invoke(main, ["restore", str(tmp_path)])
    assert nothing.exit_code == EXIT_FAILED and "this is no backup" in nothing.output


def test_doctor_tells_a_disk_without_room_and_how_to_make_some(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor.disk(home).ok
    monkeypatch.setattr(disk_room, "free_bytes", lambda _: 10**9)
    found = doctor.disk(home)
    assert not found.ok and "1.0 GB are free" in found.detail and "tip gc" in found.mend


def test_doctor_tells_a_full_disk_where_no_reserve_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIP_DISK__RESERVE_GIGABYTES", "0")
    assert doctor.disk(home).ok
    monkeypatch.setattr(disk_room, "free_bytes", lambda _: 10**7)
    found = doctor.disk(home)
    assert not found.ok and found.detail == f"10 MB free on the disk of {home}" and "tip gc" in found.mend


def test_doctor_warns_in_development_and_finds_fault_in_production(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIP_DATABASE_URL")
    monkeypatch.setenv("TIP_DEBUG", "true")
    (warned,) = doctor.production(home)
    assert warned.ok and "would refuse: debug is on" in warned.detail
    monkeypatch.setenv("TIP_ENVIRONMENT", "production")
    found = list(doctor.production(home))
    assert found and not any(each.ok for each in found) and all(each.mend for each in found)


def test_production_does_not_come_up_with_unsafe_defaults(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIP_ENVIRONMENT", "production")
    monkeypatch.setenv("TIP_DEBUG", "true")
    refused = CliRunner().invoke(main, ["up"])
    assert refused.exit_code == EXIT_FAILED
    assert "production, which refuses:" in refused.output and "tip config set debug false" in refused.output


def test_bytes_are_written_as_people_write_them() -> None:
    assert [in_bytes(count) for count in (0, 999, 1_000, 3_400_000, 10**15)] == [
        *("0 B", "999 B", "1.0 kB", "3.4 MB", "1000.0 TB")
    ]


@pytest.mark.parametrize("words", [["up", "--no-web"], ["list"], ["doctor"]])
def test_a_read_only_project_folder_is_named_before_anything_starts(words: list[str], tmp_path: Path) -> None:
    with mounted(tmp_path, 1 << 20, "ro"):
        result = CliRunner().invoke(main, words, env={"TIP_HOME": str(tmp_path)})
    assert result.exit_code == 1
    assert result.stderr.startswith(f"tip: the disk is read-only ({tmp_path}")
