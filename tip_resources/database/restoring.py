"""The mark of a restore under way, so that nobody works with a project that is half there."""

import os
from pathlib import Path

from tip_resources.domain.failures import BadInput

_MARK = "restoring"


def mark(state: Path) -> None:
    """From here on only this process may open the project's database."""
    state.mkdir(parents=True, exist_ok=True)
    (state / _MARK).write_text(str(os.getpid()), encoding="ascii")


def unmark(state: Path) -> None:
    """Everything is there."""
    (state / _MARK).unlink(missing_ok=True)


def is_marked(state: Path) -> bool:
    """Whether a restore began here and has not come to its end."""
    return (state / _MARK).exists()


def refuse_half_restored(home: Path) -> None:
    """Passes unless a restore of another process is under way here, or was interrupted.

    Raises:
        BadInput: It is; the message says how to mend it.
    """
    mark_file = home / ".tip" / _MARK
    if mark_file.exists() and mark_file.read_text(encoding="ascii").strip() != str(os.getpid()):
        raise BadInput(
            "a restore is at work here, or was interrupted.",
            where=str(home / ".tip"),
            mend="If none runs, give `tip restore` again: it begins anew.",
        )
