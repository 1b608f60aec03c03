"""The fleet watcher: real agents on loopback, a real database, and this machine with what the test lets it report."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise

import pytest
from sqlalchemy import Engine, create_engine, text

from node_agent.report import ServedEndpoint, ServedModel, Sign, Thermal
from node_agent.reporter import Reporter
from tests.embedded import in_database, run_sql
from tests.unit.resources.fleet.loopback_agents import Agents, agents
from tests.unit.resources.fleet.reports import activity, as_sent, report, thermal
from tip_resources.database.endpoint_leases import Grant, Lease, LeaseStore
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.node_work import NodeWork, NodeWorkStore
from tip_resources.database.nodes import NodeStore
from tip_resources.database.seen_endpoints import EndpointRegistry
from tip_resources.fleet import watcher as watcher_module
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.watcher import FleetWatcher, process_wide_watcher
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import NodeSettings, Settings

OWN = "here"


class Measured:
    """A section of this machine's reports."""

    timeout_seconds = 10.0

    def __init__(self, name: str, section: object) -> None:
        self.name = name
        self.section = section

    def collect(self) -> object:
        return self.section


SERVED = (ServedEndpoint("http://127.0.0.1:1234/v1", "lm_studio", (ServedModel("phi-4", True, 8192),), slots=4),)


def this_machine(heat: Thermal | None = None, served: tuple[ServedEndpoint, ...] = SERVED) -> Reporter:
    return Reporter([Measured("thermal", heat or thermal(50.0)), Measured("endpoints", served)], node=OWN)


def settings_of(served: Agents, *names: str, every: float = 0.2) -> Settings:
    nodes = tuple(FleetNodeSettings(name=n, url=served.at(n).url, profile="pi", step_slots=3) for n in names)
    return Settings(fleet=FleetSettings(nodes=nodes), node=NodeSettings(health_check_seconds=every, step_slots=5))


@asynccontextmanager
async def watching(watcher: FleetWatcher):
    """It runs inside the block; what stops it fails the test."""
    task = asyncio.create_task(watcher.run())
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(40):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.02)


def state_of(database: Engine, node: str) -> NodeState | None:
    found = NodeStateStore(database).all().get(node)
    return None if found is None else found.state


def is_(database: Engine, node: str, status: str) -> bool:
    state = state_of(database, node)
    return state is not None and state.status == status


def keep_reporting(served: Agents, name: str, boot: str = "b-1", **changes) -> Callable[[], None]:
    """Each call makes the agent's next report another one."""
    sequence = iter(range(1, 100_000))

    def again() -> None:
        served.bodies[name] = as_sent(report(name, sequence=next(sequence), boot_id=boot, **changes))

    again()
    return again


def test_everybody_reads_what_the_watcher_wrote_of_this_machine_and_of_others(fresh_database: Engine) -> None:
    async def scenario() -> Settings:
        async with agents() as served:
            keep_reporting(served, "pi")
            settings = settings_of(served, "pi", "failing", every=30)
            async with watching(FleetWatcher(fresh_database, lambda: settings, reporter=this_machine())):
                await until(lambda: len(NodeStateStore(fresh_database).all()) == 3, "three states")
            return settings

    settings = asyncio.run(scenario())
    written = {name: one.state for name, one in NodeStateStore(fresh_database).all().items()}
    assert {name: state.status for name, state in written.items()} == {OWN: "ready", "pi": "ready", "failing": "lost"}
    assert (written[OWN].slots, written["pi"].slots) == (5, 3)
    assert "class:hybrid" in written[OWN].capabilities
    assert {"class:pi", "linux"} <= written["pi"].capabilities
    assert KnownFleet(fresh_database, lambda: settings).node("pi") == written["pi"]
    (own,) = [node for node in NodeStore(fresh_database).all() if node.name == OWN]
    assert (own.address, own.profile) == ("", "hybrid")
    (server,) = EndpointRegistry(fresh_database).all()
    assert (server.address, server.tier, server.state, server.node) == (
        f"http://{OWN}:1234/v1",
        "local",
        "reported",
        OWN,
    )
    assert server.models[0].context_window_tokens == 8192


