"""Announcements become hints, and nothing but hints of a local network."""

import asyncio

import pytest

from node_agent.advertise import SERVICE_TYPE, advertised, service_info
from tip_resources.database.found_nodes import MOST_HINTS
from tip_resources.fleet.announced_nodes import Heard, announced_nodes, hint

PI = f"pi-4b.{SERVICE_TYPE}"


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        (["192.168.1.31"], "http://192.168.1.31:8765"),
        (["fe80::1", "10.0.0.7"], "http://10.0.0.7:8765"),
        (["fd00::7%eth0"], "http://[fd00::7]:8765"),
        (["8.8.8.8", "169.254.3.4"], "http://169.254.3.4:8765"),
    ],
)
def test_an_agent_of_the_local_network_is_a_hint(addresses: list[str], url: str) -> None:
    assert hint(PI, addresses, 8765) == (url, "pi-4b")


@pytest.mark.parametrize(
    ("service", "addresses", "port"),
    [
        (PI, ["8.8.8.8"], 8765),
        (PI, ["127.0.0.1", "::1", "0.0.0.0", "rubbish"], 8765),
        (PI, [], 8765),
        (PI, ["10.0.0.7"], 0),
        (PI, ["10.0.0.7"], None),
        (f"<b>pi</b>.{SERVICE_TYPE}", ["10.0.0.7"], 8765),
        (f"{'x' * 64}.{SERVICE_TYPE}", ["10.0.0.7"], 8765),
        (f"my pi.{SERVICE_TYPE}", ["10.0.0.7"], 8765),
    ],
)
def test_what_is_no_name_or_no_neighbour_is_none(service: str, addresses: list[str], port: int | None) -> None:
    assert hint(service, addresses, port) is None


def test_a_flood_of_announcements_is_cut_off() -> None:
    heard = Heard()
    for number in range(MOST_HINTS + 500):
        heard.add_service(None, SERVICE_TYPE, f"n-{number}.{SERVICE_TYPE}")
    assert len(heard.services) == MOST_HINTS
    heard.remove_service(None, SERVICE_TYPE, f"n-0.{SERVICE_TYPE}")
    heard.update_service(None, SERVICE_TYPE, PI)
    assert PI in heard.services


def test_an_announced_agent_is_found_on_the_network() -> None:
    pytest.importorskip("zeroconf", reason="the extra 'mdns' is not installed")

    async def scenario() -> dict[str, str]:
        found: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

        async def saw(names_by_url: dict[str, str]) -> None:
            if names_by_url and not found.done():
                found.set_result(names_by_url)

        async with advertised(service_info("pi-4b", ["10.0.0.7"], 8765), ["127.0.0.1"]):
            browsing = asyncio.create_task(announced_nodes(saw, 0.2, ["127.0.0.1"]))
            try:
                return await asyncio.wait_for(found, 50)
            finally:
                browsing.cancel()
                await asyncio.gather(browsing, return_exceptions=True)

    assert asyncio.run(scenario()) == {"http://10.0.0.7:8765": "pi-4b"}
