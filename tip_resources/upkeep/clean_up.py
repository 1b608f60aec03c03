"""The clean-up as a whole: every chore, one after the other, by one process per database at a time.

The daily one is sensors/upkeep.py, the one by hand `tip gc`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from tip_resources.database.schema import UPKEEP_LOCK
from tip_resources.settings.models import Settings
from tip_resources.storage.layout import Layout
from tip_resources.upkeep.chores import Amount, Chore
from tip_resources.upkeep.dagster_history import dagster_chores
from tip_resources.upkeep.old_files import file_chores
from tip_resources.upkeep.tip_history import tip_chores


@dataclass(frozen=True)
class CleanedUp:
    """What a clean-up removed, by the name of the chore, and whether it came to its end."""

    removed: Mapping[str, Amount]
    is_done: bool

    @property
    def total(self) -> Amount:
        """All of it."""
        return sum(self.removed.values(), Amount())


def chores(engine: Engine, home: Path, settings: Settings) -> Sequence[Chore]:
    """Everything that grows old, those first that take the most; what is kept for ever is left out."""
    layout = Layout(settings.storage_url, home)
    everything = (
        *dagster_chores(engine, settings.retention),
        *tip_chores(engine, settings.retention),
        *file_chores(engine, home, layout, settings.retention),
    )
    return [chore for chore in everything if chore.days]


def clean_up(
    of: Sequence[Chore],
    on_removed: Callable[[Chore, Amount], None] = lambda *_: None,
    *,
    most_seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> CleanedUp:
    """Does the chores; with `most_seconds` it stops after the batch in which they have passed."""
    began, removed = clock(), {}
    for chore in of:
        for amount in chore.remove():
            removed[chore.name] = removed.get(chore.name, Amount()) + amount
            on_removed(chore, amount)
            if most_seconds is not None and clock() - began >= most_seconds:
                return CleanedUp(removed, is_done=False)
    return CleanedUp(removed, is_done=True)


@contextmanager
def the_only_one(engine: Engine) -> Iterator[bool]:
    """Whether nobody else cleans up, backs up or restores on this database; if so, nobody begins to in the block."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_ours = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": UPKEEP_LOCK}))
        try:
            yield is_ours
        finally:
            if is_ours:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": UPKEEP_LOCK})