def test_only_one_process_watches_and_the_next_goes_on_where_it_stopped(
    fresh_database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> tuple[NodeState | None, NodeState | None]:
        async with agents() as served:
            settings = settings_of(served, every=30)
            first = FleetWatcher(fresh_database, lambda: settings, reporter=this_machine(thermal(85.0)))
            # Between its recovery temperature and its limit: hot for who saw it hot, throttled for who did not.
            second = FleetWatcher(fresh_database, lambda: settings, reporter=this_machine(thermal(78.0)))
            async with watching(first):
                await until(lambda: is_(fresh_database, OWN, "hot"), "the first one's state")
                before = state_of(fresh_database, OWN)
                waiting = asyncio.create_task(second.run())
                await until(lambda: "waiting to take over" in caplog.text, "the second one's wait")
                assert _reason(fresh_database) == "CPU at 85 C, limit 80 C"
            await until(lambda: "85" not in _reason(fresh_database), "the second one's state")
            after = state_of(fresh_database, OWN)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return before, after

    before, after = asyncio.run(scenario())
    assert before is not None
    assert after is not None
    assert after.status == "hot"
    assert "78 C" in after.reason
    assert after.since_unix_seconds == before.since_unix_seconds


def _reason(database: Engine) -> str:
    state = state_of(database, OWN)
    return "" if state is None else state.reason


@contextmanager
def _away(server_url: str, database: Engine) -> Iterator[None]:
    """Nobody gets a connection to the database, and who had one has none any more."""
    name = database.url.database
    admin = in_database(server_url, "postgres")
    run_sql(
        admin,
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    try:
        yield
    finally:
        run_sql(admin, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_database_that_is_away_is_said_once_and_written_to_when_it_is_back(
    fresh_database: Engine, server_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        async with agents() as served:
            again = keep_reporting(served, "pi")
            settings = settings_of(served, "pi")
            async with watching(FleetWatcher(fresh_database, lambda: settings, reporter=this_machine())):
                await until(lambda: again() or is_(fresh_database, "pi", "ready"), "the first state")
                with _away(server_url, fresh_database):
                    await until(lambda: "while the database is away" in caplog.text, "the complaint")
                    hot = keep_reporting(served, "pi", boot="b-2", celsius=90.0)
                    await until(lambda: hot() or "pi is hot" in caplog.text, "the agent being asked on")
                await until(lambda: hot() or is_(fresh_database, "pi", "hot"), "the state after it is back")

    asyncio.run(scenario())
    assert caplog.text.count("while the database is away") == 1
    assert caplog.text.count("the database is back") == 1
    pi = next(node for node in NodeStore(fresh_database).all() if node.name == "pi")
    assert pi.newest_report is not None
    assert pi.newest_report["boot_id"] == "b-2", "the report of the change was not lost with the database"


def test_a_line_is_logged_for_a_change_and_none_for_a_poll(
    fresh_database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        async with agents() as served:
            again = keep_reporting(served, "pi")
            settings = settings_of(served, "pi")
            async with watching(FleetWatcher(fresh_database, lambda: settings, reporter=this_machine())):
                await until(lambda: again() or served.asked["pi"] > 5, "some passes")
                hot = keep_reporting(served, "pi", boot="b-9", celsius=90.0)
                await until(lambda: hot() or is_(fresh_database, "pi", "hot"), "the change")

    asyncio.run(scenario())
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("pi is ")]
    assert said[0].startswith("pi is ready: ")
    assert any(re.fullmatch(r"pi is hot: CPU at 90 C, limit 80 C \(was ready for \d+ s\)", line) for line in said)
    statuses = [line.removeprefix("pi is ").partition(":")[0] for line in said]
    assert all(one != next_one for one, next_one in pairwise(statuses)), statuses


def test_who_works_for_us_is_asked_more_often_than_the_others(
    fresh_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "_SOON_SECONDS", 0.1)
    lease = {"model": "phi-4", "wanted": 4, "in_flight": 2}

    async def scenario() -> None:
        async with agents() as served:
            keep_reporting(served, "caller")
            for name in ("stepper", "idle"):
                keep_reporting(served, name)
            settings = settings_of(served, "caller", "stepper", "idle", every=3600)
            async with watching(FleetWatcher(fresh_database, lambda: settings, reporter=this_machine())):
                await until(lambda: len(NodeStateStore(fresh_database).all()) == 4, "all states")
                holder = "00000000-0000-4000-8000-000000000001"
                own = Lease(endpoint="http://caller:1234/v1", holder=holder, **lease)
                LeaseStore(fresh_database).heartbeat(own, lambda *_: Grant(2, 4), lease_seconds=600)
                with fresh_database.begin() as connection:
                    connection.execute(
                        text(
                            "INSERT INTO tip.step_leases (run_id, step_key, node, holder, pid, expires_at)"
                            " VALUES ('r', 's', 'stepper', gen_random_uuid(), 1, now() + interval '600 s')"
                        )
                    )
                await until(lambda: min(served.asked["caller"], served.asked["stepper"]) >= 5, "being asked often")
                served.bodies["caller"] = as_sent(report("caller", boot_id="b-2", activity=activity(gaming=Sign(True))))
                await until(lambda: is_(fresh_database, "caller", "in_use"), "the game")
                assert served.asked["idle"] == 1

    asyncio.run(scenario())


def test_who_was_listed_a_moment_ago_is_asked_soon_and_once(
    fresh_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher_module, "_SOON_SECONDS", 0.1)

    async def scenario() -> None:
        async with agents() as served:
            for name in ("old", "new", "newer"):
                keep_reporting(served, name)
            listed = [settings_of(served, "old", every=3600)]
            async with watching(FleetWatcher(fresh_database, lambda: listed[-1], reporter=this_machine())):
                await until(lambda: is_(fresh_database, "old", "ready"), "the first round")
                listed.append(settings_of(served, "old", "new", every=3600))
                await until(lambda: is_(fresh_database, "new", "ready"), "the one that was listed")
                listed.append(settings_of(served, "old", "new", "newer", every=3600))
                await until(lambda: is_(fresh_database, "newer", "ready"), "the next one")
            assert [served.asked[name] for name in ("old", "new", "newer")] == [1, 1, 1]

    asyncio.run(scenario())


def test_rejected_reports_are_counted_and_shown_and_harm_no_other(fresh_database: Engine) -> None:
    async def scenario() -> None:
        async with agents() as served:
            again = keep_reporting(served, "pi")
            served.bodies["rubbish"] = b"{}"
            settings = settings_of(served, "pi", "rubbish")

            def is_shown() -> bool:
                state = state_of(fresh_database, "rubbish")
                return state is not None and any("reports rejected within the hour" in note for note in state.notes)

            async with watching(FleetWatcher(fresh_database, lambda: settings, reporter=this_machine())):
                await until(is_shown, "the count")
                await until(lambda: again() or is_(fresh_database, "pi", "ready"), "the good one")

    asyncio.run(scenario())
    state = state_of(fresh_database, "rubbish")
    assert state is not None
    assert "bad_report), the last: the report does not say its schema_version." in state.notes[-1]
    (row,) = [node for node in NodeStore(fresh_database).all() if node.name == "rubbish"]
    assert "bad_report" in row.notes


def test_past_work_shows_in_the_states(fresh_database: Engine) -> None:
    NodeWorkStore(fresh_database).add([NodeWork(node=OWN, calls=3, failed_calls=1, steps=1)])

    async def scenario() -> None:
        async with agents() as served:
            settings = settings_of(served)

            def ratio() -> float | None:
                state = state_of(fresh_database, OWN)
                return None if state is None else state.success_ratio

            async with watching(FleetWatcher(fresh_database, lambda: settings, reporter=this_machine())):
                await until(lambda: ratio() == 0.75, "the ratio")

    asyncio.run(scenario())


def test_a_pass_is_made_when_nobody_watches_and_only_then(fresh_database: Engine) -> None:
    other = create_engine(fresh_database.url)

    async def asked_meanwhile() -> bool:
        async with agents() as served:
            settings = settings_of(served, every=30)
            async with watching(FleetWatcher(other, lambda: settings, reporter=this_machine())):
                await until(lambda: is_(other, OWN, "ready"), "the watcher's pass")
                late = FleetWatcher(fresh_database, lambda: settings, reporter=this_machine(thermal(90.0)))
                return await asyncio.to_thread(late.pass_if_nobody_watches)

    assert asyncio.run(asked_meanwhile()) is False
    assert is_(other, OWN, "ready")
    alone = FleetWatcher(fresh_database, Settings, reporter=this_machine(thermal(90.0)))
    assert alone.pass_if_nobody_watches() is True
    first = state_of(other, OWN)
    assert alone.pass_if_nobody_watches() is True
    second = state_of(other, OWN)
    assert first is not None
    assert second is not None
    assert (first.status, second.status) == ("hot", "hot")
    assert first.since_unix_seconds == second.since_unix_seconds, "it remembers"
    other.dispose()


def test_a_process_has_one_watcher_for_a_database(fresh_database: Engine) -> None:
    assert process_wide_watcher(fresh_database, Settings) is process_wide_watcher(fresh_database, Settings)
