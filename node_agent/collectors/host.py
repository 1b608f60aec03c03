"""The machine itself: processor, memory, disk and load, through psutil. Reads only, needs no root."""

import os
import platform
import time
from pathlib import Path

import psutil

from node_agent.report import Host, Reading

# A figure over a shorter time is noise: the kernel counts processor time in ticks of 10 ms.
_LEAST_CPU_SPAN_SECONDS = 0.1
# Single-board computers say here what they are; other machines have no such file.
_BOARD_FILE = Path("/proc/device-tree/model")


class HostCollector:
    """The section `host`. Keeps the moment of the one before, because processor use is measured between two."""

    name = "host"
    timeout_seconds = 2.0

    def __init__(self, board_file: Path = _BOARD_FILE) -> None:
        self._board = _board(board_file)
        self._cpu_since: float | None = None
        self._cpu_before = (0.0, 0.0)

    def collect(self) -> Host:
        """This machine now. Takes about a millisecond."""
        memory = psutil.virtual_memory()
        cores = psutil.cpu_count() or 1
        return Host(
            system=platform.system().lower(),
            release=platform.release(),
            architecture=platform.machine(),
            board=self._board,
            cores=cores,
            memory_total_bytes=memory.total,
            memory_available_bytes=memory.available,
            disk_free_bytes=psutil.disk_usage(str(Path.cwd())).free,
            cpu_ratio=self._cpu_ratio(),
            load_per_core=_load_per_core(cores),
        )

    def _cpu_ratio(self) -> Reading:
        now = time.monotonic()
        since = self._cpu_since
        if since is not None and now - since < _LEAST_CPU_SPAN_SECONDS:
            return Reading.unknown(f"less than {_LEAST_CPU_SPAN_SECONDS} s since the report before")
        before, self._cpu_before = self._cpu_before, _cpu_seconds()
        self._cpu_since = now
        if since is None:
            return Reading.unknown("the first report has none before it to measure from")
        busy, total = (after - earlier for after, earlier in zip(self._cpu_before, before, strict=True))
        if total <= 0:
            return Reading.unknown("the system's count of processor time did not move")
        return Reading(min(1.0, max(0.0, busy / total)))


def _cpu_seconds() -> tuple[float, float]:
    """Busy seconds and all seconds of all cores. `psutil.cpu_percent` measures from the same thread's call before."""
    times = psutil.cpu_times()
    # Linux counts guests in `user` too, and waiting for a disk apart from `idle`; the other systems have neither.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - times.idle - getattr(times, "iowait", 0.0), total


def _load_per_core(cores: int) -> Reading:
    if not hasattr(os, "getloadavg"):
        return Reading.unknown("Windows keeps no load average")
    return Reading(os.getloadavg()[0] / cores)


def _board(file: Path) -> str | None:
    try:
        return file.read_bytes().rstrip(b"\0").decode("utf-8", "replace").strip() or None
    except OSError:
        return None
