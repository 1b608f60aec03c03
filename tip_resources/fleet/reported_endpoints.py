"""The model servers that agents report, as rows of the registry, at the addresses by which they are reached. Pure.

A report is input from outside: of what it says of a server only the port and the path are believed, never the host.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from node_agent.report import NodeReport, ServedEndpoint
from tip_resources.database.seen_endpoints import REPORTED, SeenEndpoint, SeenModel
from tip_resources.fleet.endpoint_nodes import host_of
from tip_resources.llm.addresses import shared_address, tier_of

Served: TypeAlias = tuple[ServedEndpoint, ...] | None
# There are five usual ports; a machine that reports hundreds errs or lies.
MOST_SERVERS = 16
_MOST_MODELS = 100
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_LOOPBACK = "127.0.0.1"


def served_by(report: NodeReport) -> Served:
    """The servers of a report without what changes all the time; None when it does not tell."""
    if report.endpoints is None:
        return None
    return tuple(
        ServedEndpoint(one.url, one.kind, one.models[:_MOST_MODELS], one.slots)
        for one in report.endpoints[:MOST_SERVERS]
    )


def seen_endpoints(
    node: str, served: tuple[ServedEndpoint, ...], agent_url: str, own_name: str
) -> Mapping[str, SeenEndpoint]:
    """The servers of one machine, by their shared address; those without a usable port and path are left out.

    Args:
        node: Its name.
        served: What it reported.
        agent_url: Where its agent is listed; empty for this machine.
        own_name: This machine's name.
    """
    host = _LOOPBACK if node == own_name else host_of(agent_url)
    if not host or (node != own_name and tier_of(f"http://{host}") == "local"):
        # A tunnel or a proxy to its agent says nothing of where its servers are reached.
        return {}
    found: dict[str, SeenEndpoint] = {}
    for one in served:
        if not (url := reached_at(one, f"[{host}]" if ":" in host else host)):
            continue
        address = shared_address(url, own_name)
        found[address] = SeenEndpoint(
            address=address,
            name=urlsplit(address).netloc,
            tier="local" if node == own_name else "network",
            state=REPORTED,
            details={"url": url, "kind": one.kind, "slots": one.slots},
            models=tuple(
                {
                    model.name: SeenModel(
                        name=model.name,
                        context_window_tokens=model.context_window_tokens,
                        is_loaded=model.is_loaded,
                    )
                    for model in one.models
                }.values()
            ),
            node=node,
        )
    return found


def reached_at(one: ServedEndpoint, host: str) -> str:
    """The address of a reported server at `host` (an IPv6 one in brackets); "" without a usable port and path."""
    try:
        parts = urlsplit(one.url)
        port, path = parts.port, parts.path.rstrip("/")
    except ValueError:  # a port beyond 65535
        return ""
    if not port or parts.scheme not in {"http", "https"} or not _PATH.fullmatch(path):
        return ""
    return f"{parts.scheme}://{host}:{port}{path or '/v1'}"
