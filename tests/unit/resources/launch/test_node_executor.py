"""Our executor's own part of Dagster's loop."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tip_resources.domain.failures import TransientFailure
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.launch.executor import NodeExecutor
from tip_resources.launch.step_backend import LocalBackend
from tip_resources.launch.step_handler import NodeStepHandler
from tip_resources.launch.step_slots import StepSlots
from tip_resources.settings.models import Settings


class InstanceWhoseDatabaseIsAway:
    """Stands for an instance in the moments when its database is restarted, and when it fails otherwise."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_records_for_run(self, *_: Any, **__: Any) -> None:
        raise self._error


def executor(tmp_path: Path) -> NodeExecutor:
    fleet = KnownFleet(None, Settings)
    store: Any = None  # no step is launched here
    return NodeExecutor(NodeStepHandler(fleet, LocalBackend(fleet, "subprocess", tmp_path), StepSlots(store)), None)


@pytest.mark.parametrize("error", [TransientFailure("away"), OperationalError("select", {}, Exception("closed"))])
def test_a_database_that_is_away_does_not_end_the_loop_and_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    instance: Any = InstanceWhoseDatabaseIsAway(error)
    loop = executor(tmp_path)
    assert not loop._pop_events(instance, "run", set())
    assert not loop._pop_events(instance, "run", set())
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_any_other_error_does(tmp_path: Path) -> None:
    instance: Any = InstanceWhoseDatabaseIsAway(KeyError("a bug"))
    with pytest.raises(KeyError):
        executor(tmp_path)._pop_events(instance, "run", set())
