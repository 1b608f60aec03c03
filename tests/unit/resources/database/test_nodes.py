"""Machines and their figures over time, in a real database."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, event, text

from node_agent.report import Reading
from tests.embedded import empty_database
from tests.unit.resources.fleet.reports import UNKNOWN, gpu, report
from tip_resources.database.migrate import migrate
from tip_resources.database.node_reports import NodeReportStore, ReportRow, Span, report_row
from tip_resources.database.nodes import NodeRow, NodeStore

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
BEGIN = 1_760_000_000.0


def row(name: str = "pi-4b", state: str = "ready", since: float = BEGIN, **changes) -> NodeRow:
    return NodeRow(name=name, state=state, state_reason="CPU at 50 C", since_unix_seconds=since, **changes)


def at(unix_seconds: float) -> datetime:
    return datetime.fromtimestamp(unix_seconds, UTC)


def test_a_machine_keeps_since_when_while_it_keeps_its_state(fresh_database: Engine) -> None:
    store = NodeStore(fresh_database)
    store.note([row(address="http://10.0.0.7", newest_report={"node": "pi-4b"}, clock_skew_seconds=3.5)])
    store.note([row(since=BEGIN + 500)])  # the platform was started anew, and counts from there
    (known,) = store.all()
    assert (known.state, known.state_since, known.clock_skew_seconds) == ("ready", at(BEGIN), 3.5)
    store.note([row(state="hot", since=BEGIN + 900)])
    (known,) = store.all()
    assert (known.state, known.state_since) == ("hot", at(BEGIN + 900))


def test_a_silent_machine_keeps_its_last_report_and_when_it_was_seen(fresh_database: Engine) -> None:
    store = NodeStore(fresh_database)
    store.note([row(is_seen=False, state="lost")])
    assert store.all()[0].last_seen_at is None
    store.note([row(newest_report={"sequence": 1}, hardware={"cores": 4})])
    seen_at = store.all()[0].last_seen_at
    assert seen_at is not None
    store.note([row(state="lost", is_seen=False)])
    (lost,) = store.all()
    assert (lost.newest_report, lost.hardware, lost.last_seen_at) == ({"sequence": 1}, {"cores": 4}, seen_at)
    store.note([row()])
    (seen,) = store.all()
    assert seen.last_seen_at is not None
    assert seen.last_seen_at > seen_at
    assert seen.newest_report == {"sequence": 1}


def test_a_thousand_machines_and_their_reports_are_two_statements(fresh_database: Engine) -> None:
    names = [f"node-{number:04}" for number in range(1000)]
    statements: list[str] = []
    event.listen(fresh_database, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    NodeStore(fresh_database).note([row(name) for name in reversed(names)])
    reports = [ReportRow(node=name, state="ready", cpu_celsius=50.0) for name in names]
    assert NodeReportStore(fresh_database).add(reports) == 1000
    assert len(statements) == 2
    assert [node.name for node in NodeStore(fresh_database).all()] == names


def test_nothing_to_note_is_no_statement_and_an_unknown_machine_no_row(fresh_database: Engine) -> None:
    NodeStore(fresh_database).note([])
    store = NodeReportStore(fresh_database)
    assert store.add([]) == 0
    assert store.add([ReportRow(node="nobody", state="ready")]) == 0


@pytest.mark.parametrize(
    ("gpus", "celsius", "watts", "ratio"),
    [
        ((), None, None, None),
        ((gpu(60.0), gpu(70.0, busy_ratio=Reading(0.9))), 70.0, 120.0, 0.9),
        ((gpu(60.0), gpu(None, power_watts=UNKNOWN, busy_ratio=UNKNOWN)), 60.0, None, 0.5),
    ],
)
def test_the_figures_are_of_the_hottest_and_busiest_card_and_all_watts(gpus, celsius, watts, ratio) -> None:
    figures = report_row(report(gpus=gpus), "ready")
    assert (figures.gpu_celsius, figures.gpu_watts, figures.gpu_ratio) == (celsius, watts, ratio)
    assert (figures.cpu_celsius, figures.cpu_ratio) == (50.0, 0.2)
    assert report_row(report(thermal=None, host=None, gpus=None), "lost") == ReportRow(node="pi-4b", state="lost")


def add_at(engine: Engine, age: timedelta, celsius: float | None) -> None:
    """A report that came some time before the beginning of the present quarter of an hour, 24 hours ago."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO tip.node_reports (node_id, received_at, cpu_celsius) SELECT id, "
                "date_bin('15 minutes', now(), 'epoch') - interval '24 hours' - :age, :celsius FROM tip.nodes"
            ),
            {"age": age, "celsius": celsius},
        )


