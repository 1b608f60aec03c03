"""Progress of a writing step: a line in the run log every few seconds, and a note `tip status` can read.

What the line says is in progress_line.py; here is when it is said, which is seldom enough to cost nothing.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from tip_assets.generation.progress_line import ProgressLine, kept
from tip_assets.generation.spending import SpendingReport
from tip_assets.generation.write_calls import WritingProgress
from tip_resources.domain.failures import TransientFailure
from tip_resources.llm.endpoint_status import why_all_rest
from tip_resources.llm.types import EngineNotice

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
        self._newest: WritingProgress | None = None
        self._is_away = False

    def __call__(self, progress: WritingProgress) -> None:
        """Takes note of one moment."""
        now = self._clock()
        self._newest = progress
        self._line.heard(progress)
        is_noted = now - self._noted >= NOTE_EVERY_SECONDS or progress.kept == progress.asked
        # Why all rest was logged when it began, and may last for hours.
        is_logged = now - self._logged >= LOG_EVERY_SECONDS and not why_all_rest(progress.endpoints)
        if not is_noted and not is_logged:
            return
        line = self._line.text(progress)
        if is_noted:
            self._noted = now
            self._note(line)
        if is_logged:
            self._logged = now
            self._log(line)

    def counts(self, spending: Callable[[], SpendingReport]) -> None:
        """From now on the line tells what was spent, too."""
        self._line.counts(spending)

    def notice(self, notice: EngineNotice) -> None:
        """Each new reason once in the log; that calls wait, and that they go on, in the note as well."""
        headline = notice.text.partition("\n")[0]
        if self._newest is None:
            if notice.kind == "waiting":
                self._note(f"waiting: {headline}")
        elif notice.kind == "waiting":
            self._note(f"{kept(self._newest)}, waits: {headline}")
        elif notice.kind == "resumed":
            self._note(f"{kept(self._newest)}, {self._newest.rejected} rejected. {headline}")
        if notice.text != self._last_reason:
            self._last_reason = notice.text
            self._log(notice.text)

    def _note(self, note: str) -> None:
        """A note that is missing is no reason to stop writing: calls are kept elsewhere."""
        try:
            self._requests.set_note(self._dataset, note)
            self._is_away = False
        except (SQLAlchemyError, TransientFailure) as trouble:
            if not self._is_away:
                self._log(f"progress is not noted while the database is away: {trouble}")
            self._is_away = True
