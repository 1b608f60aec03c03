"""How a process we start gets its work: over stdin, after its identity has been written down.

A worker that could start before its pid is on record would be unknown to whoever looks for it after a
crash. So a worker waits for its orders; when the starter dies first, the pipe closes and the worker ends.
Orders hold the storage configuration, which the arguments of a process would show to every user.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

import msgspec

NO_ORDERS_EXIT_CODE = 3


class Orders(msgspec.Struct, frozen=True):
    """What a worker is to do.

    Args:
        what: Names it.
        arguments: Dagster's own serialised form.
        environment: Added to the worker's own: one that was started before there was work cannot have it yet.
    """

    what: Literal["execute_run", "resume_run", "execute_step"]
    arguments: str
    environment: dict[str, str] = {}


def start_worker(
    module: str, arguments: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log_file: IO[bytes] | None
) -> subprocess.Popen[bytes]:
    """Starts `python -m module` in a session of its own, where no signal to us or our terminal reaches it.

    Args:
        module: Module with a main function that calls `wait_for_orders`.
        arguments: For its command line; every user of the machine can read them.
        environment: Added to ours.
        cwd: Where it runs. A `.env` there would be loaded by Dagster and override the environment.
        log_file: Takes stdout and stderr; None leaves them where ours go.
    """
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=log_file,
        stderr=log_file,
        env={**os.environ, **environment},
        cwd=cwd,
        start_new_session=True,  # ignored on Windows
        creationflags=flags,
    )


def give_orders(worker: subprocess.Popen[bytes], orders: Orders) -> None:
    """Sends the one line a worker waits for; stdin stays open.

    Raises:
        BrokenPipeError: The worker has died already.
    """
    assert worker.stdin is not None, "start_worker gives every worker a stdin"
    worker.stdin.write(msgspec.json.encode(orders) + b"\n")
    worker.stdin.flush()


def wait_for_orders(stream: IO[bytes]) -> Orders:
    """Blocks until the starter has given its orders; ends the process when the starter has died."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        sys.exit(NO_ORDERS_EXIT_CODE)
    return msgspec.json.decode(line, type=Orders)
