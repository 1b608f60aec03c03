"""Steps whose failure was nobody's fault: a real job in this process, with a place for its values that has no room."""

import errno
import os
from collections.abc import Callable

import dagster as dg
import pytest
from dagster._core.execution.plan import execute_plan

from tip_resources.database.trouble import DatabaseAway
from tip_resources.launch import handed_back
from tip_resources.launch.handed_back import hand_back_blameless_steps


class Troubled(dg.IOManager):
    """Keeps values in memory, once `times` attempts have failed."""

    def __init__(self, make: Callable[[], Exception], times: int) -> None:
        self._make, self._times = make, times
        self.attempts = 0
        self._kept: object = None

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        self.attempts += 1
        if self.attempts <= self._times:
            raise self._make()
        self._kept = obj

    def load_input(self, context: dg.InputContext) -> object:
        return self._kept


@dg.op
def number() -> int:
    return 7


@dg.job
def one_op() -> None:
    number()


@pytest.fixture(autouse=True)
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the process of a step, but nobody waits."""
    original = execute_plan.step_failure_event_from_exc_info  # pyright: ignore[reportPrivateImportUsage]
    monkeypatch.setattr(execute_plan, "step_failure_event_from_exc_info", original)  # put back at the end
    monkeypatch.setattr(handed_back, "WAIT_SECONDS", 0)
    monkeypatch.setattr(handed_back, "TRIES", 3)
    hand_back_blameless_steps()


def _full() -> Exception:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _executed(manager: Troubled) -> dg.ExecuteInProcessResult:
    return one_op.execute_in_process(resources={"io_manager": manager}, raise_on_error=False)


@pytest.mark.parametrize("make", [_full, lambda: DatabaseAway("gone")])
def test_a_value_that_dagster_cannot_store_now_is_stored_later(make: Callable[[], Exception]) -> None:
    manager = Troubled(make, times=1)
    result = _executed(manager)
    assert result.success and manager.attempts == 2
    assert [event.step_key for event in result.all_events if event.is_step_up_for_retry] == ["number"]


def test_after_some_tries_the_step_fails() -> None:
    manager = Troubled(_full, times=99)
    assert not _executed(manager).success and manager.attempts == 4


def test_a_defect_fails_at_once() -> None:
    manager = Troubled(lambda: ValueError("wrong"), times=1)
    assert not _executed(manager).success and manager.attempts == 1
