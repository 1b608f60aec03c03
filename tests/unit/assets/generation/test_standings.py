"""What the fleet allows endpoints: read beside the event loop, told to the engine, obeyed by real calls."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine
from upath import UPath

from node_agent.identity import node_name
from tests.unit.assets.experiments.renaming_relay import renaming_relay
from tests.unit.resources.fleet.fleet_rows import served, state, write_node, write_states
from tests.unit.resources.llm.helpers import calls_text, request
from tests.unit.resources.llm.scripted_server import ScriptedServer, hangs, says
from tip_assets.generation import write_calls
from tip_assets.generation.engine import engine_for
from tip_assets.generation.glossary import prompt_for
from tip_assets.generation.progress_line import ProgressLine
from tip_assets.generation.standings import Standings, standing
from tip_assets.generation.write_calls import WritingProgress
from tip_assets.generation.writing import write_plans
from tip_assets.planning.domain_library import load_library
from tip_assets.planning.plan import plan_calls
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.domain.dataset_spec import DatasetSpec
from tip_resources.fleet.fleet_servers import FleetServers
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import NodeState
from tip_resources.llm.machine_standing import WELL, MachineStanding
from tip_resources.llm.types import Endpoint, Item, RequestDone
from tip_resources.rehearsal.process import rehearsal_process
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import ModelSettings, Settings
from tip_resources.storage.checkpoint import Checkpoint

DESK, PI = "127.0.0.2", "127.0.0.3"
SETTINGS = Settings(
    models=ModelSettings(probe_localhost=False),
    fleet=FleetSettings(
        nodes=(
            FleetNodeSettings(name="desk", url=f"http://{DESK}:8765"),
            FleetNodeSettings(name="pi-4b", url=f"http://{PI}:8765"),
        )
    ),
)
AT_DESK = Endpoint(name="lm", url=f"http://{DESK}:1234/v1", model="phi-4", node="desk")


@pytest.fixture(autouse=True)
def no_model_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIP_LLM_URL", "TIP_LLM_MODEL", "TIP_LLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        self.seconds += 2
        return self.seconds


def fleet(database: Engine | None) -> FleetServers:
    """As the fleet is at every moment: its clock is past what would be kept."""
    return FleetServers(KnownFleet(database, lambda: SETTINGS, steady=Clock()), database)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (state("desk"), WELL),
        (
            state("desk", "throttled", "CPU at 78 C"),
            MachineStanding(0.7, "desk is throttled: CPU at 78 C (for 12 min)"),
        ),
        (
            state("desk", "hot", "CPU at 90 C"),
            MachineStanding(0.0, "desk is hot: CPU at 90 C (for 12 min)", True, True),
        ),
        (state("desk", "in_use", "a game"), MachineStanding(0.0, "desk is in_use: a game (for 12 min)", True)),
        (state("desk", "quiet", "till 17:00"), MachineStanding(0.0, "desk is quiet: till 17:00 (for 12 min)")),
        (
            state("desk", "lost", "no report"),
            MachineStanding(0.0, "desk is lost: no report (for 12 min)", is_waited_for=False),
        ),
        (state("desk", "lost", "nobody watches", is_watched=False), WELL),
        (
            state("desk", "draining", "drained by anna", moves_calls=True),
            MachineStanding(0.0, "desk is draining: drained by anna (for 12 min)", True),
        ),
    ],
)
def test_a_state_means_so_much_for_the_calls_there(given: NodeState, meant: MachineStanding) -> None:
    assert standing(given, 720.0) == meant


class Woken:
    """Counts how often it was woken."""

    def __init__(self) -> None:
        self.rung = asyncio.Event()

    def wake(self) -> None:
        self.rung.set()


def test_a_change_wakes_the_engine_and_the_passing_of_time_does_not(fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"))
    write_node(fresh_database, state("pi-4b", "quiet", "till 17:00"))

    async def scenario() -> None:
        woken, minutes = Woken(), [0.0]

        def wall() -> float:
            minutes[0] += 1
            return minutes[0] * 60

        async with Standings(fleet(fresh_database), every_seconds=0.001, wall=wall) as standings:
            standings.attach(woken)
            reads = minutes[0]
            while minutes[0] < reads + 5:
                await asyncio.sleep(0.001)
            assert not woken.rung.is_set()
            assert standings.of(AT_DESK) == WELL
            await asyncio.to_thread(NodeOrderStore(fresh_database).give, "desk", "drain", by="anna")
            await woken.rung.wait()
            assert standings.of(AT_DESK).moves_calls
            assert standings.of(AT_DESK).reason.startswith("desk is draining: drained by anna")

    asyncio.run(scenario())


def test_scripted_servers_and_machines_nobody_knows_are_never_held_back(fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk", "in_use", "a game"))

    async def scenario() -> list[MachineStanding]:
        scripted = Endpoint(name="s", url=AT_DESK.url, model="rehearsal", node="desk", scripted=True)
        strange = Endpoint(name="o", url="https://api.openai.com/v1", model="m", tier="openai")
        async with Standings(fleet(fresh_database)) as standings:
            return [standings.of(endpoint) for endpoint in (AT_DESK, scripted, strange)]

    held, scripted, strange = asyncio.run(scenario())
    assert held.weight == 0
    assert scripted == strange == WELL


def test_without_a_database_only_this_machine_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    here = state(node_name(), "hot", "CPU at 95 C")
    monkeypatch.setattr(KnownFleet, "this_node", lambda _: here)

    async def scenario() -> list[MachineStanding]:
        own = Endpoint(name="own", url="http://127.0.0.1:1234/v1", model="m", node=node_name())
        async with Standings(fleet(None)) as standings:
            return [standings.of(endpoint) for endpoint in (own, AT_DESK)]

    own, desk = asyncio.run(scenario())
    assert own.weight == 0 and own.moves_calls
    assert desk == WELL


def test_a_fault_of_reading_is_not_kept_back_at_the_end(fresh_database: Engine) -> None:
    class Broken(FleetServers):
        reads = 0

        def states(self):
            self.reads += 1
            if self.reads > 1:
                raise ValueError("no such thing")
            return super().states()

    async def scenario() -> None:
        broken = Broken(KnownFleet(fresh_database, lambda: SETTINGS), fresh_database)
        async with Standings(broken, every_seconds=0.001) as standings:
            standings.attach(Woken())
            while broken.reads < 2:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)

    with pytest.raises(ValueError, match="no such thing"):
        asyncio.run(scenario())


def test_calls_on_a_machine_whose_owner_comes_back_are_answered_elsewhere(fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"))
    write_node(fresh_database, state("pi-4b", "quiet", "till 17:00"))

    async def scenario() -> tuple[list[Item], list[RequestDone], int]:
        async with ScriptedServer([hangs()], host=DESK) as desk, ScriptedServer([says(calls_text())], host=PI) as pi:
            endpoints = [desk.endpoint("desk", node="desk"), pi.endpoint("pi", node="pi-4b")]
            items, done = [], []

            async def run() -> None:
                async with engine_for(endpoints, SETTINGS, fleet=fleet(fresh_database)) as engine:
                    async for event in engine.run([request("r1"), request("r2")]):
                        (items if isinstance(event, Item) else done).append(event)

            running = asyncio.create_task(run())
            while desk.in_flight < 2 and not running.done():
                await asyncio.sleep(0.01)
            assert pi.asked == []
            states = state("desk", "in_use", "a game"), state("pi-4b")
            await asyncio.to_thread(write_states, fresh_database, *states)
            await running
            return items, done, desk.in_flight

    items, done, left = asyncio.run(scenario())
    assert {one.request_id: one.failure for one in done} == {"r1": None, "r2": None}
    assert {item.endpoint.node for item in items} == {"pi-4b"}
    assert len(items) == 4
    assert left == 0


def test_calls_of_a_held_machine_say_so_and_go_on_when_it_is_free(
    fresh_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_calls, "_WAITS_TOLD_EVERY_SECONDS", 0.05)
    library, spec = load_library("retail"), DatasetSpec(name="held", count=2, domain="retail")
    lines, kinds = [], []

    def told(progress: WritingProgress) -> None:
        lines.append(ProgressLine(lambda: 0.0).text(progress))
        if "waits:" in lines[-1] and len(lines) == 2:  # a second time, though nothing has ended
            write_states(fresh_database, state("desk"), state("pi-4b"))

    with rehearsal_process() as scripted, renaming_relay(scripted, ["phi-4"], DESK) as (url, _):
        write_node(fresh_database, state("desk", "in_use", "a game"), served(url.removesuffix("/v1").rsplit(":", 1)[1]))
        write_node(fresh_database, state("pi-4b"))
        write_plans(
            spec,
            lambda: plan_calls(spec, library),
            prompt=prompt_for(library),
            settings=lambda: SETTINGS,
            patience_seconds=0.0,
            checkpoint=Checkpoint(UPath(tmp_path)),
            delivered=None,
            on_endpoints=lambda _found: None,
            on_progress=told,
            on_notice=lambda notice: kinds.append(notice.kind),
            fleet=fleet(fresh_database),
        )
    assert all(line.startswith("0/2 calls kept, waits: desk is in_use: a game (for ") for line in lines[:2])
    assert lines[-1].startswith("2/2 calls kept, 0 rejected")
    assert kinds == ["endpoint_paused", "waiting", "endpoint_back", "resumed"]


def test_a_call_knows_the_machine_that_wrote_it(fresh_database: Engine, tmp_path: Path) -> None:
    library = load_library("retail")
    spec = DatasetSpec(name="lan", count=2, domain="retail")
    with rehearsal_process() as scripted, renaming_relay(scripted, ["phi-4"], DESK) as (url, _):
        port = url.removesuffix("/v1").rsplit(":", 1)[1]
        write_node(fresh_database, state("desk"), served(port))
        write_node(fresh_database, state("pi-4b"))
        written = write_plans(
            spec,
            lambda: plan_calls(spec, library),
            prompt=prompt_for(library),
            settings=lambda: SETTINGS,
            patience_seconds=0.0,
            checkpoint=Checkpoint(UPath(tmp_path)),
            delivered=None,
            on_endpoints=lambda _found: None,
            on_progress=lambda _progress: None,
            on_notice=lambda _reason: None,
            fleet=fleet(fresh_database),
        )
        origins = [call.provenance for call in written.conversations()]
    assert len(origins) == 2
    assert {(one.node, one.tier, one.endpoint) for one in origins if one} == {("desk", "network", url)}
