"""Writing that ended for want of room on the disk goes on when there is room again. No Dagster here."""

import time
from collections.abc import Callable
from typing import Protocol

from tip_assets.generation.spending import Spending
from tip_assets.generation.stopping import StopsForRoom
from tip_assets.generation.writing import Written
from tip_resources.llm.types import EngineNotice

LOOK_SECONDS = 5.0


class TellsShortage(Protocol):
    """Why nothing more is to be written to the disk now; None while there is room."""

    def __call__(self, *, was_short: bool = False) -> str | None: ...


def write_with_room(
    write: Callable[[Spending, StopsForRoom], Written],
    counted: Callable[[], Spending],
    shortage: TellsShortage,
    on_notice: Callable[[EngineNotice], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Written, Spending]:
    """Writes until everything is there or something else ends it; while the disk is short it waits, however long.

    Args:
        write: Writes what is missing, counting and ending by what it is given. Everything finished is kept.
        counted: Makes the count of one attempt; a limit on minutes begins anew with each.
        shortage: Asked before every request, and while it waits.
        on_notice: Told that it waits and that it goes on.
        sleep: For tests.
    """
    while True:
        spending = counted()
        stop = StopsForRoom(shortage, spending)
        written = write(spending, stop)
        if not stop.reason or written.summary.kept >= written.summary.asked:
            return written, spending
        while reason := shortage(was_short=True):
            on_notice(EngineNotice(kind="waiting", reason=f"{reason}; writing goes on when there is room"))
            sleep(LOOK_SECONDS)
        on_notice(EngineNotice(kind="resumed", reason="there is room on the disk again"))
