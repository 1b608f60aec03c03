"""Starts and stops the PostgreSQL process of a project, and finds out whether one answers.

No locking here: embedded.py sees to it that one process at a time does this.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from tip_resources.database.server_account import Account, account_for, check_reachable, is_root
from tip_resources.database.server_files import (
    DATABASE,
    SUPERUSER,
    Postmaster,
    ServerFolders,
    configuration,
    disown_dead_postmaster,
    make_private_folder,
    socket_folder,
    trim_log,
)
from tip_resources.database.server_programs import binaries_folder, run_postgres_program, sign
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.storage.disk import free_bytes

DRIVER = "postgresql+psycopg2"
# Crash recovery after a power cut may replay max_wal_size (512 MB) from a slow disk.
START_SECONDS = 120
STOP_SECONDS = 60

_CONNECT_TIMEOUT_SECONDS = 5
# Its write-ahead log grows by 16 MB at a time.
_LEAST_ROOM_BYTES = 32_000_000
# The backends of a killed server notice its death within a second; until then their memory bars a new one.
_ORPHAN_ATTEMPTS = 10


def start_server(folders: ServerFolders, *, tcp: bool) -> str:
    """Makes the cluster when it is new, starts the server when it is down, and returns its URL.

    Raises:
        BadInput: The server cannot run there.
        TransientFailure: It did not come up.
    """
    pgdata = folders.pgdata
    account = account_for(pgdata, root=is_root())
    sockets = socket_folder(pgdata)
    check_reachable((pgdata, sockets, binaries_folder() / "postgres"), account)
    postmaster = Postmaster.read(pgdata)
    if postmaster is None or not postmaster.is_alive():
        if not (pgdata / "PG_VERSION").exists():
            _initialise(folders, account)
        if not tcp and sockets != pgdata:
            make_private_folder(sockets, (account.user_id, account.group_id) if account else None)
        try:
            _configure(folders, tcp=tcp)
        except OSError as error:
            raise _trouble(folders, str(error)) from error
        _start_postmaster(folders, account, was_killed=disown_dead_postmaster(pgdata))
    return _connect_for_real(folders)


def stop_server(folders: ServerFolders) -> bool:
    """Ends all connections and stops the server; True when there was one.

    Raises:
        TransientFailure: It did not stop in time.
    """
    postmaster = Postmaster.read(folders.pgdata)
    if postmaster is None or not postmaster.is_alive():
        return False
    account = account_for(folders.pgdata, root=is_root())
    arguments = ("stop", "-m", "fast", "-w", "-t", str(STOP_SECONDS), "-D", str(folders.pgdata))
    try:
        _run("pg_ctl", arguments, account, folders)
    except TransientFailure:
        if postmaster.is_alive():  # otherwise somebody else was stopping it
            raise
    sockets = socket_folder(folders.pgdata)
    if sockets != folders.pgdata:
        with suppress(OSError):  # not there on TCP
            sockets.rmdir()
    return True


def reachable_url(folders: ServerFolders) -> str | None:
    """The URL when a server answers there now, judged by a real connection."""
    import psycopg2

    postmaster = Postmaster.read(folders.pgdata)
    if postmaster is None or not postmaster.is_alive():
        return None
    url = _url(folders, postmaster)
    try:
        psycopg2.connect(**_connect_arguments(url, DATABASE)).close()
    except psycopg2.OperationalError:
        return None
    return url.render_as_string(hide_password=False)


def _configure(folders: ServerFolders, *, tcp: bool) -> None:
    """What the server reads at its start, written anew."""
    configured = folders.pgdata / "tip.conf"
    port = _same_or_free_port(configured) if tcp else None
    text = configuration(tcp_port=port, sockets=socket_folder(folders.pgdata))
    configured.write_text(text, encoding="utf-8")
    configured.chmod(0o644)
    sign(folders.pgdata)
    trim_log(folders.log)


def _start_postmaster(folders: ServerFolders, account: Account | None, *, was_killed: bool) -> None:
    arguments = ("start", "-w", "-t", str(START_SECONDS), "-l", str(folders.log), "-D", str(folders.pgdata))
    for attempts_left in reversed(range(_ORPHAN_ATTEMPTS if was_killed else 1)):
        try:
            _run("pg_ctl", arguments, account, folders)
            return
        except TransientFailure as failure:
            if not attempts_left or "shared memory" not in str(failure):
                raise
            time.sleep(0.5)


def _connect_for_real(folders: ServerFolders) -> str:
    """Waits until the server takes connections, makes our database when it is new, and returns its URL."""
    import psycopg2
    from psycopg2.errors import DuplicateDatabase

    deadline = time.monotonic() + START_SECONDS
    while True:
        postmaster = Postmaster.read(folders.pgdata)
        try:
            if postmaster is None or not postmaster.is_alive():
                raise _trouble(folders, f"it ended while starting; see {folders.log}.")
            url = _url(folders, postmaster)
            connection = psycopg2.connect(**_connect_arguments(url, "postgres"))
            break
        except psycopg2.OperationalError as error:
            if time.monotonic() > deadline:
                raise _trouble(folders, f"it runs but does not answer: {error}") from error
            time.sleep(0.1)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
    except DuplicateDatabase:
        pass
    finally:
        connection.close()
    return url.render_as_string(hide_password=False)


def _initialise(folders: ServerFolders, account: Account | None) -> None:
    """Makes an empty cluster beside `pg` and renames it: a killed initdb leaves nothing half done in its place."""
    for leftover in folders.state.glob("pg.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if folders.pgdata.exists():
        if any(folders.pgdata.iterdir()):
            raise BadInput(
                "the folder is there but holds no PostgreSQL database.",
                where=str(folders.pgdata),
                mend="Move it away; tip makes a new one.",
            )
        folders.pgdata.rmdir()
    new = folders.state / f"pg.new-{secrets.token_hex(4)}"
    new.mkdir(mode=0o700)
    password = new.with_suffix(".password")
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(24), encoding="ascii")
    if account:
        os.chown(new, account.user_id, account.group_id)
        os.chown(password, account.user_id, account.group_id)
    # The builtin locale sorts the same on every system and never needs a reindex after a system update.
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    auth = ("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}")
    _run("initdb", (*locale, *auth, "-U", SUPERUSER, "-D", str(new)), account, folders)
    with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\n# Written by tip at every start.\ninclude_if_exists = 'tip.conf'\n")
    password.replace(folders.password_file)
    new.rename(folders.pgdata)


def _url(folders: ServerFolders, postmaster: Postmaster) -> URL:
    if postmaster.socket_folder:
        where = {"host": postmaster.socket_folder, "port": str(postmaster.port)}
        return URL.create(DRIVER, username=SUPERUSER, database=DATABASE, query=where)
    password = folders.password_file.read_text().strip()
    return URL.create(DRIVER, SUPERUSER, password, postmaster.host, postmaster.port, DATABASE)


def _connect_arguments(url: URL, database: str) -> dict[str, Any]:
    return {
        "host": url.query.get("host") or url.host,
        "port": url.query.get("port") or url.port,
        "user": url.username,
        "password": url.password,
        "dbname": database,
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
    }


def _run(command: str, arguments: tuple[str, ...], account: Account | None, folders: ServerFolders) -> None:
    try:
        run_postgres_program(command, arguments, account, folder=folders.state, timeout_seconds=START_SECONDS * 2)
    except subprocess.CalledProcessError as error:
        said = f"{command} failed: {error.stderr}\n{_text(folders.log)[-2000:]}".strip()
        raise _trouble(folders, said) from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise _trouble(folders, f"{command} failed: {error}") from error


def _trouble(folders: ServerFolders, said: str) -> TransientFailure:
    free = free_bytes(folders.state)
    if free < _LEAST_ROOM_BYTES:
        said = (
            f"No space left on device: {free / 1e6:.0f} MB are free where it wants {_LEAST_ROOM_BYTES / 1e6:.0f}. Make "
            "room on that disk, and it starts by itself; then `tip gc` removes what is old."
        )
    return TransientFailure(f"{folders.pgdata}: the embedded PostgreSQL: {said}")


def _same_or_free_port(configured: Path) -> int:
    """The port of the last time when it is free, for there may be URLs about that hold it; else any."""
    last = re.search(r"^port = (\d+)$", _text(configured), re.MULTILINE)
    for port in (int(last[1]) if last else 0, 0):
        with socket.socket() as listener:
            if os.name != "nt":  # as PostgreSQL does; on Windows it would let two servers have one port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return listener.getsockname()[1]
    raise TransientFailure("no TCP port is free on 127.0.0.1.")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
