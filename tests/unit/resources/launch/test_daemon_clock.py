"""The daemon starts anew when the clock is set back, and at no other move of it."""

import threading
import time
from types import SimpleNamespace

import pytest

from tip_resources.launch import daemon


def test_only_a_clock_that_is_set_back_ends_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    shift, looks, ended = [0.0], threading.Semaphore(0), threading.Event()

    def look(_: float) -> None:
        looks.release()
        time.sleep(0.001)

    clock = SimpleNamespace(time=lambda: time.time() + shift[0], monotonic=time.monotonic, sleep=look)
    monkeypatch.setattr(daemon, "time", clock)
    daemon.end_when_the_clock_is_set_back(ended.set)
    for moved in (600.0, 599.0, 4200.0):  # ahead, a time server's correction, asleep for an hour
        shift[0] = moved
        for _ in range(looks._value + 3):
            looks.acquire(timeout=30)
        assert not ended.is_set()
    shift[0] -= 600
    assert ended.wait(timeout=30)
