"""The fleet's sensors on a real Dagster instance and a real database."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from sqlalchemy import Engine, text

from node_agent.identity import node_name
from node_agent.report import Reading
from sensors.dataset_requests import dataset_requests_sensor, decide
from sensors.fleet_gate import fleet_gate_sensor
from sensors.fleet_nodes import DRAINED, drained_nodes_sensor, node_states_sensor
from sensors.found_nodes import found_nodes_sensor
from tip_assets import platform as platform_module
from tip_assets.catalogue import RUN_POOL
from tip_assets.cli.following import waits_for
from tip_assets.fleet.figures import GATE_KEY, node_key
from tip_assets.platform import Platform
from tip_resources.database.audit import recent
from tip_resources.database.found_nodes import FoundNodeStore
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.fleet.node_state import NodeState
from tip_resources.launch.tags import WAITS_TAG

OWN = node_name()
# A queued run must say where its job is; nobody starts these.
WHEREVER = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("nowhere"), "nothing")
QUEUE = """\
telemetry: {enabled: false}
storage:
  custom: {module: tip_resources.database.dagster_storage, class: TipStorage, config: {}}
run_coordinator: {module: dagster, class: QueuedRunCoordinator}
concurrency:
  runs: {max_concurrent_runs: 2}
  pools: {granularity: run}
"""


@dg.op(pool=RUN_POOL)
def pass_the_gate() -> None:
    """Does nothing."""


@dg.job
def gated() -> None:
    pass_the_gate()


@pytest.fixture
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
    (tmp_path / "dagster.yaml").write_text(QUEUE)
    return tmp_path


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(home)) as real:
        yield real


class Fleet:
    """This machine and a Pi, in the states that a watcher would have written."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, database: Engine) -> None:
        self.platform = Platform(home=str(home))
        self.instance = instance
        self.database = database
        (home / "config").mkdir()
        (home / "config" / "default.yaml").write_text(
            "fleet: {nodes: [{name: pi, url: 'http://10.0.0.7:8765'}]}\ngate: {rise_after_seconds: 0.001}\n"
        )
        self.own = NodeState(OWN, "ready", "", slots=3, cpu_celsius=Reading(55.5))
        self.pi = NodeState("pi", "ready", "", slots=4)
        self.set()

    def set(self, own: NodeState | None = None, pi: NodeState | None = None) -> None:
        self.own, self.pi = own or self.own, pi or self.pi
        states = (self.own, self.pi)
        rows = [NodeRow(name=one.node, state=one.status, state_reason="", since_unix_seconds=0.0) for one in states]
        NodeStore(self.database).note(rows)
        NodeStateStore(self.database).write(states)
        self.read_anew()

    def read_anew(self) -> None:
        """What was read is kept for a second; a test goes on at once."""
        platform_module._known_fleet.cache_clear()

    def tick(self, sensor: dg.SensorDefinition, cursor: str | None = None) -> Any:
        context = dg.build_sensor_context(instance=self.instance, cursor=cursor, resources={"platform": self.platform})
        return sensor.evaluate_tick(context)

    def pool(self) -> int | None:
        return {pool.name: pool.limit for pool in self.instance.event_log_storage.get_pool_limits()}.get(RUN_POOL)

    def audited(self, action: str) -> Sequence[tuple[str, dict[str, Any]]]:
        return [(entry.target, entry.detail) for entry in recent(self.database) if entry.action == action]


@pytest.fixture
def fleet(home: Path, instance: dg.DagsterInstance, fresh_database: Engine) -> Iterator[Fleet]:
    yield Fleet(home, instance, fresh_database)
    platform_module._known_fleet.cache_clear()


def told(tick: Any) -> dict[tuple[str, ...], dict[str, Any]]:
    """The observations of a tick, by asset key."""
    return {
        tuple(event.asset_key.path): {key: item.value for key, item in event.metadata.items()}
        for event in tick.asset_events
    }


def test_the_pool_follows_this_machine_and_never_exceeds_the_limit_of_runs(fleet: Fleet) -> None:
    assert fleet.pool() is None, "before the first look nothing is held"
    first = fleet.tick(fleet_gate_sensor)
    assert fleet.pool() == 2, "three slots, but dagster.yaml allows two runs"
    assert told(first) == {tuple(GATE_KEY): {"run_limit": 2.0, "reason": "2 runs may go on at once: its node is ready"}}
    fleet.set(own=replace(fleet.own, status="throttled", reason="72 C", slots=1))
    assert fleet.tick(fleet_gate_sensor).skip_message == f"1 run may go on at once: {OWN} is throttled: 72 C"
    assert fleet.pool() == 1, "reduced before it is paused"
    fleet.set(own=replace(fleet.own, status="in_use", reason="a game", slots=3))
    assert fleet.tick(fleet_gate_sensor).skip_message == f"nothing starts: {OWN} is in use: a game"
    assert fleet.pool() == 0
    row = fleet.platform.gate().read()
    assert row is not None and row.is_closed
    fleet.set(own=replace(fleet.own, status="ready", reason=""))
    fleet.tick(fleet_gate_sensor)
    assert told(fleet.tick(fleet_gate_sensor)) == {tuple(GATE_KEY): {"run_limit": 2.0, "reason": row_reason(fleet)}}
    assert fleet.pool() == 2


