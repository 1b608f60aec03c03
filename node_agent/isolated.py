"""One collector, kept apart from the others: a thread of its own, a limit in time, an outcome.

Putting sections together is in reporter.py.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from typing import Any

from node_agent.collectors.base import Collector, NoData
from node_agent.report import CollectorRun, Outcome

# A section older than this is no longer given in place of one that does not come: four reports at one per 30 s.
KEEP_SECONDS = 120.0


@dataclass(frozen=True)
class _Measured:
    """A finished attempt; `section` is None unless it went well."""

    section: Any
    outcome: Outcome
    reason: str
    took_seconds: float
    finished_at: float


@dataclass
class _Attempt:
    started_at: float
    done: threading.Event = field(default_factory=threading.Event)
    measured: _Measured | None = None


class IsolatedCollector:
    """Runs one collector so that whatever it does stays its own affair.

    A thread cannot be stopped from outside. One that hangs is therefore left alone, and no second one is started
    beside it: the collector counts as timed out until its thread ends.
    """

    def __init__(self, collector: Collector[Any], monotonic: Callable[[], float]) -> None:
        self.collector = collector
        self._monotonic = monotonic
        self._attempt: _Attempt | None = None
        self._before: _Measured | None = None

    def begin(self) -> None:
        """Start to measure, unless the attempt before still runs."""
        if self._attempt is not None:
            if self._attempt.measured is None:
                return
            self._before = self._attempt.measured
        attempt = self._attempt = _Attempt(self._monotonic())
        thread = threading.Thread(
            target=self._measure, args=(attempt,), name=f"collector-{self.collector.name}", daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:  # the system gives no more threads
            self._finish(attempt, None, "error", str(error))

    def wait(self, until: float) -> None:
        """Return when the attempt has ended, is over its limit, or at `until` of the monotonic clock."""
        if self._attempt is None:
            return
        until = min(until, self._attempt.started_at + self.collector.timeout_seconds)
        self._attempt.done.wait(max(0.0, until - self._monotonic()))

    def result(self) -> tuple[Any, CollectorRun]:
        """The section for a report, None where there is none, and how the collector fared."""
        if self._attempt is None:
            raise RuntimeError("begin() comes first")
        measured = self._attempt.measured
        if measured is not None:
            return measured.section, self._run(measured)
        running_seconds = self._monotonic() - self._attempt.started_at
        limit = self.collector.timeout_seconds
        before = self._still_good()
        if running_seconds < limit and before is not None:
            reason = f"{before.reason}; " if before.reason else ""
            reason += f"the next measurement has been running for {running_seconds:.1f} s"
            return before.section, self._run(replace(before, reason=reason))
        reason = f"no answer for {running_seconds:.1f} s, the limit is {limit:g} s"
        if running_seconds >= limit:
            reason += "; it is not started again before it ends"
        section, finished_at = (before.section, before.finished_at) if before else (None, 0.0)
        return section, self._run(_Measured(section, "timeout", reason, running_seconds, finished_at))

    def _still_good(self) -> _Measured | None:
        before = self._before
        return before if before and self._monotonic() - before.finished_at <= KEEP_SECONDS else None

    def _run(self, measured: _Measured) -> CollectorRun:
        age = 0.0 if measured.section is None else max(0.0, self._monotonic() - measured.finished_at)
        took_ms = round(measured.took_seconds * 1000, 3)
        return CollectorRun(self.collector.name, measured.outcome, measured.reason, took_ms, round(age, 3))

    def _measure(self, attempt: _Attempt) -> None:
        try:
            section = self.collector.collect()
            _check_it_is_json(section)
        except NoData as reason:
            self._finish(attempt, None, "no_data", str(reason) or "nothing to measure")
        except BaseException as error:  # noqa: BLE001 - whatever a collector does, the report goes on without it
            self._finish(attempt, None, "error", f"{type(error).__name__}: {error}")
        else:
            self._finish(attempt, section, "ok", "")

    def _finish(self, attempt: _Attempt, section: Any, outcome: Outcome, reason: str) -> None:
        now = self._monotonic()
        attempt.measured = _Measured(section, outcome, reason, now - attempt.started_at, now)
        attempt.done.set()


def _check_it_is_json(section: object) -> None:
    """Refuse what would spoil the whole report: NaN, infinity, values that JSON has no form for.

    Raises:
        ValueError: A number is not finite.
        TypeError: A value is of no kind that JSON knows, or there is none.
    """
    if section is None:
        raise TypeError("the collector gave nothing and did not say why")
    parts = section if isinstance(section, tuple) else (section,)
    plain = [asdict(part) if is_dataclass(part) and not isinstance(part, type) else part for part in parts]
    json.dumps(plain, allow_nan=False)
