"""The mark of a restore under way, so that nobody works with a project that is half there.

It lies beside `.tip`, which is moved aside and built anew meanwhile: there is no moment without the one or the other.
"""

import os
from pathlib import Path

import msgspec

from tip_resources.domain.codec import from_json, to_json
from tip_resources.domain.failures import BadInput
from tip_resources.launch.process_identity import ProcessIdentity
from tip_resources.storage.atomic import write_atomically

_MARK = ".tip.restoring"


class Restoring(msgspec.Struct, frozen=True, kw_only=True):
    """A restore that began here and has not come to its end.

    `stamp` ends the names of what it moves aside, `replace` says whether it may; `pid` and `start` are its process.
    """

    pid: int
    start: str
    stamp: str
    replace: bool

    def is_of_another(self) -> bool:
        """Whether another process is at it now."""
        return self.pid != os.getpid() and ProcessIdentity(self.pid, self.start).is_alive()


def begin(home: Path, stamp: str, *, replace: bool) -> None:
    """From here on only this process may open the project's database."""
    own = ProcessIdentity.of(os.getpid())
    assert own is not None, "this process runs"
    mark = Restoring(pid=own.pid, start=own.start, stamp=stamp, replace=replace)
    write_atomically(home / _MARK, to_json(mark))


def begun(home: Path) -> Restoring | None:
    """The restore that has not come to its end here, at work or interrupted; None when there is none."""
    try:
        return from_json((home / _MARK).read_bytes(), Restoring, where=str(home / _MARK))
    except FileNotFoundError:
        return None


def end(home: Path) -> None:
    """Everything is there."""
    (home / _MARK).unlink(missing_ok=True)


def refuse_half_restored(home: Path) -> None:
    """Passes unless a restore of another process is under way here, or was interrupted.

    Raises:
        BadInput: It is; the message says how to mend it.
    """
    found = begun(home)
    if found is None or found.pid == os.getpid():
        return
    if found.is_of_another():
        raise BadInput(f"a restore is at work here: process {found.pid}.", where=str(home), mend="Wait for its end.")
    raise BadInput(
        "a restore was interrupted here, and what is there is half of it.",
        where=str(home),
        mend="Give `tip restore FOLDER` again: it begins anew.",
    )
