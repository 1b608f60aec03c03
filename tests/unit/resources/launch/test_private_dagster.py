"""The private parts of Dagster that tip_resources/launch stands on. These fail first when Dagster changes them."""

import inspect
import time
from types import SimpleNamespace

import pytest
from dagster._cli.api import execute_run_command, execute_step_command, resume_run_command
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.execution.plan import execute_plan
from dagster._core.execution.plan.active import ActiveExecution
from dagster._core.execution.plan.objects import step_failure_event_from_exc_info
from dagster._core.executor.step_delegating import StepDelegatingExecutor
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, SensorInstigatorData
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._daemon import sensor
from dagster._daemon.controller import daemon_controller_from_instance
from dagster._grpc.server import DagsterGrpcServer
from dagster_postgres import PostgresEventLogStorage

from tip_resources.launch import service_process
from tip_resources.launch.daemon import SENSOR_LOOP_SECONDS, look_at_sensors_every, tick_when_the_clock_was_set_back

ORIGIN = RemoteInstigatorOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repository"), "sensor")


def test_the_sensor_loop_reads_its_pause_from_the_constant_we_set() -> None:
    assert "MIN_INTERVAL_LOOP_TIME" in inspect.getsource(sensor.execute_sensor_iteration_loop)
    before = sensor.MIN_INTERVAL_LOOP_TIME
    try:
        look_at_sensors_every(SENSOR_LOOP_SECONDS)
        assert sensor.MIN_INTERVAL_LOOP_TIME == 1
    finally:
        sensor.MIN_INTERVAL_LOOP_TIME = before


@pytest.mark.parametrize(("ticked_seconds_ago", "is_due"), [(2, True), (0, False), (-600, True)])
def test_a_sensor_whose_last_tick_lies_in_the_future_is_due(
    ticked_seconds_ago: int, is_due: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensor, "get_elapsed", sensor.get_elapsed)
    tick_when_the_clock_was_set_back()
    ticked = SensorInstigatorData(last_tick_start_timestamp=time.time() - ticked_seconds_ago)
    state = InstigatorState(ORIGIN, InstigatorType.SENSOR, InstigatorStatus.RUNNING, ticked)
    every_second = SimpleNamespace(min_interval_seconds=1)
    assert sensor.is_under_min_interval(state, every_second) is not is_due  # pyright: ignore[reportArgumentType]


def test_the_delegating_loop_has_the_hooks_our_executor_overrides() -> None:
    source = inspect.getsource(StepDelegatingExecutor.execute)
    assert "self._pop_events(" in source
    assert "time.sleep(self._sleep_seconds)" in source
    assert list(inspect.signature(StepDelegatingExecutor._pop_events).parameters) == [
        "self",
        "instance",
        "run_id",
        "seen_storage_ids",
    ]
    assert hasattr(ActiveExecution, "rebuild_from_events")


def test_the_commands_of_workers_take_the_arguments_we_give() -> None:
    parameters = {
        command.name: [parameter.name for parameter in command.params]
        for command in (execute_run_command, resume_run_command, execute_step_command)
    }
    both = ["input_json", "compressed_input_json"]
    assert parameters == {"execute_run": both, "resume_run": ["input_json"], "execute_step": both}


def test_an_interrupted_step_is_recorded_through_the_function_we_replace() -> None:
    assert "step_failure_event_from_exc_info(" in inspect.getsource(execute_plan.dagster_event_sequence_for_step)
    assert list(inspect.signature(step_failure_event_from_exc_info).parameters)[:2] == ["step_context", "exc_info"]


def test_the_event_that_begins_a_run_goes_through_the_run_storage() -> None:
    assert "start_time" in inspect.getsource(SqlRunStorage.handle_run_event)
    assert "return False" in inspect.getsource(vars(EventLogStorage)["handles_run_events_in_store_event"].fget)
    assert "handles_run_events_in_store_event" not in vars(PostgresEventLogStorage)


def test_the_daemon_is_put_together_from_an_instance_and_a_workspace() -> None:
    assert list(inspect.signature(daemon_controller_from_instance).parameters)[:2] == [
        "instance",
        "workspace_load_target",
    ]


def test_the_code_server_answers_the_health_check_we_send() -> None:
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

    assert '"DagsterApi"' in inspect.getsource(DagsterGrpcServer)
    assert HealthCheckRequest(service="DagsterApi").SerializeToString() == service_process._HEALTH_REQUEST
    serving = HealthCheckResponse(status=HealthCheckResponse.SERVING)
    assert serving.SerializeToString() == service_process._SERVING
