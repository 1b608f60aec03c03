"""The fleet as everybody reads it, from a real database."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine, create_engine, text

from node_agent.identity import node_name
from node_agent.report import Reading
from tip_resources.database.audit import recent
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.fleet.heat import PartHeat
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import Memory, NodeState
from tip_resources.fleet.people_first import Use
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import Settings

PI = NodeState(
    node="pi-4b",
    status="throttled",
    reason="CPU at 72 C",
    slots=2,
    cpu_celsius=Reading(72.0),
    capabilities=frozenset({"cpu", "linux"}),
    concurrency_factor=0.7,
    notes=("its power supply is too weak",),
    memory=Memory((PartHeat("GPU 0", "cool", "", Reading(60.0), 12.0, 90.0),), Use("a game", 4.0)),
)
SETTINGS = Settings(
    fleet=FleetSettings(
        nodes=(
            FleetNodeSettings(name="pi-4b", url="http://10.0.0.7:8765"),
            FleetNodeSettings(name="desk", url="http://10.0.0.8:8765"),
        )
    )
)


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def write(database: Engine, states: Sequence[NodeState]) -> None:
    NodeStore(database).note(
        [NodeRow(name=state.node, state=state.status, state_reason="", since_unix_seconds=0.0) for state in states]
    )
    NodeStateStore(database).write(states)


def test_a_written_state_comes_back_whole_but_for_what_only_its_writer_can_use(fresh_database: Engine) -> None:
    write(fresh_database, [PI])
    told = replace(PI, memory=Memory((replace(PI.memory.parts[0], known_at=None, hold_until=0.0),)))
    assert KnownFleet(fresh_database, lambda: SETTINGS).node("pi-4b") == told


def test_a_machine_nobody_watches_is_lost_and_this_one_is_measured_here(fresh_database: Engine) -> None:
    write(fresh_database, [PI])
    with fresh_database.begin() as connection:
        connection.execute(text("UPDATE tip.nodes SET state_written_at = now() - interval '200 s'"))
    own, pi, desk = KnownFleet(fresh_database, lambda: SETTINGS).states()
    assert own.node == node_name()
    assert own.memory_available_bytes is not None
    assert pi.status == desk.status == "lost"
    assert pi.reason == "nothing is known of it for 3 min: nobody watches the fleet; `tip up` does"
    assert desk.reason == "nothing is known of it: nobody watches the fleet; `tip up` does"
    assert KnownFleet(fresh_database, Settings).node("pi-4b") is None, "it is not listed any more"


def test_a_machine_that_was_listed_a_moment_ago_has_not_been_asked_yet(fresh_database: Engine) -> None:
    write(fresh_database, [replace(PI, node=node_name()), PI])
    clock = Clock()
    fleet = KnownFleet(fresh_database, lambda: SETTINGS, steady=clock)
    _, pi, desk = fleet.states()
    assert pi.status == "throttled"
    assert (desk.status, desk.is_watched, desk.accepts_work, desk.moves_calls) == ("lost", True, False, False)
    assert desk.reason == "nothing is known of it: it has not been asked yet"
    with fresh_database.begin() as connection:
        connection.execute(text("UPDATE tip.nodes SET state_written_at = now() - interval '31 s'"))
    clock.seconds += 2
    _, pi, desk = fleet.states()
    assert pi.status == "throttled", "what the watcher wrote counts for four health checks"
    assert (desk.is_watched, desk.reason) == (
        False,
        "nothing is known of it: nobody watches the fleet; `tip up` does",
    )


def test_orders_count_at_once_and_are_on_record(fresh_database: Engine) -> None:
    write(fresh_database, [PI])
    clock, orders = Clock(), NodeOrderStore(fresh_database)
    fleet = KnownFleet(fresh_database, lambda: SETTINGS, steady=clock)

    def pi() -> NodeState:
        clock.seconds += 1
        state = fleet.node("pi-4b")
        assert state is not None
        return state

    orders.give("pi-4b", "pause", by="anna", reason="a demo at four")
    paused = pi()
    assert paused.reason == "paused by anna: a demo at four; throttled: CPU at 72 C"
    assert (paused.status, paused.concurrency_factor, paused.accepts_work) == ("draining", 0.0, False)
    assert not paused.moves_calls
    orders.give("pi-4b", "drain", by="anna")
    assert pi().moves_calls
    assert orders.lift("pi-4b", by="ben")
    assert not orders.lift("pi-4b", by="ben")
    assert pi().status == "throttled"
    entries = [(entry.actor, entry.action) for entry in recent(fresh_database, target="pi-4b")]
    assert entries == [("ben", "node.resume"), ("anna", "node.drain"), ("anna", "node.pause")]


def test_what_was_read_last_counts_while_the_database_is_away_until_it_is_too_old(fresh_database: Engine) -> None:
    write(fresh_database, [PI])
    clock, broken = Clock(), create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")
    fleet = KnownFleet(fresh_database, lambda: SETTINGS, steady=clock)
    assert fleet.states()[1].status == "throttled"
    fleet._database = broken
    clock.seconds += 100
    assert fleet.states()[1].status == "throttled"
    clock.seconds += 30
    assert fleet.states()[1].status == "lost"


def test_somebody_watches_as_long_as_this_machines_state_is_written_again_and_again(fresh_database: Engine) -> None:
    clock = Clock()
    fleet = KnownFleet(fresh_database, lambda: SETTINGS, steady=clock)
    assert not fleet.is_watched()
    write(fresh_database, [replace(PI, node=node_name())])
    clock.seconds += 2
    assert fleet.is_watched()
    with fresh_database.begin() as connection:
        connection.execute(text("UPDATE tip.nodes SET state_written_at = now() - interval '31 s'"))
    clock.seconds += 2
    assert not fleet.is_watched()
