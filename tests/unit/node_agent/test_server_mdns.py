"""Promise of announcing the agent by mDNS, over real multicast on loopback; needs the extra `mdns`."""

import asyncio

import pytest

pytest.importorskip("zeroconf", reason="the extra 'mdns' is not installed")

from node_agent.advertise import SERVICE_TYPE, advertised, service_info

LOOPBACK = ["127.0.0.1"]


def test_an_announced_agent_is_found_with_its_address_and_nothing_about_the_machine() -> None:
    async def found() -> tuple[int | None, list[str], dict]:
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf  # pyright: ignore[reportMissingImports] - the extra mdns

        async with advertised(service_info("pi-4b", ["192.0.2.1"], 8765), LOOPBACK):
            seeker = AsyncZeroconf(interfaces=LOOPBACK)
            try:
                info = AsyncServiceInfo(SERVICE_TYPE, f"pi-4b.{SERVICE_TYPE}")
                assert await info.async_request(seeker.zeroconf, 10_000)
            finally:
                await seeker.async_close()
            return info.port, info.parsed_addresses(), dict(info.properties)

    assert asyncio.run(found()) == (8765, ["192.0.2.1"], {b"path": b"/v1/report"})
