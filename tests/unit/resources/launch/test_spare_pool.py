"""The pool's rules, with real processes that wait on their stdin and a clock the test moves."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tip_resources.launch.spare_pool import Spare, SparePool

WAITS = "import sys; sys.stdin.readline()"
ENDS_AT_ONCE = "raise SystemExit(1)"


class Kitchen:
    """A pool whose spares are small, and the clock it looks at."""

    def __init__(self) -> None:
        self.now = 0.0
        self.code = WAITS
        self.started: list[subprocess.Popen[bytes]] = []
        self.pool = SparePool(self._start, size=2, idle_seconds=300, clock=lambda: self.now)

    def _start(self) -> Spare:
        process = subprocess.Popen([sys.executable, "-S", "-c", self.code], stdin=subprocess.PIPE)
        self.started.append(process)
        return Spare(process, Path("unused"))


@pytest.fixture
def kitchen() -> Iterator[Kitchen]:
    kitchen = Kitchen()
    yield kitchen
    for process in kitchen.started:
        process.kill()
        process.communicate()


def test_the_oldest_spare_is_taken_and_replaced(kitchen: Kitchen) -> None:
    kitchen.pool.look()
    first, second = kitchen.pool.waiting()
    assert kitchen.pool.take().process.pid == first
    assert kitchen.pool.waiting() == [second]
    kitchen.pool.look()
    assert len(kitchen.pool.waiting()) == 2
    assert len(kitchen.started) == 3


def test_an_empty_pool_starts_one(kitchen: Kitchen) -> None:
    assert kitchen.pool.take().process.poll() is None
    assert len(kitchen.started) == 1


def test_a_dead_spare_is_never_handed_out(kitchen: Kitchen) -> None:
    kitchen.pool.look()
    kitchen.started[0].kill()
    kitchen.started[0].wait()
    assert kitchen.pool.take().process is kitchen.started[1]


@pytest.mark.parametrize("deaths", [1, 3])
def test_spares_that_die_again_and_again_are_replaced_more_and_more_slowly(kitchen: Kitchen, deaths: int) -> None:
    kitchen.code = ENDS_AT_ONCE
    kitchen.pool.look()
    for number in range(deaths):
        for process in kitchen.started:
            process.wait()
        before = len(kitchen.started)
        kitchen.pool.look()
        kitchen.now += 2**number - 0.1
        kitchen.pool.look()
        assert len(kitchen.started) == before
        kitchen.now += 0.2
        kitchen.pool.look()
        assert len(kitchen.started) == before + 2


def test_spares_nobody_wants_end_and_come_back_with_the_next_step(kitchen: Kitchen) -> None:
    kitchen.pool.look()
    kitchen.now += 301
    kitchen.pool.look()
    assert kitchen.pool.waiting() == []
    assert [process.poll() for process in kitchen.started] == [0, 0]
    kitchen.pool.take()
    kitchen.pool.look()
    assert len(kitchen.pool.waiting()) == 2


def test_a_closed_pool_leaves_no_spare(kitchen: Kitchen) -> None:
    kitchen.pool.open()
    taken = kitchen.pool.take()
    kitchen.pool.close()
    assert [p.poll() is None for p in kitchen.started if p is not taken.process] == [False] * (len(kitchen.started) - 1)
    assert taken.process.poll() is None
