"""Which process is meant by a pid: the pid with the moment it started, so that a reused pid is not mistaken for it."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

_LOOK_SECONDS = 0.5
_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessIdentity:
    """A process of this machine, told apart from any other that had or will have its pid.

    `start` is opaque: two readings for the same process are equal, and that is all it is good for.
    """

    pid: int
    start: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The identity of the process that runs as `pid` now; None when there is none, or only a zombie."""
        start = _start_of(pid)
        return None if start is None else cls(pid, start)

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return _start_of(self.pid) == self.start

    def wait_for_end(self) -> None:
        """Returns when this process, which need not be a child of ours, has ended."""
        while self.is_alive():
            time.sleep(_LOOK_SECONDS)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """What `to_json` wrote; None when `text` is not that (a tag set by hand, a half-written file)."""
        try:
            value = json.loads(text)
            return cls(int(value["pid"]), str(value["start"]))
        except (ValueError, TypeError, KeyError):
            return None


def _start_of(pid: int) -> str | None:
    """When `pid` started, as text; None when it does not run.

    On Linux in clock ticks since boot, with the boot's id: psutil's create_time moves with the wall clock,
    and on a board without a battery clock that jumps by years after the first time synchronisation.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if not _LINUX_BOOT_ID.exists():
            return repr(process.create_time())
        # The second field is the command in brackets and may hold spaces; field 22 is the start time (proc(5)).
        after_command = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        return f"{_LINUX_BOOT_ID.read_text(encoding='ascii').strip()}:{after_command.split()[19]}"
    except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
        return None
