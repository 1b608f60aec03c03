"""The gate's one row on a real database."""

from sqlalchemy import Engine, text

from tip_resources.database.fleet_gate import GateStore
from tip_resources.fleet.gate import decide
from tip_resources.fleet.node_state import NodeState
from tip_resources.settings.models import GateSettings

READY = NodeState("desk", "ready", "", slots=2)
IN_USE = NodeState("desk", "in_use", "a game", slots=2)
SETTINGS = GateSettings()


def set_back(database: Engine, seconds: int) -> None:
    with database.begin() as connection:
        shift = text("UPDATE tip.fleet_gate SET since = since - :by * interval '1 s', decided_at = since")
        connection.execute(shift, {"by": seconds})


def test_before_the_first_decision_there_is_none(fresh_database: Engine) -> None:
    assert GateStore(fresh_database).read() is None


def test_what_was_decided_last_is_in_force_with_its_memory(fresh_database: Engine) -> None:
    store = GateStore(fresh_database)
    first = decide([READY], SETTINGS, 100.0)
    second = decide([IN_USE], SETTINGS, 101.0, first.memory)
    for decision in (first, second):
        store.write(decision)
    row = store.read()
    assert row is not None
    assert (row.run_limit, row.is_closed, row.reason) == (0, True, "nothing starts: desk is in use: a game")
    assert row.memory == second.memory


def test_since_is_when_the_limit_changed_not_when_it_was_looked_at(fresh_database: Engine) -> None:
    store = GateStore(fresh_database)
    store.write(decide([IN_USE], SETTINGS, 100.0))
    set_back(fresh_database, 60)
    store.write(decide([IN_USE], SETTINGS, 160.0))
    held = store.read()
    store.write(decide([READY], SETTINGS, 170.0))
    opened = store.read()
    assert held is not None and opened is not None
    assert 60 <= held.held_seconds < 120 and held.age_seconds < 60
    assert opened.held_seconds < 60 and opened.since > held.since


def test_a_memory_of_another_version_is_no_memory(fresh_database: Engine) -> None:
    store = GateStore(fresh_database)
    store.write(decide([READY], SETTINGS, 100.0))
    with fresh_database.begin() as connection:
        connection.execute(text("""UPDATE tip.fleet_gate SET memory = '{"limits": 2}'"""))
    row = store.read()
    assert row is not None and row.memory is None and row.run_limit == 2
