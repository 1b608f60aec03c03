"""A clock that a test can set, for the processes it starts: the real one cannot be changed without harm to others."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("shifted_clock.c")
COMPILER = shutil.which("cc") or shutil.which("gcc")


class ShiftedClock:
    """Processes started with `environment` read a time of day that `move` shifts.

    Raises:
        subprocess.CalledProcessError: The library cannot be compiled.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "shifted_clock.seconds"
        self._library = folder / "shifted_clock.so"
        self._ahead_seconds = 0
        self.move(0)
        # PostgreSQL runs under an account of its own where tests run as root.
        self._file.chmod(0o644)
        assert COMPILER is not None
        subprocess.run([COMPILER, "-shared", "-fPIC", "-O1", "-o", self._library, SOURCE, "-ldl"], check=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to see this clock."""
        return {"LD_PRELOAD": str(self._library), "SHIFTED_CLOCK_FILE": str(self._file)}

    def move(self, seconds: int) -> None:
        """The clock jumps by `seconds`, back when negative. Written in place: the file is mapped."""
        self._ahead_seconds += seconds
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT)
        os.pwrite(descriptor, struct.pack("=q", self._ahead_seconds), 0)
        os.close(descriptor)
