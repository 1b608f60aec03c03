"""How a sign of activity is read: by a program of the system, or not at all with a reason. Which signs: activity.py.

Reasons are written here and never quote a program's output, which may hold names of programs, windows or people.
"""

import os
import subprocess
from collections.abc import Callable, Sequence

from node_agent.report import Reading, Sign

_COMMAND_SECONDS = 1.0

# Runs a program and gives what it printed; raises Unknown.
Run = Callable[[Sequence[str]], str]


class Unknown(Exception):
    """Why a sign cannot be read."""


class NotInstalled(Unknown):
    """The program that could tell is not on this machine."""


def run_command(argv: Sequence[str]) -> str:
    """What the program printed, in English formats. It is ended after a second.

    Raises:
        NotInstalled: There is no such program.
        Unknown: It failed or took too long.
    """
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError:
        raise NotInstalled(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Unknown(f"{argv[0]} did not answer within {_COMMAND_SECONDS:g} s") from None
    except OSError as error:
        raise Unknown(f"{argv[0]} cannot be started: {error.strerror}") from None
    if done.returncode != 0:
        raise Unknown(f"{argv[0]} failed with exit status {done.returncode}")
    return done.stdout.decode("utf-8", "replace")


def sign_of(read: Callable[[], bool]) -> Sign:
    """The sign, or why it is unknown."""
    try:
        return Sign(read())
    except Unknown as why:
        return Sign.unknown(str(why))
    except OSError as error:
        return Sign.unknown(f"the agent may not look: {error.strerror}")


def reading_of(read: Callable[[], float]) -> Reading:
    """The reading, or why it is unknown."""
    try:
        return Reading(read())
    except Unknown as why:
        return Reading.unknown(str(why))
    except OSError as error:
        return Reading.unknown(f"the agent may not look: {error.strerror}")
