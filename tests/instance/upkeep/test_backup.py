"""A backup brings everything back, is whole or refused, and harms nothing."""

import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Engine, text

from tests.embedded import temporary_home
from tests.instance.upkeep.test_forgetting_runs import YAML, calls, make
from tip_resources.database import audit, restoring
from tip_resources.database.connection import URL_VARIABLE, close, database, database_url
from tip_resources.database.requests import RequestStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.redaction_key import redaction_key
from tip_resources.settings.changes import change_setting
from tip_resources.settings.models import Settings
from tip_resources.settings.store import SettingsStore
from tip_resources.upkeep.backup import back_up
from tip_resources.upkeep.backup_manifest import MANIFEST, BackupManifest, read_manifest
from tip_resources.upkeep.clean_up import the_only_one
from tip_resources.upkeep.restore import restore

pytestmark = pytest.mark.slow


def said_nothing(_: object) -> None:
    pass


@pytest.fixture
def project(home: Path, fresh_database: Engine) -> Iterator[dg.DagsterInstance]:
    """A project with a data set, its run, a changed setting and files."""
    (home / "dagster.yaml").write_text(YAML)
    RequestStore(fresh_database).add(DatasetSpec(name="clinic", count=3, domain="healthcare", query="q"), source="cli")
    audit.append(fresh_database, "ann", "tested", "clinic")
    for place, content in {
        ".tip/data/sets/raw_conversations/clinic.parquet": b"rows" * 1000,
        ".tip/data/parts/clinic/calls/00000/00000001-ab.json": b"{}",
        ".tip/data/exports/clinic/lex/manifest.json": b"{}",
        ".tip/data/sets/raw_conversations/.half.parquet.12345678.tmp": b"half",
        ".tip/logs/daemon.log": b"log",
        "config/default.yaml": b"debug: true\n",
        ".env": b"OPENAI_API_KEY=sk-secret",
    }.items():
        file = home / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        make(instance, "clinic")
        yield instance


def test_everything_comes_back_in_another_project_on_another_database(
    project: dg.DagsterInstance,
    home: Path,
    fresh_database: Engine,
    new_home: Path,
    other_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change_setting("quality.minimum_score", "0.7", author="ann", home=home)
    key = redaction_key(home, "clinic")
    events = rows_of(fresh_database, "tip_dagster.event_logs")
    target = tmp_path / "backups" / "monday"
    manifest = back_up(fresh_database, home, Settings(), target, said_nothing)
    assert read_manifest(target) == manifest
    if os.name != "nt":
        assert target.stat().st_mode & 0o077 == 0, "it holds personal data"

    monkeypatch.setenv(URL_VARIABLE, other_database)
    restore(new_home, target, said_nothing)
    engine = database(new_home)
    request = RequestStore(engine).get("clinic")
    assert request is not None and request.spec.count == 3
    assert rows_of(engine, "tip_dagster.event_logs") == events
    assert [version.value for version in SettingsStore(engine).history("quality.minimum_score")] == [0.7]
    assert [entry.actor for entry in audit.recent(engine, target="clinic")].count("ann") == 1
    with dg.DagsterInstance.from_config(str(new_home)) as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("calls")) == {"clinic"}
        assert instance.get_dynamic_partitions("dataset") == ["clinic"]
        # It goes on: new rows get numbers that no row ever had.
        assert dg.materialize([calls], instance=instance, partition_key="clinic").success
    assert redaction_key(new_home, "clinic") == key
    back = {path.relative_to(new_home).as_posix() for path in new_home.rglob("*") if path.is_file()}
    assert {
        ".tip/data/sets/raw_conversations/clinic.parquet",
        ".tip/data/parts/clinic/calls/00000/00000001-ab.json",
        ".tip/data/exports/clinic/lex/manifest.json",
        "config/default.yaml",
    } <= back
    assert not {path for path in back if path.endswith((".tmp", ".env", "daemon.log", "restoring", "restored"))}
    assert (new_home / "config" / "default.yaml").read_text() == "debug: true\n"