def test_old_reports_become_quarter_hours_and_new_ones_stay(fresh_database: Engine) -> None:
    NodeStore(fresh_database).note([row()])
    store = NodeReportStore(fresh_database)
    for seconds, celsius in ((1, 40.0), (31, 50.0), (61, 75.0), (91, None), (901, 30.0)):
        add_at(fresh_database, timedelta(seconds=seconds), celsius)
    add_at(fresh_database, timedelta(0), 55.0)  # just not old enough
    store.add([ReportRow(node="pi-4b", state="hot", cpu_celsius=81.0)])
    assert store.fold() == 5
    assert store.fold() == 0
    before, quarter, single, newest = store.history("pi-4b", LONG_AGO)
    assert (before.reports, before.cpu_celsius) == (1, Span(30.0, 30.0, 30.0))
    assert (quarter.reports, quarter.seconds, quarter.cpu_celsius) == (4, 900, Span(40.0, 55.0, 75.0))
    assert quarter.at.minute % 15 == 0
    assert quarter.gpu_celsius is None
    assert (single.seconds, single.cpu_celsius) == (0, Span(55.0, 55.0, 55.0))
    assert (newest.state, newest.cpu_celsius) == ("hot", Span(81.0, 81.0, 81.0))
    assert store.history("another", LONG_AGO) == []
    assert list(store.history("pi-4b", newest.at)) == [newest]


def test_a_report_that_is_late_is_counted_into_its_quarter(fresh_database: Engine) -> None:
    NodeStore(fresh_database).note([row()])
    store = NodeReportStore(fresh_database)
    for batch in ([40.0, 50.0, None], [80.0], [None]):
        for number, celsius in enumerate(batch):
            add_at(fresh_database, timedelta(seconds=10 + number), celsius)
        assert store.fold() == len(batch)
    (quarter,) = store.history("pi-4b", LONG_AGO)
    assert quarter.reports == 5
    assert quarter.cpu_celsius is not None
    assert quarter.cpu_celsius.mean == pytest.approx(170 / 3, abs=1e-3)
    assert (quarter.cpu_celsius.least, quarter.cpu_celsius.most) == (40.0, 80.0)


def test_a_long_backlog_is_folded_an_hour_at_a_time(fresh_database: Engine) -> None:
    NodeStore(fresh_database).note([row()])
    store = NodeReportStore(fresh_database)
    for quarter in range(10):
        add_at(fresh_database, timedelta(minutes=15 * quarter + 1), 50.0)
    assert [store.fold() for _ in range(4)] == [4, 4, 2, 0]


def test_the_migration_goes_down_and_up_and_keeps_the_machines(server_url: str) -> None:
    with empty_database(server_url) as url:
        engine = create_engine(url)
        migrate(engine)
        NodeStore(engine).note([row(notes="weak supply")])
        migrate(engine, "0002")
        with engine.begin() as connection:
            assert connection.scalar(text("SELECT state FROM tip.nodes")) == "ready"
            connection.execute(
                text("INSERT INTO tip.node_reports (node_id, reported_at) SELECT id, now() FROM tip.nodes")
            )
        migrate(engine)
        (known,) = NodeStore(engine).all()
        assert (known.name, known.state, known.notes) == ("pi-4b", "ready", "")
        assert NodeReportStore(engine).history("pi-4b", LONG_AGO) == []
        engine.dispose()
