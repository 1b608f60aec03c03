"""From agents over HTTP to states and rows: what the platform knows after each pass."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Engine

from node_agent.report import NodeReport, Reading, ServedEndpoint, ServedModel, Sign
from tests.unit.resources.fleet.loopback_agents import Agents, agents
from tests.unit.resources.fleet.reports import activity, gpu, report
from tip_resources.database.node_reports import NodeReportStore
from tip_resources.database.nodes import NodeStore
from tip_resources.fleet.fleet_watch import FleetWatch, Pass
from tip_resources.fleet.node_history import Now
from tip_resources.fleet.poller import Address, Poller, PollOutcome
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import NodeSettings, Settings

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


def outcome(node: NodeReport, at_seconds: float, address: str = "", reason: str = "") -> PollOutcome:
    return PollOutcome(Address(node.node, address), "ok", reason, 1.0, at_seconds, node)


def after(seconds: float) -> Now:
    return Now(BEGIN.steady + seconds, BEGIN.unix_seconds + seconds)


def test_this_machine_is_a_node_like_any_other_and_listed_or_not_it_stands_once() -> None:
    entry = FleetNodeSettings(name="here", url="http://10.0.0.5:8765", step_slots=9)
    settings = Settings(fleet=FleetSettings(nodes=(entry,)), node=NodeSettings(step_slots=3, profile="laptop"))
    watch = FleetWatch("here")
    assert watch.addresses(settings) == [], "its agent is not asked besides"
    busy = report("here", activity=activity(gaming=Sign(True)))
    (state,) = watch.take([outcome(busy, BEGIN.steady)], settings, BEGIN).states
    assert (state.status, state.slots) == ("in_use", 3)
    assert "class:laptop" in state.capabilities
    (left,) = watch.take([outcome(report("here", sequence=2), after(30).steady)], settings, after(30)).states
    assert left.status == "in_use", "its people are given time, as everywhere"
    (free,) = watch.take([outcome(report("here", sequence=3), after(330).steady)], settings, after(330)).states
    assert free.status == "ready"


def test_states_of_those_that_were_asked_are_told_and_no_others() -> None:
    settings = Settings(fleet=FleetSettings(nodes=tuple(_entry(name) for name in ("pi", "desk"))))
    watch = FleetWatch()
    assert len(watch.take([], settings, BEGIN).states) == 2
    done = watch.take([outcome(report("pi"), BEGIN.steady)], settings, BEGIN, {"pi"})
    assert [state.node for state in done.states] == [row.name for row in done.node_rows] == ["pi"]


def _entry(name: str) -> FleetNodeSettings:
    return FleetNodeSettings(name=name, url=f"http://{name}:8765")


def test_another_watch_goes_on_where_one_stopped() -> None:
    settings = Settings(fleet=FleetSettings(nodes=tuple(_entry(name) for name in ("hot", "played", "silent"))))
    first, second = FleetWatch(), FleetWatch()
    playing = report("played", activity=activity(gaming=Sign(True)))
    given = [report("hot", celsius=85.0), playing, report("silent")]
    before = {one.node: one for one in first.take([outcome(g, BEGIN.steady) for g in given], settings, BEGIN).states}
    second.resume(before)
    calm = [outcome(report("hot", sequence=2, celsius=77.0), after(20).steady)]
    calm.append(outcome(report("played", sequence=2), after(20).steady))
    states = {one.node: one for one in second.take(calm, settings, after(20)).states}
    assert {name: one.status for name, one in states.items()} == {"hot": "hot", "played": "in_use", "silent": "ready"}
    assert all(one.since_unix_seconds == BEGIN.unix_seconds for one in states.values())
    fresh = {one.node: one.status for one in FleetWatch().take(calm, settings, after(20)).states}
    assert fresh == {"hot": "throttled", "played": "ready", "silent": "lost"}, "without what was known"
    later = {one.node: one.status for one in second.take([], settings, after(110)).states}
    assert later["silent"] == "lost"


def test_what_was_not_taken_is_counted_and_shown_for_an_hour() -> None:
    settings = Settings(fleet=FleetSettings(nodes=(_entry("pi"),)))
    watch = FleetWatch()
    bad = PollOutcome(Address("pi", ""), "bad_report", "the answer is not JSON.", 1.0, BEGIN.steady)
    conflict = PollOutcome(Address("pi", ""), "conflict", "two are called pi.", 1.0, after(30).steady)
    refused = PollOutcome(Address("pi", ""), "refused", "nobody there", 1.0, after(60).steady)
    watch.take([bad], settings, BEGIN)
    watch.take([conflict], settings, after(30))
    (state,) = watch.take([refused], settings, after(60)).states
    said = "2 reports rejected within the hour (1 bad_report, 1 conflict), the last: two are called pi."
    assert state.notes == (said,)
    assert watch.take([], settings, after(60)).node_rows[0].notes == said
    assert watch.take([], settings, after(3700)).states[0].notes == ()


def test_a_report_asked_for_twice_at_once_is_no_fault_and_one_repeated_later_is() -> None:
    settings = Settings(fleet=FleetSettings(nodes=(_entry("pi"),)))
    watch = FleetWatch()
    watch.take([outcome(report("pi", sequence=5), BEGIN.steady)], settings, BEGIN)
    (soon,) = watch.take([outcome(report("pi", sequence=5), after(3).steady)], settings, after(3)).states
    assert soon.notes == ()
    (late,) = watch.take([outcome(report("pi", sequence=5), after(30).steady)], settings, after(30)).states
    assert late.notes == ("1 report rejected within the hour (1 replayed), the last: it repeats report 5",)
    (old,) = watch.take([outcome(report("pi", sequence=4), after(31).steady)], settings, after(31)).states
    assert old.notes[0].startswith("2 reports rejected within the hour")


def test_a_namesake_elsewhere_is_shown_at_the_one_who_owns_the_name() -> None:
    settings = Settings(fleet=FleetSettings(nodes=(_entry("pi"),)))
    twin = outcome(report("pi"), BEGIN.steady, reason="http://10.0.0.9 calls itself 'pi' too")
    (state,) = FleetWatch().take([twin], settings, BEGIN).states
    assert state.notes == ("http://10.0.0.9 calls itself 'pi' too",)


def test_new_model_servers_are_told_at_once_and_how_busy_they_are_is_not() -> None:
    settings = Settings(fleet=FleetSettings(nodes=(_entry("pi"),)))
    watch = FleetWatch()

    def told(sequence: int, *endpoints: ServedEndpoint) -> bool:
        given = report("pi", sequence=sequence, endpoints=endpoints)
        return "pi" in watch.take([outcome(given, after(sequence).steady)], settings, after(sequence)).served

    server = ServedEndpoint("http://127.0.0.1:1234/v1", "ollama", (ServedModel("phi-4"),), 4, 0, 0)
    assert [told(1, server), told(2, replace(server, slots_busy=3)), told(3, server), told(4)] == [
        True,
        False,
        False,
        True,
    ]


def test_a_node_that_is_asked_often_is_learned_from_no_more_often_but_forecast_from_its_newest_value() -> None:
    settings = Settings(fleet=FleetSettings(nodes=(_entry("pi"),)))
    watch = FleetWatch()
    for turn in range(13):
        given = report("pi", sequence=turn + 1, celsius=50.0)
        watch.take([outcome(given, after(10 * turn).steady)], settings, after(10 * turn))
    node = watch.node("pi")
    assert node is not None
    curve = node.curve("CPU")
    assert curve is not None
    assert curve.steps == 4, "120 s have four steps of 30 s"
    hot = [outcome(report("pi", sequence=20, celsius=90.0), after(121).steady)]
    (state,) = watch.take(hot, settings, after(121)).states
    assert state.reason == "CPU at 90 C, limit 80 C", "it is not at 50 C any more, so it has not recovered"
