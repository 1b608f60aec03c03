"""How far the comparison by meaning is, as lines of a log: few of them, with the time that is left."""

import time
from collections.abc import Callable

from tip_assets.rough_figures import duration

# Between two lines; the first comes as soon as there is a speed to tell of.
_SECONDS_BETWEEN = 30.0


class LoggedProgress:
    """Tells a log how far it is; see `MeaningProgress`.

    Args:
        log: Takes a line.
        clock: Seconds.
    """

    def __init__(self, log: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._what = ""
        self._began = self._last = clock()
        self._is_told = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """See `MeaningProgress`. What is done at once is not worth a line."""
        now = self._clock()
        if what != self._what:
            # What was done by the first call of its kind lies between it and the last call of the kind before.
            self._what, self._began, self._is_told = what, self._last, False
        self._last, passed = now, now - self._began
        if done >= total and not self._is_told:
            return
        if not self._is_told or done >= total or now - self._told_at >= _SECONDS_BETWEEN:
            self._is_told, self._told_at = True, now
            left = passed / max(done, 1) * (total - done)
            self._log(f"meaning: {done:,} of {total:,} {what}, about {duration(left)} left")