def test_a_project_that_is_not_empty_is_left_alone_unless_told_and_then_moved_aside(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, tmp_path: Path
) -> None:
    target = tmp_path / "backup"
    back_up(fresh_database, home, Settings(), target, said_nothing)
    (home / "config" / "default.yaml").write_text("debug: false\n")
    before = rows_of(fresh_database, "tip.dataset_requests")
    with pytest.raises(BadInput, match=r"is there already.*--replace"):
        restore(home, target, said_nothing)
    assert rows_of(fresh_database, "tip.dataset_requests") == before
    RequestStore(fresh_database).add(DatasetSpec(name="later", count=1, domain="healthcare", query="q"), source="cli")
    done = restore(home, target, said_nothing, replace=True)
    engine = database(home)
    assert rows_of(engine, "tip.dataset_requests") == before
    aside = {Path(each).name.partition(".before-")[0] for each in done.moved_aside if not each.startswith("schema")}
    assert aside == {".tip", "default.yaml"}
    old = [each.removeprefix("schema ") for each in done.moved_aside if each.startswith("schema tip_before")]
    assert len(rows_of(engine, f"{old[0]}.dataset_requests")) == 2
    with engine.begin() as connection:
        for each in done.moved_aside:
            if each.startswith("schema"):
                connection.execute(text(f"DROP {each} CASCADE"))


def test_a_restore_that_was_interrupted_is_not_opened_and_begins_anew(
    project: dg.DagsterInstance,
    home: Path,
    fresh_database: Engine,
    new_home: Path,
    other_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "backup"
    back_up(fresh_database, home, Settings(), target, said_nothing)
    monkeypatch.setenv(URL_VARIABLE, other_database)

    class Killed(BaseException):
        pass

    def kill(progress: object) -> None:
        if getattr(progress, "stage", "") == "database":
            raise Killed

    with pytest.raises(Killed):
        restore(new_home, target, kill)
    close(new_home)
    mark = new_home / ".tip.restoring"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "pid": 2**22 + 1}))  # as another process left it
    with pytest.raises(BadInput, match=r"a restore was interrupted here.*again"):
        database_url(new_home)
    restore(new_home, target, said_nothing)
    assert restoring.begun(new_home) is None
    assert RequestStore(database(new_home)).get("clinic") is not None


@pytest.mark.parametrize("what", ["a set", "a table", "the end of the files", "a line of checksums"])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    project: dg.DagsterInstance,
    home: Path,
    fresh_database: Engine,
    new_home: Path,
    tmp_path: Path,
    what: str,
) -> None:
    target = tmp_path / "backup"
    back_up(fresh_database, home, Settings(), target, said_nothing)
    spoil(target, what)
    with pytest.raises(BadInput, match="the backup is damaged"):
        restore(new_home, target, said_nothing)
    assert list(new_home.iterdir()) == []


def test_a_backup_of_a_newer_tip_is_refused(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, new_home: Path, tmp_path: Path
) -> None:
    target = tmp_path / "backup"
    manifest = back_up(fresh_database, home, Settings(), target, said_nothing)
    document = json.loads((target / MANIFEST).read_text())
    for field, value, words in (
        ("tip_revision", "9999", "'9999', which this tip does not know"),
        ("format", 2, f"made by tip {manifest.tip_version} in a form this tip does not know"),
    ):
        (target / MANIFEST).write_text(json.dumps({**document, field: value}))
        with pytest.raises(BadInput, match=words):
            restore(new_home, target, said_nothing)
    assert list(new_home.iterdir()) == []


def test_a_backup_never_overwrites_and_a_failed_one_leaves_nothing(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="something there already"):
        back_up(fresh_database, home, Settings(), taken, said_nothing)
    with pytest.raises(BadInput, match="would be lost with it"):
        back_up(fresh_database, home, Settings(), home / ".tip" / "backup", said_nothing)
    with the_only_one(fresh_database), pytest.raises(TransientFailure, match="is at work"):
        back_up(fresh_database, home, Settings(), tmp_path / "new", said_nothing)

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        back_up(fresh_database, home, Settings(), tmp_path / "new", full)
    assert sorted(path.name for path in tmp_path.iterdir() if "home" not in path.name) == ["taken"]
    killed = tmp_path / ".new.partial"
    killed.mkdir()
    (killed / "half").touch()
    back_up(fresh_database, home, Settings(), tmp_path / "new", said_nothing)
    assert sorted(path.name for path in tmp_path.iterdir() if "home" not in path.name) == ["new", "taken"]


