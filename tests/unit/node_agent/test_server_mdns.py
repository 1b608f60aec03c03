"""Promise of announcing the agent by mDNS, over real multicast on loopback; needs the extra `mdns`."""

import asyncio

import pytest

pytest.importorskip("zeroconf", reason="the extra 'mdns' is not installed")

from node_agent.advertise import SERVICE_TYPE, advertised, service_info

LOOPBACK = ["127.0.0.1"]


def test_an_announced_agent_is_found_and_one_of_the_same_name_gets_another() -> None:
    async def found() -> tuple[str, int | None, list[str], dict]:
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        first, second = service_info("pi-4b", ["192.0.2.1"], 8765), service_info("pi-4b", ["192.0.2.2"], 8766)
        async with advertised(first, LOOPBACK), advertised(second, LOOPBACK):
            seeker = AsyncZeroconf(interfaces=LOOPBACK)
            try:
                info = AsyncServiceInfo(SERVICE_TYPE, f"pi-4b.{SERVICE_TYPE}")
                assert await info.async_request(seeker.zeroconf, 10_000)
            finally:
                await seeker.async_close()
            return second.name, info.port, info.parsed_addresses(), dict(info.properties)

    second_name, port, addresses, properties = asyncio.run(found())
    assert (port, addresses, properties) == (8765, ["192.0.2.1"], {b"path": b"/v1/report"})
    assert second_name == f"pi-4b-2.{SERVICE_TYPE}"
