"""Tells the local network by mDNS where the agent is: a hint for finding it, never a proof of who it is."""

import importlib.util
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from zeroconf import ServiceInfo  # pyright: ignore[reportMissingImports] - the extra mdns

# At most 15 characters before the dot, or zeroconf refuses the name.
SERVICE_TYPE = "_tip-agent._tcp.local."


class CannotAdvertise(Exception):
    """Advertising was asked for and is not possible; the message says what to do."""


def check_can_advertise(host: str) -> None:
    """Find out before the agent starts.

    Raises:
        CannotAdvertise: zeroconf is not installed, or nobody else could reach the address.
    """
    if importlib.util.find_spec("zeroconf") is None:
        raise CannotAdvertise("--mdns needs the extra 'mdns', which is not installed: pip install './node_agent[mdns]'")
    if not addresses_of(host):
        raise CannotAdvertise(f"--mdns on {host} would announce what nobody reaches; give --host a LAN address")


def addresses_of(host: str) -> list[str]:
    """The addresses under which other machines reach a server bound to `host`, an IP address."""
    bound = ipaddress.ip_address(host)
    if not bound.is_unspecified:
        return [] if bound.is_loopback else [host]
    families = {socket.AF_INET} if bound.version == 4 else {socket.AF_INET, socket.AF_INET6}
    found = [
        entry.address.partition("%")[0]
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in families
    ]
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def service_info(node: str, addresses: list[str], port: int) -> "ServiceInfo":
    """What is announced: the name, the addresses, the port and the path. Nothing about the machine itself."""
    from zeroconf import ServiceInfo  # pyright: ignore[reportMissingImports] - the extra mdns

    return ServiceInfo(
        SERVICE_TYPE,
        f"{node}.{SERVICE_TYPE}",
        port=port,
        properties={"path": "/v1/report"},
        parsed_addresses=addresses,
        server=f"{node}.local.",
    )


@asynccontextmanager
async def advertised(info: "ServiceInfo", interfaces: list[str] | None = None) -> AsyncIterator[None]:
    """Announced while the context lasts.

    Args:
        info: From `service_info`.
        interfaces: Addresses of the interfaces to announce on; None takes all.
    """
    from zeroconf import InterfaceChoice  # pyright: ignore[reportMissingImports] - the extra mdns
    from zeroconf.asyncio import AsyncZeroconf  # pyright: ignore[reportMissingImports] - the extra mdns

    zeroconf = AsyncZeroconf(interfaces=interfaces or InterfaceChoice.All)
    try:
        # After a crash the old name may still be remembered in the network: the new one gets a number then.
        await (await zeroconf.async_register_service(info, allow_name_change=True))
        yield
    finally:
        await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()
