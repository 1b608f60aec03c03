"""`tip backup` and `tip restore` killed by the system at the worst moments: half work is never taken for whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, create_engine, text

from tests.instance.upkeep.test_backup import project, rows_of, said_nothing
from tip_assets.cli.console import EXIT_FAILED
from tip_assets.cli.main import main
from tip_resources.database.connection import URL_VARIABLE, close, database
from tip_resources.database.schema import UPKEEP_LOCK
from tip_resources.settings.models import Settings
from tip_resources.upkeep.backup import back_up
from tip_resources.upkeep.restore import restore

__all__ = ["project"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system cannot kill a process in this way"),
]
ROOT = Path(__file__).resolve().parents[3]

# The real command, in a process that kills itself as soon as it is about to do what is named: Python tells of every
# file that is opened, renamed or removed (https://docs.python.org/3/library/audit_events.html).
KILLED = """
import os, signal, sys
event, name, times = sys.argv.pop(1), sys.argv.pop(1), [int(sys.argv.pop(1))]
def kill(happens, arguments):
    if happens != event:
        return
    paths = [os.fsdecode(each) for each in arguments if isinstance(each, (str, bytes, os.PathLike))]
    times[0] -= any(path.endswith(name) for path in paths)
    if not times[0]:
        os.kill(os.getpid(), signal.SIGKILL)
from tip_assets.cli.main import main
sys.addaudithook(kill)
main()
"""


def killed(home: Path, event: str, name: str, *command: str, at: int = 1) -> None:
    environment = {**os.environ, "TIP_HOME": str(home)}
    program = [sys.executable, "-c", KILLED, event, name, str(at), *command]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def wait_for_the_lock(engine: Engine) -> None:
    """The server notices at its next look that nobody is there any more."""
    held = text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = :low AND granted")
    with engine.connect() as connection:
        while connection.scalar(held, {"low": UPKEEP_LOCK & 0xFFFFFFFF}):
            time.sleep(0.02)


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("open", "tip.audit_log.gz"),
        ("open", "clinic.parquet"),
        ("os.rename", "monday.partial"),
    ],
)
def test_a_killed_backup_is_none_and_the_next_clears_it_away(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, tmp_path: Path, event: str, name: str
) -> None:
    target = tmp_path / "backups" / "monday"
    killed(home, event, name, "backup", str(target))
    assert not target.exists()
    (half,) = target.parent.iterdir()
    new = tmp_path / "new"
    new.mkdir()
    if name != "monday.partial":  # there it is whole but for its name
        refused = CliRunner().invoke(main, ["restore", str(half)], env={"TIP_HOME": str(new)})
        assert refused.exit_code == EXIT_FAILED and "no backup, or one that was interrupted" in refused.output
    wait_for_the_lock(fresh_database)
    other = target.with_name("tuesday")
    manifest = back_up(fresh_database, home, Settings(), other, said_nothing)
    assert list(target.parent.iterdir()) == [other]
    assert manifest.files >= 4


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("open", "monday/files.tar"),  # reading the backup: nothing is touched yet
        ("os.rename", "home with spaces/.tip"),
        ("os.rename", "default.yaml.restoring"),
        ("open", "tip.dataset_requests.gz"),
        ("open", "tip_dagster.runs.gz"),
        ("os.remove", ".tip.restoring"),
        ("os.remove", ".half-restored"),
    ],
)
def test_a_killed_restore_leaves_the_old_or_says_to_restore_again(
    project: dg.DagsterInstance, home: Path, fresh_database: Engine, tmp_path: Path, event: str, name: str
) -> None:
    target = tmp_path / "monday"
    back_up(fresh_database, home, Settings(), target, said_nothing)
    before = rows_of(fresh_database, "tip.dataset_requests")
    (home / "config" / "default.yaml").write_text("debug: false\n")
    (home / ".tip" / "data" / "sets" / "mine.parquet").write_bytes(b"mine")
    audit_rows = len(rows_of(fresh_database, "tip.audit_log"))
    close(home)

    # Tables are opened to be checked, and then to be copied.
    killed(home, event, name, "restore", str(target), "--replace", at=2 if name.endswith(".gz") else 1)
    looked = CliRunner().invoke(main, ["list"], env={"TIP_HOME": str(home)})
    if name == "monday/files.tar":
        assert looked.exit_code == 0 and "clinic" in looked.output
        assert (home / ".tip" / "data" / "sets" / "mine.parquet").read_bytes() == b"mine"
    elif name == ".half-restored":
        assert looked.exit_code == 0 and "clinic" in looked.output
        assert not (home / ".tip" / "data" / "sets" / "mine.parquet").exists()
        drop_what_was_moved_aside(fresh_database)
        return
    else:
        assert looked.exit_code == EXIT_FAILED
        assert "a restore was interrupted here" in looked.output and "tip restore" in looked.output

    close(home)
    done = restore(home, target, said_nothing, replace=name == "monday/files.tar")
    assert rows_of(database(home), "tip.dataset_requests") == before
    assert (home / "config" / "default.yaml").read_text() == "debug: true\n"
    assert not (home / ".tip.restoring").exists() and not list(home.rglob("*half-restored"))
    # All that was there before, once and whole, and nothing of the half work.
    folders = sorted(home.rglob("*.before-*"))
    schemas = [each.removeprefix("schema ") for each in done.moved_aside if each.startswith("schema")]
    assert {*map(str, folders), *(f"schema {each}" for each in schemas)} == set(done.moved_aside)
    assert [each.name.partition(".before")[0] for each in folders] == [".tip", "default.yaml"]
    assert (folders[0] / "data" / "sets" / "mine.parquet").read_bytes() == b"mine"
    assert folders[1].read_text() == "debug: false\n"
    assert [each.partition("_before")[0] for each in schemas] == ["tip", "tip_dagster"]
    assert len(rows_of(database(home), f"{schemas[0]}.audit_log")) == audit_rows
    drop_what_was_moved_aside(fresh_database)


def drop_what_was_moved_aside(engine: Engine) -> None:
    with engine.begin() as connection:
        found = connection.scalars(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE '%\\_before\\_%'")).all()
        for schema in found:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


def test_a_killed_first_restore_is_given_again_without_replace_and_never_takes_another_database(
    project: dg.DagsterInstance,
    home: Path,
    fresh_database: Engine,
    new_home: Path,
    other_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "monday"
    back_up(fresh_database, home, Settings(), target, said_nothing)
    full = os.environ[URL_VARIABLE]
    monkeypatch.setenv(URL_VARIABLE, other_database)
    killed(new_home, "open", "tip_dagster.runs.gz", "restore", str(target), at=2)
    tried = {"TIP_HOME": str(new_home)}
    refused = CliRunner().invoke(main, ["restore", str(target)], env={**tried, URL_VARIABLE: full})
    assert refused.exit_code == EXIT_FAILED and "the schema tip has tables already" in refused.output
    again = CliRunner().invoke(main, ["restore", str(target)], env=tried)
    assert again.exit_code == 0, again.output
    assert "moved aside" not in again.output
    engine = create_engine(other_database)
    assert len(rows_of(engine, "tip.dataset_requests")) == 1
    engine.dispose()
