"""The files of the embedded server: where they lie, what its configuration says, who is running on them.

Starting and stopping is in embedded.py.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tip_resources.domain.failures import BadInput

DATABASE = "tip"
SUPERUSER = "postgres"
SOCKET_PORT = 5432
# The shortest limit for the name of a Unix socket on the systems we support: 104 bytes on macOS, one for the end.
_SOCKET_NAME_BYTES = 103
_LOG_LIMIT_BYTES = 10_000_000
# Higher than any process id on Linux (2^22), macOS and Windows hand out: a process that certainly is not there.
_NOBODY = 99_999_999


@dataclass(frozen=True)
class ServerFolders:
    """Everything the embedded server of one project writes."""

    state: Path

    @classmethod
    def of(cls, home: Path) -> "ServerFolders":
        """The folders of the project in `home`; made nowhere, only named."""
        return cls(home.resolve() / ".tip")

    @property
    def pgdata(self) -> Path:
        """The database cluster."""
        return self.state / "pg"

    @property
    def start_lock(self) -> Path:
        """Held by the one process that starts or stops the server."""
        return self.state / "pg.start.lock"

    @property
    def use_lock(self) -> Path:
        """Shared by all processes that use the server."""
        return self.state / "pg.use.lock"

    @property
    def password_file(self) -> Path:
        """The superuser's password, where the server listens on TCP."""
        return self.state / "pg.password"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.pgdata / "log"


@dataclass(frozen=True)
class Postmaster:
    """What postmaster.pid says. https://www.postgresql.org/docs/18/storage-file-layout.html"""

    pid: int
    port: int
    socket_folder: str
    host: str
    status: str

    @classmethod
    def read(cls, pgdata: Path) -> "Postmaster | None":
        """The file's content, or None when there is none or it is still being written."""
        try:
            lines = [line.strip() for line in (pgdata / "postmaster.pid").read_text().splitlines()]
        except (FileNotFoundError, PermissionError):  # Windows holds the file while it is being written
            return None
        if len(lines) < 8 or not lines[0].isdigit() or not lines[3].isdigit():
            return None
        return cls(pid=int(lines[0]), port=int(lines[3]), socket_folder=lines[4], host=lines[5], status=lines[7])

    def is_alive(self) -> bool:
        """Whether that process is a living postgres: not a zombie, not someone else given the same id."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            return process.status() != psutil.STATUS_ZOMBIE and process.name().startswith("postgres")
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


def disown_dead_postmaster(pgdata: Path) -> bool:
    """Makes the lock files of a dead server name a process that cannot be there; True when there were any.

    PostgreSQL refuses to start while the process named there exists, be it a zombie nobody reaped or a
    stranger with a recycled id. The rest of postmaster.pid stays: by its shared memory line PostgreSQL finds
    out whether orphaned backends still work on the data.
    """
    locks = [pgdata / "postmaster.pid", socket_folder(pgdata) / f".s.PGSQL.{SOCKET_PORT}.lock"]
    dead = [lock for lock in locks if lock.exists()]
    for lock in dead:
        _, _, rest = lock.read_text().partition("\n")
        with lock.open("r+") as stream:  # in place: the file belongs to the server's account
            stream.write(f"{_NOBODY}\n{rest}")
            stream.truncate()
    return bool(dead)


def socket_folder(pgdata: Path) -> Path:
    """Where the Unix socket goes: beside the data, or in a private temporary folder when that path is too long."""
    if len(os.fsencode(pgdata / f".s.PGSQL.{SOCKET_PORT}")) <= _SOCKET_NAME_BYTES:
        return pgdata
    name = hashlib.sha256(os.fsencode(pgdata)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"tip-pg-{name}"


def make_private_folder(folder: Path, owner: tuple[int, int] | None) -> None:
    """Makes `folder` for its owner alone.

    Raises:
        BadInput: It is there already and belongs to somebody else.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if os.name == "nt":
        return
    expected = owner[0] if owner else os.geteuid()
    found = folder.lstat().st_uid
    if found not in {expected, os.geteuid()} or folder.is_symlink():
        raise BadInput("the folder for the database socket belongs to another user.", where=str(folder))
    if owner:
        os.chown(folder, *owner)
    folder.chmod(0o700)


def configuration(*, tcp_port: int | None, sockets: Path) -> str:
    """The settings we add to PostgreSQL's defaults: small machines, one user, nothing reachable from outside."""
    if tcp_port is None:
        name = str(sockets).replace('"', '""').replace("'", "''")
        listen = f"listen_addresses = ''\nunix_socket_directories = '\"{name}\"'\nport = {SOCKET_PORT}\n"
    else:
        listen = f"listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nport = {tcp_port}\n"
    return f"{listen}shared_buffers = {_shared_buffers_mb()}MB\n{_SMALL_MACHINE}"


def _shared_buffers_mb() -> int:
    """A 32nd of the machine's memory, from 64 MB (2 GB and less) to 256 MB (8 GB and more).

    The index of delivered calls outgrows 64 MB at 100,000 calls; adding to it then costs 40 % more.
    """
    import psutil

    return min(max(psutil.virtual_memory().total // (32 << 20), 64), 256)


def trim_log(log: Path) -> None:
    """Drops a log that has grown past its limit; called while the server is down."""
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.unlink()


_SMALL_MACHINE = """\
unix_socket_permissions = 0700
# Dagster opens a connection per query in every process; 100 is soon used up.
max_connections = 200
# Parallel queries need /dev/shm, which is 64 MB in a container, and gain nothing at our sizes.
max_parallel_workers_per_gather = 0
jit = off
# There is no replica, so the log need not serve one. fsync stays on: a power cut loses nothing.
wal_level = minimal
max_wal_senders = 0
max_wal_size = 512MB
# The log has no rotation: it holds starts, stops and errors only.
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
"""