def test_where_no_watcher_runs_the_gate_measures_and_asks_by_itself(fleet: Fleet) -> None:
    with fleet.database.begin() as connection:
        connection.execute(text("UPDATE tip.nodes SET newest_state = NULL, state_written_at = NULL"))
    fleet.read_anew()
    fleet.tick(fleet_gate_sensor)
    written = NodeStateStore(fleet.database).all()
    assert written[OWN].state.memory_available_bytes, "this machine, measured"
    assert written["pi"].state.status == "lost"
    assert written["pi"].state.reason.startswith("has not reported yet: ")


def row_reason(fleet: Fleet) -> str:
    row = fleet.platform.gate().read()
    assert row is not None
    return row.reason


def test_a_machine_that_only_lends_model_servers_holds_no_run(fleet: Fleet) -> None:
    fleet.set(pi=replace(fleet.pi, status="hot", reason="81 C"))
    said = fleet.tick(fleet_gate_sensor).skip_message
    assert (fleet.pool(), said) == (
        2,
        "2 runs may go on at once: its node is ready; with model servers: pi is hot: 81 C",
    )


def test_a_look_that_changes_nothing_observes_nothing_and_mends_a_limit_that_somebody_set(fleet: Fleet) -> None:
    fleet.tick(fleet_gate_sensor)
    fleet.instance.event_log_storage.set_concurrency_slots(RUN_POOL, 7)
    assert told(fleet.tick(fleet_gate_sensor)) == {}
    assert fleet.pool() == 2


def test_an_order_to_pause_this_machine_closes_the_gate_at_once(fleet: Fleet) -> None:
    NodeOrderStore(fleet.database).give(OWN, "pause", by="anna", reason="a demo at four")
    assert "paused by anna: a demo at four" in fleet.tick(fleet_gate_sensor).skip_message
    assert fleet.pool() == 0


def test_a_machine_whose_temperatures_nobody_can_read_is_not_held(fleet: Fleet) -> None:
    fleet.set(own=replace(fleet.own, cpu_celsius=Reading.unknown("no sensor")))
    fleet.tick(fleet_gate_sensor)
    assert fleet.pool() == 2


def test_requests_and_queued_runs_say_what_they_wait_for(fleet: Fleet, home: Path) -> None:
    spec = DatasetSpec(name="clinic", count=1, domain="healthcare", rehearsal=True)
    fleet.platform.requests().add(spec, source="cli")
    fleet.set(own=replace(fleet.own, status="in_use", reason="a game"))
    fleet.tick(fleet_gate_sensor)
    assert fleet.tick(dataset_requests_sensor).skip_message == (
        f"1 data set waits: nothing starts: {OWN} is in use: a game"
    )
    assert waits_for(home) == f"nothing starts: {OWN} is in use: a game"
    queued = fleet.instance.create_run_for_job(
        gated, status=dg.DagsterRunStatus.QUEUED, remote_job_origin=WHEREVER.get_job_origin("gated")
    )
    fleet.tick(fleet_gate_sensor)
    assert WAITS_TAG not in tags(fleet, queued.run_id), "a launch may be on its way just after the gate was closed"
    held_for_a_minute(fleet)
    cursor = fleet.tick(fleet_gate_sensor).cursor
    assert tags(fleet, queued.run_id)[WAITS_TAG].startswith(f"nothing starts: {OWN} is in use: a game (as of ")
    fleet.set(own=replace(fleet.own, reason="a game, full screen"))
    fleet.tick(fleet_gate_sensor, cursor)
    assert "full screen" not in tags(fleet, queued.run_id)[WAITS_TAG], "the same kind of reason is told once"
    fleet.set(own=replace(fleet.own, status="hot", reason="90 C"))
    fleet.tick(fleet_gate_sensor, cursor)
    assert "is hot: 90 C" in tags(fleet, queued.run_id)[WAITS_TAG]
    fleet.set(own=replace(fleet.own, status="ready", reason=""))
    fleet.tick(fleet_gate_sensor, cursor)
    fleet.tick(fleet_gate_sensor, cursor)
    launches = decide(fleet.platform.requests().waiting(), fleet.platform.gate().read())
    assert isinstance(launches, list) and [launch.dataset for launch in launches] == ["clinic"]
    assert waits_for(home) is None


def tags(fleet: Fleet, run_id: str) -> dict[str, str]:
    run = fleet.instance.get_run_by_id(run_id)
    assert run is not None
    return dict(run.tags)


def held_for_a_minute(fleet: Fleet) -> None:
    with fleet.database.begin() as connection:
        connection.execute(text("UPDATE tip.fleet_gate SET since = since - interval '60 s'"))


def test_a_run_in_ones_own_process_asks_no_gate(fleet: Fleet) -> None:
    fleet.instance.event_log_storage.set_concurrency_slots(RUN_POOL, 0)
    assert gated.execute_in_process(instance=fleet.instance).success


