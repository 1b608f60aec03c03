"""The slots that the steps of one run hold: agreed with all other runs in the database, renewed, and given back.

The rows and their times are in database/step_leases.py; which node a step goes to is fleet/placement.py's business.
"""

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import psutil

from node_agent.identity import node_name
from tip_resources.database.step_leases import Outcome, StepLease, StepLeaseStore
from tip_resources.database.trouble import DATABASE_TROUBLE

_logger = logging.getLogger(__name__)

_RENEW_SECONDS = 5.0


@dataclass(frozen=True)
class Usage:
    """Slots held, by any run, and other runs' steps in line for one."""

    held: Sequence[StepLease]
    waiting: Sequence[StepLease]


class DatabaseAway(Exception):
    """Who holds which slot cannot be told now."""


class StepSlots:
    """One run's slots. While the database is away its steps run on and no new one starts: nobody could tell whether
    a slot is free, and a step could not record what it does either.

    Args:
        store: The leases of all runs.
        clock: Seconds that never go back.
    """

    def __init__(self, store: StepLeaseStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._holder = str(uuid.uuid4())
        self._host = node_name()
        self._run_id = ""
        self._held: dict[str, StepLease] = {}
        self._to_release: list[tuple[str, str, Outcome | None]] = []
        self._renewed_at = clock()
        self._is_away = False

    def begin(self, run_id: str) -> None:
        """Names the run, and takes note of what an earlier worker of it held, so that its ended steps are counted."""
        self._run_id = run_id
        with self._excused():
            self._held = {lease.step_key: lease for lease in self._store.live() if lease.run_id == run_id}

    def usage(self) -> Usage:
        """Who holds and who waits for a slot now, without processes of this machine that have ended.

        Raises:
            DatabaseAway: Nobody knows.
        """
        self._release_ended()
        with self._excused():
            held, waiting = self._store.live(), self._store.waiting()
            self._store.drop([lease for lease in (*held, *waiting) if self._has_ended(lease)])
            return Usage(
                [lease for lease in held if not self._has_ended(lease)],
                [lease for lease in waiting if not self._has_ended(lease) and lease.run_id != self._run_id],
            )
        raise DatabaseAway

    def take(self, step_key: str, node: str, slots: int) -> bool:
        """Takes one of a node's `slots`; False when another run was faster, or nobody knows."""
        lease = self._lease(step_key, node)
        with self._excused():
            if self._store.take(lease, slots):
                self._held[step_key] = lease
                return True
        return False

    def wait(self, step_key: str, node: str) -> None:
        """Stands in line for a slot of a node, with the first step that waits for it; called again while it does."""
        with self._excused():
            self._store.wait(msgspec.structs.replace(self._lease(step_key, node), pid=os.getpid()))

    def works(self, step_key: str, pid: int) -> None:
        """The process that works on a step; from now on the slot is free when that has ended."""
        self._held[step_key] = msgspec.structs.replace(self._held[step_key], pid=pid)
        with self._excused():
            self._store.renew([self._held[step_key]])

    def adopt(self, step_key: str, node: str, pid: int) -> None:
        """Holds on to the slot of a step that an earlier worker started and that still runs."""
        self._held[step_key] = msgspec.structs.replace(self._lease(step_key, node), pid=pid)
        with self._excused():
            self._store.adopt(self._held[step_key])

    def release(self, step_key: str, outcome: Outcome | None) -> None:
        """Gives a slot back, with what became of the step; at once or as soon as the database is there."""
        if lease := self._held.pop(step_key, None):
            self._to_release.append((step_key, lease.node, outcome))
            self._release_ended()

    def release_all(self) -> None:
        """Gives back what is left at the end of the run. Its steps have ended."""
        self._release_ended()
        self._held.clear()
        with self._excused():
            self._store.release_all(self._holder)

    def renew(self) -> None:
        """Renews what is held, when it is time to. Called often."""
        if self._clock() - self._renewed_at < _RENEW_SECONDS:
            return
        self._renewed_at = self._clock()
        self._release_ended()
        ours = [lease for lease in self._held.values() if lease.holder == self._holder]
        with self._excused():
            self._store.renew([lease for lease in ours if not self._has_ended(lease)])

    def _release_ended(self) -> None:
        with self._excused():
            while self._to_release:
                step_key, node, outcome = self._to_release[0]
                self._store.release(self._run_id, step_key, node=node, outcome=outcome)
                del self._to_release[0]

    def _has_ended(self, lease: StepLease) -> bool:
        return lease.host == self._host and lease.pid > 0 and not psutil.pid_exists(lease.pid)

    def _lease(self, step_key: str, node: str) -> StepLease:
        return StepLease(run_id=self._run_id, step_key=step_key, node=node, holder=self._holder, host=self._host)

    @contextmanager
    def _excused(self) -> Iterator[None]:
        """Lets the database be away, which is logged once; what is not done now is done by a later call."""
        try:
            yield
        except DATABASE_TROUBLE as error:
            if not self._is_away:
                _logger.warning("Running steps go on, and no new one starts: %s", error)
            self._is_away = True
        else:
            if self._is_away:
                _logger.info("Slots can be agreed upon again.")
            self._is_away = False
