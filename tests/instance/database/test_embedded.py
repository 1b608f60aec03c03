"""The embedded server with real processes: started at once, killed, stopped, in odd places."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from tests.embedded import temporary_home
from tests.small_disk import fill, mounted
from tip_resources.database import embedded
from tip_resources.database.connection import close, database
from tip_resources.database.requests import RequestStore
from tip_resources.database.schema import HEAD_REVISION
from tip_resources.database.server_account import is_root
from tip_resources.database.server_files import ServerFolders, socket_folder
from tip_resources.database.trouble import DATABASE_TROUBLE
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.upkeep.disk_trouble import disk_trouble

# Opens the database of the folder in argv, says so, and does what stdin says.
USER = """
import sys
from pathlib import Path
from sqlalchemy import text
from tip_resources.database.connection import database
engine = database(Path(sys.argv[1]))
with engine.connect() as connection:
    print("ready", connection.scalar(text("SELECT version_num FROM tip.alembic_version")), flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TIP_DATABASE_URL", raising=False)
    with temporary_home() as folder:
        yield folder
        close(folder)


def start_user(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def wait_until(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_processes_that_start_in_an_empty_home_at_once_share_one_server(home: Path):
    users = [start_user(home) for _ in range(3)]
    said = [user.stdout.readline() for user in users if user.stdout]
    assert said == [f"ready {HEAD_REVISION}\n"] * 3
    running = embedded.status(home)
    assert running.state == "running"

    users[0].communicate("\n")
    users[1].communicate("\n")
    assert embedded.status(home) == running  # the third still uses it
    users[2].communicate("\n")
    assert [user.returncode for user in users] == [0, 0, 0]
    assert embedded.status(home).state == "stopped"  # the last one stopped it


def test_a_killed_server_is_started_again_and_nothing_is_lost(home: Path):
    store = RequestStore(database(home))
    store.add(DatasetSpec(name="before", count=1, domain="retail"), source="cli")
    pid = embedded.status(home).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)  # its parent does not reap it on every system: it may stay as a zombie
    assert wait_until(lambda: embedded.status(home).state == "stopped")

    def added() -> bool:
        """Its orphaned backend may answer for another moment: the statement it dies under is the one that fails."""
        try:
            store.add(DatasetSpec(name="after", count=1, domain="retail"), source="cli")
        except DATABASE_TROUBLE:
            return False
        return True

    assert wait_until(added)
    assert [request.dataset for request in store.list()] == ["after", "before"]
    assert embedded.status(home).pid not in {None, pid}


def test_a_server_that_finds_no_room_says_so_and_starts_when_there_is_some(home: Path):
    with mounted(home, 200 << 20):
        database(home)
        close(home)
        pid = embedded.status(home).pid
        assert pid is not None
        ballast = home / "ballast"
        fill(ballast)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(TransientFailure, match=r"No space left on device: 0 MB are free .* Make room") as failure:
            embedded.start(home)
        assert disk_trouble(failure.value)
        ballast.unlink()
        embedded.start(home)
        assert embedded.stop(home)


def test_a_stale_pid_file_that_names_another_process_does_not_bar_the_start(home: Path):
    embedded.start(home)
    embedded.stop(home)
    folders = ServerFolders.of(home)
    (folders.pgdata / "postmaster.pid").write_text(
        f"{os.getpid()}\n{folders.pgdata}\n1\n5432\n{folders.pgdata}\n\n  1 1\nready\n"
    )
    assert embedded.status(home).state == "stopped"
    embedded.start(home)
    assert embedded.status(home).state == "running"


def test_a_start_that_was_killed_half_way_is_made_good(home: Path):
    half = home / ".tip" / "pg.new-dead"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    home.joinpath(".tip").chmod(0o755)
    (home / ".tip" / "pg").mkdir()
    database(home)
    assert not half.exists()


def test_a_folder_with_something_else_in_it_is_not_taken_for_a_database(home: Path):
    (home / ".tip" / "pg").mkdir(parents=True)
    (home / ".tip" / "pg" / "letters.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds no PostgreSQL database"):
        embedded.start(home)
    assert (home / ".tip" / "pg" / "letters.txt").read_text() == "mine"


def test_a_home_with_spaces_quotes_and_a_long_path_works(home: Path):
    deep = home / "it's a 100% long path" / ("x" * 100)
    deep.mkdir(parents=True)
    with database(deep).connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        assert connection.engine.url.query["host"] != str(deep / ".tip" / "pg")
    with create_engine(embedded.start(deep)).connect() as connection:
        assert connection.scalar(text("SELECT 2")) == 2
    close(deep)
    sockets = socket_folder(ServerFolders.of(deep).pgdata)
    assert sockets.exists()
    assert embedded.stop(deep)
    assert not sockets.exists()


def test_over_tcp_as_on_windows_nobody_enters_without_the_password(home: Path):
    url = make_url(embedded.start(home, tcp=True))
    assert url.host == "127.0.0.1"
    assert url.password
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW unix_socket_directories")) == ""
        stored = connection.scalar(text("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'"))
        assert str(stored).startswith("SCRAM-SHA-256$")
    engine.dispose()
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(host=url.host, port=url.port, user="postgres", password="guess", dbname="tip")
    embedded.stop(home)
    assert embedded.start(home, tcp=True) == url.render_as_string(False)  # the same port again


def test_stopping_ends_connections_and_is_no_error_twice(home: Path):
    assert embedded.status(home).state == "absent"
    assert not embedded.stop(home)
    with database(home).connect():
        started = time.monotonic()
        assert embedded.stop(home)
        assert time.monotonic() - started < 20
    assert not embedded.stop(home)
    assert embedded.status(home).state == "stopped"


def test_settings_of_the_users_own_postgresql_do_not_reach_ours(home: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"PGPORT": "6000", "PGDATA": "/nowhere", "PGUSER": "ann", "PGDATABASE": "calls"}.items():
        monkeypatch.setenv(name, value)
    with database(home).connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == "postgres"


@pytest.mark.skipif(not is_root(), reason="only root needs another user for the server")
def test_root_is_refused_under_a_closed_folder_which_stays_closed(home: Path):
    closed = home / "root only"
    (closed / "project").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(BadInput, match="other users may not enter this folder") as refused:
        database(closed / "project")
    assert str(refused.value).startswith(f"{closed}: ")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_nobody_else_can_read_the_data_or_reach_the_socket(home: Path):
    embedded.start(home)
    folders = ServerFolders.of(home)
    assert stat.S_IMODE(folders.pgdata.stat().st_mode) == 0o700
    assert stat.S_IMODE(folders.password_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folders.state.stat().st_mode) == (0o711 if is_root() else 0o700)
    assert not [c for c in psutil.Process(embedded.status(home).pid).net_connections("inet") if c.status == "LISTEN"]


@pytest.mark.skipif(not is_root(), reason="umask matters where another user reads our files")
def test_root_with_a_narrow_umask_can_start_it(home: Path):
    before = os.umask(0o077)
    try:
        database(home)
    finally:
        os.umask(before)
    assert embedded.status(home).state == "running"