def test_machines_are_observed_once_and_again_when_they_change(fleet: Fleet) -> None:
    first = fleet.tick(node_states_sensor)
    seen = told(first)
    assert seen[tuple(node_key(OWN))]["cpu_celsius"] == 55.5
    assert "cpu_celsius" not in seen[tuple(node_key("pi"))], "unknown is no figure"
    assert fleet.tick(node_states_sensor, first.cursor).asset_events == []
    fleet.set(own=replace(fleet.own, status="hot", reason="90 C", cpu_celsius=Reading(90.0)))
    second = told(fleet.tick(node_states_sensor, first.cursor))
    assert second.keys() == {tuple(node_key(OWN))}
    assert (second[tuple(node_key(OWN))]["status"], second[tuple(node_key(OWN))]["cpu_celsius"]) == ("hot", 90.0)


def test_dagster_keeps_the_observations_with_figures_it_can_plot(fleet: Fleet) -> None:
    for event in fleet.tick(node_states_sensor).asset_events:
        fleet.instance.report_runless_asset_event(event)
    records = fleet.instance.fetch_observations(dg.AssetKey(node_key(OWN)), limit=5).records
    assert len(records) == 1
    observation = records[0].asset_observation
    assert observation is not None
    assert observation.metadata["cpu_celsius"] == dg.MetadataValue.float(55.5)


def test_a_lost_machine_is_put_on_record_with_the_steps_it_held_and_so_is_its_return(fleet: Fleet) -> None:
    cursor = fleet.tick(node_states_sensor).cursor
    lease = text(
        "INSERT INTO tip.step_leases (run_id, step_key, node, holder, pid, expires_at)"
        " VALUES ('1f0c6a52-77', 'write_shard[0]', 'pi', :holder, 1, now() + interval '60 s')"
    )
    with fleet.database.begin() as connection:
        connection.execute(lease, {"holder": str(uuid4())})
    fleet.set(pi=replace(fleet.pi, status="lost", reason="no report for 3 min"))
    lost = fleet.tick(node_states_sensor, cursor)
    assert told(lost)[tuple(node_key("pi"))]["event"] == "lost; it held write_shard[0] (1f0c6a52)"
    assert fleet.audited("node.lost") == [
        ("pi", {"reason": "no report for 3 min", "steps": ["write_shard[0] (1f0c6a52)"]})
    ]
    fleet.set(pi=replace(fleet.pi, status="ready", reason=""))
    assert told(fleet.tick(node_states_sensor, lost.cursor))[tuple(node_key("pi"))]["event"] == "back"
    assert [target for target, _ in fleet.audited("node.back")] == ["pi"]


def test_a_drained_machine_is_told_once_when_its_last_call_has_ended(fleet: Fleet) -> None:
    lease = text(
        "INSERT INTO tip.endpoint_leases (endpoint, model, holder, pid, wanted, in_flight, expires_at)"
        " VALUES ('http://10.0.0.7:1234/v1', 'phi-4', :holder, 1, 1, 2, now() + interval '60 s')"
    )
    with fleet.database.begin() as connection:
        connection.execute(lease, {"holder": str(uuid4())})
    NodeOrderStore(fleet.database).give("pi", "drain", by="anna")
    busy = fleet.tick(drained_nodes_sensor)
    assert busy.skip_message == "pi: 2 calls and 0 steps of ours are still there"
    with fleet.database.begin() as connection:
        connection.execute(text("DELETE FROM tip.endpoint_leases"))
    done = fleet.tick(drained_nodes_sensor, busy.cursor)
    assert told(done)[tuple(node_key("pi"))]["event"] == DRAINED
    assert fleet.tick(drained_nodes_sensor, done.cursor).asset_events == []
    assert [target for target, _ in fleet.audited("node.drained")] == ["pi"]
    NodeOrderStore(fleet.database).lift("pi", by="anna")
    fleet.read_anew()
    lifted = fleet.tick(drained_nodes_sensor, done.cursor)
    assert lifted.skip_message == "No machine is paused or drained."
    NodeOrderStore(fleet.database).give("pi", "drain", by="ben")
    fleet.read_anew()
    assert told(fleet.tick(drained_nodes_sensor, lifted.cursor)), "another order is told of anew"


def test_an_announced_machine_is_told_once_and_not_taken_in(fleet: Fleet) -> None:
    FoundNodeStore(fleet.database).saw({"http://10.0.0.9:8765": "attic", "http://10.0.0.7:8765": "pi"})
    first = fleet.tick(found_nodes_sensor)
    assert "attic at http://10.0.0.9:8765" in first.skip_message and "tip nodes invite" in first.skip_message
    assert told(first).keys() == {tuple(node_key("attic"))}
    assert fleet.audited("node.found") == [("attic", {"url": "http://10.0.0.9:8765"})]
    again = fleet.tick(found_nodes_sensor, first.cursor)
    assert again.asset_events == [] and "New" not in again.skip_message
    assert fleet.platform.fleet().node("attic") is None
