"""Progress of a writing step: a line in the run log every few seconds, and a note `tip status` can read.

What the line says is in progress_line.py; here is when it is said, which is seldom enough to cost nothing.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tip_assets.generation.progress_line import ProgressLine
from tip_assets.generation.spending import SpendingReport
from tip_assets.generation.write_calls import WritingProgress

if TYPE_CHECKING:
    from tip_resources.database.requests import RequestStore

LOG_EVERY_SECONDS = 5.0
NOTE_EVERY_SECONDS = 1.0


class ProgressLog:
    """Called for every event of the loop; writes seldom enough to cost nothing.

    Args:
        log: Takes one line.
        requests: Keeps the note.
        dataset: Whose note it is.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        requests: "RequestStore",
        dataset: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log, self._requests, self._dataset = log, requests, dataset
        self._clock = clock
        self._line = ProgressLine(clock)
        self._logged = self._noted = clock()
        self._last_reason = ""

    def __call__(self, progress: WritingProgress) -> None:
        """Takes note of one moment."""
        now = self._clock()
        self._line.heard(progress)
        is_noted = now - self._noted >= NOTE_EVERY_SECONDS or progress.kept == progress.asked
        is_logged = now - self._logged >= LOG_EVERY_SECONDS
        if not is_noted and not is_logged:
            return
        line = self._line.text(progress)
        if is_noted:
            self._noted = now
            self._requests.set_note(self._dataset, line)
        if is_logged:
            self._logged = now
            self._log(line)

    def counts(self, spending: Callable[[], SpendingReport]) -> None:
        """From now on the line tells what was spent, too."""
        self._line.counts(spending)

    def notice(self, reason: str) -> None:
        """Says why the writing waits; each new reason once in the log."""
        headline = reason.partition("\n")[0]
        self._requests.set_note(self._dataset, f"waiting: {headline}")
        if reason != self._last_reason:
            self._last_reason = reason
            self._log(reason)
