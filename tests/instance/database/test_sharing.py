"""Two processes share the limit of one endpoint; one of them is killed."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from tip_resources.database.endpoint_leases import LeaseStore
from tip_resources.database.endpoint_limits import LimitStore

ROOT = Path(__file__).resolve().parents[3]


class Holder:
    """A process of sharing_holder.py and the lines it prints."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name("sharing_holder.py")), url]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.strip() for line in iter(self.process.stdout.readline, ""))

    @property
    def last(self) -> str:
        return self.lines[-1] if self.lines else ""


@contextmanager
def holding(url: str) -> Iterator[Holder]:
    holder = Holder(url)
    try:
        yield holder
    finally:
        holder.process.kill()
        holder.process.wait()


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> bool:
    """Polls; false when it never came to be."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_two_processes_share_a_limit_and_one_that_is_killed_leaves_it_to_the_other(fresh_database: Engine):
    url = fresh_database.url.render_as_string(hide_password=False)
    store, most = LeaseStore(fresh_database), 0

    def split(*shares: int) -> bool:
        nonlocal most
        live = store.live()
        most = max(most, sum(lease.granted for lease in live), sum(lease.in_flight for lease in live))
        return [lease.granted for lease in live] == list(shares)

    with holding(url) as first:
        assert wait_until(lambda: split(6)), first.lines
        known = LimitStore(fresh_database)
        assert wait_until(lambda: known.recall("http://gpu:1234/v1", "m") is not None)
        with holding(url) as second:
            assert wait_until(lambda: split(3, 3)), (first.lines, second.lines)
            assert wait_until(lambda: first.last == second.last == "3 | 3 of 6: shared with another run")
            first.process.kill()  # SIGKILL on POSIX: nothing is given back
            assert wait_until(lambda: split(6)), second.lines
            assert wait_until(lambda: second.last.startswith("6 | 8 at once are 10% slower than 6")), second.lines
            with holding(url) as third:
                assert wait_until(lambda: split(3, 3)), (second.lines, third.lines)
    assert most == 6
