"""Asking local programs and loopback servers, with a limit on time and size. What their answers mean is elsewhere."""

import json
import math
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from node_agent.collectors.local_http import LocalServer, NobodyThere, TooLarge, TooLate, Trouble

# Services start with a short PATH: Homebrew's folders and the older firmware tools of the Raspberry Pi are not in it.
_MORE_FOLDERS = ("/opt/homebrew/bin", "/usr/local/bin", "/opt/vc/bin")
# A full sensor tree of a large workstation is below 1 MiB.
_MOST_BYTES = 4 * 1024 * 1024

# Program with arguments, and seconds it may take; gives what it wrote to standard output.
Runner = Callable[[Sequence[str], float], str]


class Unanswered(Exception):
    """Someone was asked and gave no usable answer; the message says who and why."""


class NotInstalled(Unanswered):
    """There is no such program."""


def run_program(command: Sequence[str], timeout_seconds: float) -> str:
    """What the program wrote. It is ended when its time is over.

    Raises:
        NotInstalled: No such program.
        Unanswered: It failed, or took too long.
    """
    folders = os.pathsep.join((os.environ.get("PATH", os.defpath), *_MORE_FOLDERS))
    program = shutil.which(command[0], path=folders)
    if program is None:
        raise NotInstalled(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
            encoding="utf-8",
            errors="replace",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise Unanswered(f"{command[0]} took longer than {timeout_seconds:g} s") from error
    except OSError as error:
        raise Unanswered(f"{command[0]} did not start: {error.strerror}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise Unanswered(f"{command[0]} ended with {done.returncode}: {said[:200]}")
    return done.stdout


def get_json(url: str, timeout_seconds: float) -> Any:
    """The JSON document at a plain HTTP address on this machine. Follows no redirect and uses no proxy.

    Raises:
        Unanswered: Nobody there, not in time, not 200, too large, or no JSON.
    """
    parts = urlsplit(url)
    server = LocalServer(
        parts.hostname or "127.0.0.1", parts.port or 80, timeout_seconds, timeout_seconds, most_bytes=_MOST_BYTES
    )
    try:
        answer = server.get(parts.path or "/")
    except NobodyThere as error:
        raise Unanswered(f"no answer from {url}: nobody listens there") from error
    except TooLate as error:
        raise Unanswered(f"no answer from {url}: the answer took longer than {timeout_seconds:g} s") from error
    except TooLarge as error:
        raise Unanswered(f"no answer from {url}: the answer is larger than {_MOST_BYTES} bytes") from error
    except Trouble as error:
        raise Unanswered(f"no answer from {url}: {error}") from error
    if answer.status != 200:
        raise Unanswered(f"{url} answered with status {answer.status}")
    return parse_json(answer.body, url)


def parse_json(text: str | bytes, source: str) -> Any:
    """The document, or `Unanswered` that names the source."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unanswered(f"{source} did not answer with JSON") from error


def as_number(value: object) -> float | None:
    """A number of a JSON document, or None where it is none: another kind of value, NaN, or too large."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
