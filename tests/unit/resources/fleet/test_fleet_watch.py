"""From agents over HTTP to states and rows: what the platform knows after each pass."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from node_agent.report import NodeReport, Reading
from tests.unit.resources.fleet.loopback_agents import Agents, agents
from tests.unit.resources.fleet.reports import gpu, report
from tip_resources.database.node_reports import NodeReportStore
from tip_resources.database.nodes import NodeStore
from tip_resources.fleet.fleet_watch import FleetWatch, Pass
from tip_resources.fleet.node_history import Now
from tip_resources.fleet.poller import Poller
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import Settings

BEGIN = Now(1000.0, 1_760_000_000.0)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def listed(served: Agents, *names: str) -> Settings:
    return Settings(fleet=FleetSettings(nodes=tuple(FleetNodeSettings(name=n, url=served.at(n).url) for n in names)))


class Platform:
    """A watch and its poller, whose steady clock stands where the test puts it."""

    def __init__(self) -> None:
        self.watch = FleetWatch()
        self.now = BEGIN

    async def passes(self, settings: Settings, after: float = 30.0) -> Pass:
        self.now = Now(self.now.steady + after, self.now.unix_seconds + after)
        async with Poller(concurrency=50, timeout_seconds=20, steady=lambda: self.now.steady) as poller:
            outcomes = await poller.poll(self.watch.addresses(settings))
        return self.watch.take(outcomes, settings, self.now)


def counted(node: NodeReport, sequence: int, **changes) -> NodeReport:
    return replace(node, sequence=sequence, **changes)


def test_what_agents_say_becomes_states_and_rows(fresh_database: Engine) -> None:
    nodes, reports = NodeStore(fresh_database), NodeReportStore(fresh_database)
    pi, desk = report("pi", celsius=85.0), report("desk", boot_id="b-2", gpus=(gpu(60.0),))

    async def scenario() -> None:
        platform = Platform()
        async with agents() as served:
            served.add(pi, desk)
            served.bodies["rubbish"] = b"{}"
            settings = listed(served, "pi", "desk", "rubbish")
            first = await platform.passes(settings)
            first.store(nodes, reports)
            assert [(state.node, state.status) for state in first.states] == [
                ("pi", "hot"),
                ("desk", "ready"),
                ("rubbish", "lost"),
            ]
            assert first.states[1].capabilities == {"cpu", "linux", "gpu", "nvidia"}
            assert (first.asked, first.read) == ({"ok": 2, "bad_report": 1}, {"new": 2})
            served.add(counted(pi, 2, thermal=None), desk)  # the desk's agent hangs, and repeats itself
            second = await platform.passes(settings)
            second.store(nodes, reports)
            assert second.read == {"new": 1, "replayed": 1}
            await platform.passes(settings)
            (await platform.passes(settings)).store(nodes, reports)

    asyncio.run(scenario())
    desk_row, pi_row, rubbish = nodes.all()
    assert (desk_row.state, desk_row.state_reason) == ("stale", "no report for 90 s: it repeats report 1")
    assert desk_row.newest_report is not None
    assert desk_row.newest_report["sequence"] == 1
    assert desk_row.hardware["gpus"] == [{"name": "RTX 4050", "vendor": "nvidia", "memory_bytes": None}]
    assert (pi_row.state, pi_row.hardware["cores"], pi_row.last_seen_at is not None) == ("hot", 4, True)
    assert (rubbish.state, rubbish.last_seen_at) == ("lost", None)
    assert rubbish.state_reason.startswith("has not reported yet: bad_report (the report does not say its schema_vers")
    assert [point.state for point in reports.history("pi", LONG_AGO)] == ["hot", "hot"]
    (once,) = reports.history("desk", LONG_AGO)
    assert once.gpu_celsius is not None
    assert once.gpu_celsius.mean == 60.0


def test_the_whole_report_is_written_on_a_change_of_state_and_every_quarter_of_an_hour() -> None:
    async def scenario() -> list[bool]:
        platform = Platform()
        async with agents() as served:
            settings = listed(served, "pi")
            whole = []
            moves = ((50, 30), (51, 30), (90, 30), (91, 30), (90, 840), (90, 30))
            for sequence, (celsius, after) in enumerate(moves, start=1):
                served.add(report("pi", sequence=sequence, celsius=float(celsius)))
                done = await platform.passes(settings, float(after))
                whole.append(done.node_rows[0].newest_report is not None)
            return whole

    assert asyncio.run(scenario()) == [True, False, True, False, False, True]


def test_a_node_that_goes_away_says_why_it_is_lost_and_one_off_the_list_is_forgotten() -> None:
    async def scenario() -> None:
        platform = Platform()
        async with agents() as served:
            served.add(report("pi"))
            settings = listed(served, "pi", "failing")
            await platform.passes(settings)
            renamed = settings.fleet.nodes[0].model_copy(update={"url": served.at("failing").url, "step_slots": 3})
            moved = Settings(fleet=FleetSettings(nodes=(renamed,)))
            lost = await platform.passes(moved, 200.0)
            assert [state.node for state in lost.states] == ["pi"]
            assert lost.states[0].reason == "no report for 3 min: http_error (answered with status 503)"
            assert lost.states[0].slots == 3
            assert lost.report_rows == ()
            assert platform.watch.node("failing") is None

    asyncio.run(scenario())


def test_quiet_hours_follow_the_time_zone_of_each_node() -> None:
    async def scenario() -> dict[str, str]:
        platform = Platform()  # 2025-10-09 08:53 UTC, a Thursday
        async with agents() as served:
            served.add(report("london"), report("tokyo", boot_id="b-2"))
            zones = {"london": "Europe/London", "tokyo": "Asia/Tokyo"}
            fleet = {
                "nodes": [{"name": n, "url": served.at(n).url, "time_zone": zone} for n, zone in zones.items()],
                "quiet_hours": [{"begin": "09:00", "end": "17:00"}],
            }
            done = await platform.passes(Settings(fleet=FleetSettings.model_validate(fleet)))
            return {state.node: f"{state.status}: {state.reason}" for state in done.states}

    states = asyncio.run(scenario())
    assert states["london"] == "quiet: quiet hours until 17:00 of its local time"
    assert states["tokyo"].startswith("ready")


def test_a_reading_that_cannot_be_costs_one_reading_not_the_node() -> None:
    async def scenario() -> Pass:
        platform = Platform()
        async with agents() as served:
            served.add(report("pi", gpus=(gpu(999.0), gpu(60.0, index=1, power_watts=Reading(-5.0)))))
            return await platform.passes(listed(served, "pi"))

    done = asyncio.run(scenario())
    assert done.states[0].status == "ready"
    assert "GPU 0 temperature unknown: reported as 999 C, which is not -40 to 150" in done.states[0].reason
    assert done.report_rows[0].gpu_celsius == 60.0
    assert done.report_rows[0].gpu_watts is None
