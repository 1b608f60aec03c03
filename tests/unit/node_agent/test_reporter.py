"""Promises of putting sections together: no collector can spoil the report, whatever it does."""

import math
import sys
import threading
import time

import pytest

from node_agent.catalog import COLLECTORS, LazyCollector
from node_agent.collectors.base import NoData
from node_agent.isolated import KEEP_SECONDS
from node_agent.report import Reading, Thermal
from node_agent.reporter import SECTIONS, Reporter
from tests.unit.node_agent.parts import HOST, THERMAL, FromFunction, Held


class Clock:
    """A monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def raises(error: BaseException):
    def collect():
        raise error

    return collect


def wait_until_ended(name: str) -> None:
    for thread in threading.enumerate():
        if thread.name == f"collector-{name}":
            thread.join(30)


@pytest.mark.parametrize(
    ("collect", "outcome", "reason"),
    [
        (raises(NoData("no sensor here")), "no_data", "no sensor here"),
        (raises(OSError("bus error")), "error", "OSError: bus error"),
        (raises(SystemExit(3)), "error", "SystemExit: 3"),
        (lambda: None, "error", "did not say why"),
        (lambda: Thermal(Reading(math.nan)), "error", "Out of range float values"),
        (lambda: {1, 2}, "error", "not JSON serializable"),
    ],
)
def test_a_collector_that_fails_leaves_the_others_alone_and_says_why(collect, outcome: str, reason: str) -> None:
    report = Reporter([FromFunction("host", lambda: HOST), FromFunction("thermal", collect)]).report()
    assert report.host == HOST
    assert report.thermal is None
    host, thermal = report.collectors
    assert (host.outcome, thermal.outcome) == ("ok", outcome)
    assert reason in thermal.reason


def test_a_collector_that_hangs_is_given_up_and_not_started_again_before_it_ended() -> None:
    held = Held("thermal", THERMAL)
    reporter = Reporter([FromFunction("host", lambda: HOST), held])
    reports = [reporter.report() for _ in range(3)]
    assert [report.host for report in reports] == [HOST] * 3
    assert [report.collectors[1].outcome for report in reports] == ["timeout"] * 3
    assert "not started again before it ends" in reports[-1].collectors[1].reason
    assert (reports[-1].thermal, held.started) == (None, 1)
    held.go_on.set()
    held.timeout_seconds = 30.0
    wait_until_ended("thermal")
    assert reporter.report().thermal == THERMAL
    assert held.started == 2


def test_a_slow_collector_gives_the_section_of_before_with_its_age_until_that_is_too_old() -> None:
    held, clock = Held("thermal", THERMAL, timeout_seconds=30.0), Clock()
    reporter = Reporter([held], wait_seconds=30.0, monotonic=clock)
    held.go_on.set()
    assert reporter.report().collectors[0].outcome == "ok"
    held.go_on.clear()
    held.timeout_seconds = 0.0
    clock.now += 10
    first = reporter.report()
    assert (first.thermal, first.collectors[0].outcome, first.collectors[0].age_seconds) == (THERMAL, "timeout", 10.0)
    clock.now += KEEP_SECONDS
    late = reporter.report()
    assert (late.thermal, late.collectors[0].outcome) == (None, "timeout")
    held.go_on.set()


def test_a_report_waits_no_longer_than_it_may_for_a_collector_with_a_longer_limit() -> None:
    held = Held("thermal", THERMAL, timeout_seconds=600.0)
    reporter = Reporter([held], wait_seconds=0.01)
    assert reporter.report().collectors[0].outcome == "timeout"
    held.go_on.set()
    wait_until_ended("thermal")
    held.go_on.clear()
    again = reporter.report()
    assert (again.thermal, again.collectors[0].outcome) == (THERMAL, "ok")
    assert "next measurement has been running" in again.collectors[0].reason
    held.go_on.set()


def test_reports_are_measured_once_in_the_time_they_are_kept() -> None:
    clock, measured = Clock(), []
    reporter = Reporter(
        [FromFunction("host", lambda: measured.append(1) or HOST)], keep_seconds=5.0, monotonic=clock, node="pi-4b"
    )
    assert reporter.kept() is None
    first = reporter.report()
    clock.now += 4
    assert reporter.report() is first
    assert reporter.kept() == (first, 4.0)
    clock.now += 1
    second = reporter.report()
    assert (second.sequence, second.node, len(measured)) == (2, "pi-4b", 2)


def test_many_threads_that_ask_at_once_share_one_measurement() -> None:
    held = Held("host", HOST, timeout_seconds=30.0)
    reporter = Reporter([held], keep_seconds=3600.0, wait_seconds=30.0)
    reports: list[object] = []
    threads = [threading.Thread(target=lambda: reports.append(reporter.report())) for _ in range(8)]
    for thread in threads:
        thread.start()
    held.go_on.set()
    for thread in threads:
        thread.join(30)
    assert (len(reports), len({id(report) for report in reports}), held.started) == (8, 1, 1)


def test_processor_use_does_not_depend_on_the_thread_that_measures() -> None:
    reporter = Reporter()
    assert reporter.report().host.cpu_ratio.value is None  # type: ignore[union-attr]
    until = time.process_time() + 0.15  # the kernel counts processor time in ticks of 10 ms
    while time.process_time() < until:
        sum(range(10_000))
    ratio = reporter.report().host.cpu_ratio  # type: ignore[union-attr]
    assert ratio.value is not None, ratio.why_unknown
    assert 0 < ratio.value <= 1


@pytest.mark.parametrize("names", [("weather",), ("host", "host")])
def test_collectors_that_fit_no_report_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"no section|two collectors"):
        Reporter([FromFunction(name, lambda: HOST) for name in names])


def test_a_collector_whose_library_is_missing_says_so_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "node_agent.collectors.thermal", None)
    collectors = [LazyCollector(name, COLLECTORS[name]) for name in ("host", "thermal")]
    report = Reporter(collectors).report()
    assert report.host is not None
    assert report.collectors[1].outcome == "error"
    assert "node_agent.collectors.thermal" in report.collectors[1].reason


def test_the_catalog_has_a_collector_for_every_section_of_a_report() -> None:
    assert tuple(COLLECTORS) == SECTIONS
