"""Agents that announce themselves by mDNS: hints of whom one could list. Checked, bounded, never asked, never trusted.

Announcing is in node_agent/advertise.py. Without zeroconf (the extra mdns) nothing is found.
"""

import asyncio
import importlib.util
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from node_agent.advertise import SERVICE_TYPE
from tip_resources.database.found_nodes import MOST_HINTS
from tip_resources.settings.fleet_models import is_node_name

_logger = logging.getLogger(__name__)
_ASK_MS = 3000
_ASKED_AT_ONCE = 16


class Heard:
    """The names of services that are announced now, a thousand at most. Called from zeroconf's thread."""

    def __init__(self) -> None:
        self.services: dict[str, None] = {}

    def add_service(self, _zeroconf: Any, _kind: str, service: str) -> None:
        """One is announced."""
        if len(self.services) < MOST_HINTS:
            self.services[service] = None

    def update_service(self, zeroconf: Any, kind: str, service: str) -> None:
        """One is announced anew."""
        self.add_service(zeroconf, kind, service)

    def remove_service(self, _zeroconf: Any, _kind: str, service: str) -> None:
        """One said goodbye; what is known of it grows old."""
        self.services.pop(service, None)


async def announced_nodes(
    saw: Callable[[dict[str, str]], Awaitable[None]],
    every_seconds: float,
    interfaces: Sequence[str] | None = None,
) -> None:
    """Tells `saw` every so often who is announced, names by URL, until it is cancelled.

    Args:
        saw: Is told.
        every_seconds: How often.
        interfaces: Addresses of the interfaces to listen on; None takes all.
    """
    if importlib.util.find_spec("zeroconf") is None:
        _logger.debug("agents that announce themselves are not looked for: the extra mdns is not installed")
        return
    from zeroconf import InterfaceChoice  # pyright: ignore[reportMissingImports] - the extra mdns
    from zeroconf.asyncio import (  # pyright: ignore[reportMissingImports] - the extra mdns
        AsyncServiceBrowser,
        AsyncZeroconf,
    )

    try:
        zeroconf = AsyncZeroconf(interfaces=list(interfaces) if interfaces else InterfaceChoice.All)
    except OSError as error:  # no network card, or no multicast
        _logger.warning("agents that announce themselves cannot be found: %s", error)
        return
    heard: Any = Heard()  # what zeroconf calls a listener; its own class may not be there to inherit from
    browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, listener=heard)
    try:
        while True:
            await saw(await _resolved(zeroconf, list(heard.services)))
            await asyncio.sleep(every_seconds)
    finally:
        await browser.async_cancel()
        await zeroconf.async_close()


async def _resolved(zeroconf: Any, services: Sequence[str]) -> dict[str, str]:
    turns = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def one(service: str) -> tuple[str, str] | None:
        from zeroconf import Error  # pyright: ignore[reportMissingImports] - the extra mdns

        async with turns:
            try:
                info = await zeroconf.async_get_service_info(SERVICE_TYPE, service, _ASK_MS)
            except Error:  # a name that breaks the rules; the next one may be in order
                return None
        return None if info is None else hint(service, info.parsed_addresses(), info.port)

    found = await asyncio.gather(*(one(service) for service in services))
    return dict([pair for pair in found if pair is not None])


def hint(service: str, addresses: Sequence[str], port: int | None) -> tuple[str, str] | None:
    """URL and name of an announcement; None when it names no host of a local network, or is no name of ours. Pure.

    Args:
        service: Its full name, such as "pi-4b._tip-agent._tcp.local.". After a crash an agent may be "pi-4b-2".
        addresses: By its own words, in the order of preference.
        port: By its own words.
    """
    name = service.removesuffix(f".{SERVICE_TYPE}").lower()
    near = [found for text in addresses if (found := _near(text)) is not None]
    if not is_node_name(name) or not near or port is None or not 0 < port <= 65_535:
        return None
    chosen = min(near, key=lambda address: address.version)
    host = f"[{chosen}]" if chosen.version == 6 else str(chosen)
    return f"http://{host}:{port}", name


def _near(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address, when it is of a local network and another machine could be there."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    is_near = address.is_private or address.is_link_local
    return address if is_near and not (address.is_loopback or address.is_unspecified or address.is_multicast) else None
