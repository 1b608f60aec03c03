"""An event loop whose time jumps to its next timer: an hour of waiting takes no time, and every run is the same."""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

_STARTED = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
_Result = TypeVar("_Result")


class Deadlock(Exception):
    """Everybody waits and no timer is set: in real time this would hang for ever."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: what a real loop would sleep is added to the time."""

    seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `selectors.BaseSelector.select`."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Deadlock
            self.seconds += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Only for code that touches neither sockets nor threads."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.seconds


class LoopClock:
    """The engine's clock on the time of the running loop."""

    def now(self) -> float:
        """Seconds of the loop."""
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        """A fixed day plus the seconds of the loop."""
        return _STARTED + timedelta(seconds=self.now())

    async def sleep(self, seconds: float) -> None:
        """Waits on the loop."""
        await asyncio.sleep(seconds)


def run_virtually(main: Coroutine[Any, Any, _Result]) -> _Result:
    """As `asyncio.run`, in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
