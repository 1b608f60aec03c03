"""Servers that machines of the fleet report, from a real database and over real HTTP.

Each machine is a loopback address of its own: 127.0.0.2 and so on, where its servers listen.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from node_agent.identity import node_name
from tests.unit.resources.fleet.fleet_rows import served, state, write_node
from tests.unit.resources.llm.scripted_server import ScriptedServer
from tip_resources.fleet.fleet_servers import FleetServers
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.llm.endpoints import Examined, NoEndpoint, examine_endpoints, resolve_endpoints
from tip_resources.llm.types import Endpoint
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings

DESK, PI = "127.0.0.2", "127.0.0.3"
NODES = (
    FleetNodeSettings(name="desk", url=f"http://{DESK}:8765"),
    FleetNodeSettings(name="pi-4b", url=f"http://{PI}:8765"),
)


def settings(
    *endpoints: EndpointSettings, nodes: Sequence[FleetNodeSettings] = NODES, localhost: bool = False
) -> Settings:
    return Settings(
        models=ModelSettings(endpoints=endpoints, probe_localhost=localhost), fleet=FleetSettings(nodes=tuple(nodes))
    )


def fleet(database: Engine, given: Settings) -> FleetServers:
    return FleetServers(KnownFleet(database, lambda: given), database)


async def examined(database: Engine, given: Settings | None = None, **options: Any) -> list[Examined]:
    given = given or settings()
    asked: dict[str, Any] = {"tier": None, "environ": {}, "rehearsal": False, **options}
    return await examine_endpoints(
        given, domain=None, role=None, model=None, fleet=fleet(database, given), local_servers=(), **asked
    )


async def resolved(database: Engine, given: Settings | None = None, **options: Any) -> list[Endpoint]:
    given = given or settings()
    asked: dict[str, Any] = {"environ": {}, "fleet": fleet(database, given), **options}
    return await resolve_endpoints(given, domain="retail", local_servers=(), **asked)


def test_a_server_that_a_machine_reports_is_used_where_its_agent_is_listed(fresh_database: Engine) -> None:
    async def scenario() -> list[Endpoint]:
        async with ScriptedServer(host=DESK) as server:
            # Whatever host the report names: only the listed one is asked.
            write_node(fresh_database, state("desk"), served(server.port, host="10.66.66.66"))
            return await resolved(fresh_database)

    (endpoint,) = asyncio.run(scenario())
    assert endpoint.url.startswith(f"http://{DESK}:")
    assert (endpoint.tier, endpoint.node, endpoint.model) == ("network", "desk", "phi-4")
    assert endpoint.name == endpoint.url.removesuffix("/v1").replace(f"http://{DESK}", "desk")


@pytest.mark.parametrize(
    ("kind", "mend"),
    [
        ("lm_studio", 'Developer > "Serve on Local Network"'),
        ("ollama", "OLLAMA_HOST=0.0.0.0"),
        ("llama_server", "--host 0.0.0.0"),
        ("vllm", "without --host 127.0.0.1"),
        ("unknown", "let it listen on 0.0.0.0"),
    ],
)
def test_a_server_that_answers_its_own_machine_alone_says_how_to_open_it(
    kind: Any, mend: str, fresh_database: Engine
) -> None:
    async def scenario() -> list[Examined]:
        async with ScriptedServer() as server:  # at 127.0.0.1, not at the machine's address
            write_node(fresh_database, state("desk"), served(server.port, kind))
            return await examined(fresh_database)

    (one,) = asyncio.run(scenario())
    assert one.endpoint is None
    assert "nobody answers" in one.reason
    assert "desk reports it" in one.reason
    assert mend in one.reason


def test_the_settings_own_endpoint_counts_before_what_its_machine_reports(fresh_database: Engine) -> None:
    async def scenario() -> list[Endpoint]:
        async with ScriptedServer(host=DESK) as server:
            write_node(fresh_database, state("desk"), served(server.port))
            mine = EndpointSettings(url=server.url, name="mine", concurrency=3)
            return await resolved(fresh_database, settings(mine))

    (endpoint,) = asyncio.run(scenario())
    assert (endpoint.name, endpoint.most_at_once, endpoint.node) == ("mine", 3, "desk")


def test_a_machine_in_use_is_waited_for_and_those_that_work_come_first(fresh_database: Engine) -> None:
    async def scenario() -> tuple[list[Examined], list[Endpoint], list[Endpoint]]:
        async with ScriptedServer(host=DESK) as desk, ScriptedServer(host=PI) as pi:
            write_node(fresh_database, state("desk", "in_use", "a game"), served(desk.port))
            write_node(fresh_database, state("pi-4b"), served(pi.port))
            return (
                await examined(fresh_database),
                await resolved(fresh_database),
                await resolved(fresh_database, waits=False),
            )

    asked, waiting, at_once = asyncio.run(scenario())
    held = {one.candidate.node: one.held for one in asked}
    assert held["desk"].startswith("desk is in_use: a game (for ")
    assert held["pi-4b"] == ""
    assert [endpoint.node for endpoint in waiting] == ["pi-4b", "desk"]
    assert [endpoint.node for endpoint in at_once] == ["pi-4b"]


def test_who_cannot_wait_is_told_why_nobody_is_left(fresh_database: Engine) -> None:
    async def scenario() -> None:
        async with ScriptedServer(host=DESK) as desk:
            write_node(fresh_database, state("desk", "hot", "GPU 0 at 88 C"), served(desk.port))
            await resolved(fresh_database, waits=False)

    with pytest.raises(NoEndpoint, match="desk is hot: GPU 0 at 88 C"):
        asyncio.run(scenario())


def test_of_a_lost_machine_the_reason_is_said_and_nobody_is_asked(fresh_database: Engine) -> None:
    async def scenario() -> tuple[list[Examined], int]:
        async with ScriptedServer(host=DESK) as desk:
            write_node(fresh_database, state("desk"), served(desk.port))
            with fresh_database.begin() as connection:
                connection.execute(text("UPDATE tip.nodes SET state_written_at = now() - interval '1 h'"))
            return await examined(fresh_database), len(desk.paths)

    (one,), asked = asyncio.run(scenario())
    assert one.reason.startswith("desk is lost: nothing is known of it for 60 min")
    assert asked == 0


def test_a_scripted_server_on_another_machine_is_used_only_when_it_is_asked_for(fresh_database: Engine) -> None:
    async def scenario() -> list[Endpoint]:
        async with ScriptedServer(host=DESK, models={"data": [{"id": "rehearsal", "owned_by": "tip"}]}) as desk:
            write_node(fresh_database, state("desk", "in_use", "a game"), served(desk.port))
            with pytest.raises(NoEndpoint, match="only with --rehearsal"):
                await resolved(fresh_database)
            # Scripted calls cost the machine nothing: nobody waits for it.
            return await resolved(fresh_database, rehearsal=True, waits=False)

    (endpoint,) = asyncio.run(scenario())
    assert endpoint.scripted


@pytest.mark.parametrize(("tier", "is_asked"), [(None, True), ("network", True), ("local", False), ("openai", False)])
def test_the_fleets_servers_are_of_the_tier_network(tier: Any, is_asked: bool, fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"), served(9))
    assert bool(asyncio.run(examined(fresh_database, tier=tier))) is is_asked


def test_who_names_a_server_in_the_environment_gets_no_other(fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"), served(9))
    (one,) = asyncio.run(examined(fresh_database, environ={"TIP_LLM_URL": "http://127.0.0.1:9/v1"}))
    assert (one.candidate.is_reported, one.candidate.node) == (False, node_name())


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:0/v1", "http://127.0.0.1:99999/v1", "http://127.0.0.1/v1", "http://127.0.0.1:9/v1/%2e%2e/x y"],
)
def test_a_reported_address_without_a_usable_port_and_path_is_none(url: str, fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"), served(9))
    with fresh_database.begin() as connection:
        change = (
            "UPDATE tip.nodes SET newest_report = jsonb_set(newest_report, '{endpoints,0,url}', to_jsonb(:url ::text))"
        )
        connection.execute(text(change), {"url": url})
    (one,) = asyncio.run(examined(fresh_database))
    assert one.reason == "it reports a server without a usable port and path."


def test_what_cannot_be_read_of_a_report_is_said_and_the_other_machines_count(fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"), served(9))
    write_node(fresh_database, state("pi-4b"), served(9))
    with fresh_database.begin() as connection:
        change = (
            "UPDATE tip.nodes SET newest_report = jsonb_set(newest_report, '{endpoints}', '[7]') WHERE name = 'desk'"
        )
        connection.execute(text(change))
    desk, pi = asyncio.run(examined(fresh_database))
    assert desk.reason.startswith("what it reported of its servers cannot be read: ")
    assert pi.candidate.url == f"http://{PI}:9/v1"


def test_a_machine_behind_a_tunnel_tells_nothing_of_where_its_servers_are(fresh_database: Engine) -> None:
    write_node(fresh_database, state("attic"), served(1234))
    tunnel = FleetNodeSettings(name="attic", url="http://127.0.0.1:9765")
    (one,) = asyncio.run(examined(fresh_database, settings(nodes=(tunnel,))))
    assert "Name them in models.endpoints" in one.reason


def test_a_report_of_a_thousand_servers_costs_a_bounded_number_of_questions(fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"), *(served(port) for port in range(20_000, 21_000)))
    found = fleet(fresh_database, settings()).look().servers
    assert len(found) == 17
    assert found[-1].obstacle == "it reports 984 servers more than the 16 that are looked at."


def test_a_machine_that_is_not_listed_any_more_has_no_servers(fresh_database: Engine) -> None:
    write_node(fresh_database, state("desk"), served(9))
    assert asyncio.run(examined(fresh_database, settings(nodes=()))) == []


def test_without_a_database_the_local_servers_count_and_it_is_said(fresh_database: Engine) -> None:
    broken = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/none")

    async def scenario() -> tuple[list[Examined], list[Endpoint]]:
        async with ScriptedServer() as server:
            given = settings(EndpointSettings(url=server.url, name="mine"))
            return await examined(broken, given), await resolved(broken, given)

    (mine, missing), (endpoint,) = asyncio.run(scenario())
    assert mine.endpoint == endpoint
    assert endpoint.node == node_name()
    assert missing.reason.startswith(
        "the database cannot be asked, so servers that the fleet's machines report are not"
    )