def test_what_is_written_meanwhile_does_not_change_the_moment_of_the_backup(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, tmp_path: Path
) -> None:
    store = RequestStore(fresh_database)

    def meanwhile(_: object) -> None:
        if store.get("later") is None:
            store.add(DatasetSpec(name="later", count=1, domain="healthcare", query="q"), source="cli")

    manifest = back_up(fresh_database, home, Settings(), tmp_path / "backup", meanwhile)
    assert store.get("later") is not None
    assert rows_in(manifest, "dataset_requests") == 1


def test_a_folder_that_is_a_link_to_another_disk_is_part_of_it(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, tmp_path: Path
) -> None:
    other_disk = tmp_path / "other disk"
    (home / ".tip" / "data" / "sets").rename(other_disk)
    (home / ".tip" / "data" / "sets").symlink_to(other_disk, target_is_directory=True)
    (home / "requests").mkdir()
    (home / "requests" / "10:30 caf\u00e9.yaml").write_text("count: 3")
    back_up(fresh_database, home, Settings(), tmp_path / "backup", said_nothing)
    with tarfile.open(tmp_path / "backup" / "files.tar") as tar:
        names = tar.getnames()
    assert "home/.tip/data/sets/raw_conversations/clinic.parquet" in names
    assert "home/requests/10:30 caf\u00e9.yaml" in names


def test_sets_that_lie_elsewhere_on_the_disk_are_part_of_it(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "sets elsewhere"
    (elsewhere / "sets").mkdir(parents=True)
    (elsewhere / "sets" / "calls.parquet").write_bytes(b"rows")
    manifest = back_up(fresh_database, home, Settings(storage_url=str(elsewhere)), tmp_path / "one", said_nothing)
    with tarfile.open(tmp_path / "one" / "files.tar") as tar:
        assert "storage/sets/calls.parquet" in tar.getnames()
    assert manifest.has_sets


def spoil(backup: Path, what: str) -> None:
    if what == "a set":
        content = (backup / "files.tar").read_bytes()
        (backup / "files.tar").write_bytes(content.replace(b"rowsrows", b"rowsROWS", 1))
    elif what == "a table":
        (backup / "database" / "tip.dataset_requests.gz").write_bytes(b"")
    elif what == "the end of the files":
        content = (backup / "files.tar").read_bytes()
        (backup / "files.tar").write_bytes(content[: len(content) // 2])
    else:
        lines = (backup / "checksums.txt").read_text().splitlines(keepends=True)
        (backup / "checksums.txt").write_text("".join(lines[1:]))


def rows_of(engine: Engine, table: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))]


def rows_in(manifest: BackupManifest, table: str) -> int:
    return next(each.rows for each in manifest.tables if each.name == table)


def test_an_embedded_database_comes_back_in_another_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    with temporary_home() as old, temporary_home() as new:
        spec = DatasetSpec(name="clinic", count=3, domain="healthcare", query="q")
        RequestStore(database(old)).add(spec, source="cli")
        manifest = back_up(database(old), old, Settings(), tmp_path / "backup", said_nothing)
        assert manifest.dagster_revision == "", "Dagster never ran there"
        close(old)
        restore(new, tmp_path / "backup", said_nothing)
        assert RequestStore(database(new)).get("clinic") is not None
        with pytest.raises(BadInput, match="pg is there already"):
            restore(new, tmp_path / "backup", said_nothing)
        done = restore(new, tmp_path / "backup", said_nothing, replace=True)
        (aside,) = map(Path, done.moved_aside)
        assert (aside / "pg" / "PG_VERSION").exists()
        assert RequestStore(database(new)).get("clinic") is not None
        close(new)
