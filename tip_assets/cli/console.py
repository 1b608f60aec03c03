"""What every `tip` command shares: exit codes, errors, JSON output and progress bars. ASCII only."""

import errno
import functools
import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click
from tqdm import tqdm

from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.upkeep.disk_trouble import disk_trouble

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_DONE_WITH_REJECTS = 3
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it

# What a disk, a folder or a name can have against a file. Other errors of the system are defects, and keep their trace.
_OF_FILES = frozenset(
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENAMETOOLONG", "ELOOP", "EINVAL"),
        *("ENOSPC", "EDQUOT", "EFBIG", "EIO", "EMFILE", "ENFILE", "ETXTBSY"),
    )
    if hasattr(errno, name)
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines instead of text.")


def reports_failures(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a command: tip's own failures, and what is wrong with a file or disk, become one clear line on stderr
    and exit code 1.
    """

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (PermanentFailure, TransientFailure) as error:
            fail(str(error))
        except Exception as error:
            if trouble := disk_trouble(error):
                fail(trouble)
            if isinstance(error, OSError) and error.errno in _OF_FILES:
                fail(f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}.")
            raise

    return wrapper


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Says what went wrong on stderr and ends the command."""
    click.echo(f"tip: {message}", err=True)
    sys.exit(code)


def say(message: str = "") -> None:
    """A line for the person at the terminal; machines get `print_json`."""
    click.echo(message)


def counted(count: int, noun: str) -> str:
    """`1 call`, `12 calls`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True, default=str))


def progress_bar(total: int | None, label: str, *, unit: str = "call") -> tqdm:
    """An ASCII progress bar on stderr with rate and ETA; silent when stderr is not a terminal."""
    return tqdm(total=total, desc=label, unit=unit, ascii=True, disable=None, file=sys.stderr)
