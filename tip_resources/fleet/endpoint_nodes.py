"""Which machine of the fleet a model server runs on, from its address. Looking host names up is bounded and kept."""

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import psutil

from node_agent.identity import node_name
from tip_resources.settings.fleet_models import FleetNodeSettings

_KEEP_SECONDS = 60.0
_LOOK_UP_SECONDS = 2.0
_LOOKED_UP_AT_ONCE = 32
_HERE = frozenset({"127.0.0.1", "::1"})

Addresses = frozenset[str]
NOT_KNOWN: Addresses = frozenset()


def host_of(url: str) -> str:
    """The host of an address, lower case; "" when there is none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:  # brackets that hold no IPv6 address
        return ""


def is_plain_loopback(host: str) -> bool:
    """Whether a host is what every machine calls itself. The rest of 127.0.0.0/8 may stand for machines of its own."""
    return host in _HERE or host == "localhost" or host.endswith(".localhost")


def node_of(
    host: str,
    nodes: Sequence[FleetNodeSettings],
    *,
    own: str,
    own_addresses: Addresses,
    resolved: Mapping[str, Addresses],
) -> str:
    """The name of the machine at `host`; "" when it is none that is known. Pure.

    Args:
        host: Of a model server's address, lower case.
        nodes: The listed machines: their agents' addresses say where they are.
        own: This machine's name.
        own_addresses: Of this machine's network cards.
        resolved: IP addresses of host names, as far as they are known. A name that leads nowhere is no machine.
    """
    if is_plain_loopback(host) or host == own:
        return own
    if any(host == node.name for node in nodes):  # a shared address, as llm/addresses.py makes them
        return host
    hosts = [(node.name, listed) for node in nodes if not is_plain_loopback(listed := host_of(node.url))]
    for name, listed in hosts:
        if host == listed:
            return name
    addresses = _addresses(host, resolved)
    if addresses & own_addresses or any(ipaddress.ip_address(one).is_loopback for one in addresses):
        return own
    return next((name for name, listed in hosts if addresses & _addresses(listed, resolved)), "")


class EndpointNodes:
    """Which machines addresses belong to, under the settings of now. Threads may share one.

    Args:
        look_up: The IP addresses of a host name; none when it has none. May take long.
        steady: Seconds that never go back.
    """

    def __init__(
        self,
        look_up: Callable[[str], Addresses] | None = None,
        *,
        own: str | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up or _looked_up
        self._own = own or node_name()
        self._steady = steady
        self._known: dict[str, tuple[float, Addresses]] = {}
        self._lock = threading.Lock()

    @property
    def own(self) -> str:
        """This machine's name in the fleet."""
        return self._own

    def of(self, urls: Iterable[str], nodes: Sequence[FleetNodeSettings]) -> dict[str, str]:
        """The machine of each address, "" for an unknown one. Takes 2 s at most, whatever the name servers do.

        Names are looked up only where an address is not written as its machine's agent is, and are kept for a minute.
        """
        hosts = {url: host_of(url) for url in urls}
        listed = {host_of(node.url) for node in nodes}
        plain = {self._own, "", *listed, *(node.name for node in nodes)}
        strange = {host for host in hosts.values() if host not in plain and not is_plain_loopback(host)}
        resolved: Mapping[str, Addresses] = {}
        own_addresses: Addresses = NOT_KNOWN
        if strange:
            resolved = self._resolved({host for host in strange | listed if host and not is_plain_loopback(host)})
            own_addresses = _own_addresses()
        return {
            url: node_of(host, nodes, own=self._own, own_addresses=own_addresses, resolved=resolved)
            for url, host in hosts.items()
        }

    def _resolved(self, hosts: Iterable[str]) -> dict[str, Addresses]:
        names = {host for host in hosts if not _addresses(host, {})}
        with self._lock:
            now = self._steady()
            self._known = {name: (at, found) for name, (at, found) in self._known.items() if now - at < _KEEP_SECONDS}
            if unknown := names - self._known.keys():
                self._known |= {name: (now, found) for name, found in _all_looked_up(unknown, self._look_up).items()}
            return {name: self._known[name][1] for name in names}


def _addresses(host: str, resolved: Mapping[str, Addresses]) -> Addresses:
    try:
        return frozenset({str(ipaddress.ip_address(host))})
    except ValueError:
        return resolved.get(host, NOT_KNOWN)


def _all_looked_up(names: Iterable[str], look_up: Callable[[str], Addresses]) -> dict[str, Addresses]:
    """What could be learned of each within the time; nothing of those that took longer."""
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, Addresses]] = queue.SimpleQueue()
    found = dict.fromkeys(names, NOT_KNOWN)
    for name in found:
        todo.put(name)

    def work() -> None:
        while True:
            try:
                name = todo.get_nowait()
            except queue.Empty:
                return
            done.put((name, look_up(name)))

    # Daemon threads: a name server that is silent for 30 s must hold up neither us nor the end of the process.
    for number in range(min(len(found), _LOOKED_UP_AT_ONCE)):
        threading.Thread(target=work, name=f"look-up-{number}", daemon=True).start()
    until = time.monotonic() + _LOOK_UP_SECONDS
    for _ in range(len(found)):
        try:
            name, addresses = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[name] = addresses
    return found


def _looked_up(name: str) -> Addresses:
    try:
        return frozenset(str(found[4][0]) for found in socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP))
    except (OSError, UnicodeError):  # a label that is too long or empty
        return NOT_KNOWN


def _own_addresses() -> Addresses:
    kinds = (socket.AF_INET, socket.AF_INET6)
    return frozenset(
        address.address.split("%", maxsplit=1)[0]
        for card in psutil.net_if_addrs().values()
        for address in card
        if address.family in kinds
    )
