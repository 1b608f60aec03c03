"""The servers of the fleet's machines as candidates, beside those of the settings and of this machine. Pure.

Which servers machines report is read in tip_resources/fleet/fleet_servers.py.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from node_agent.report import ServerKind
from tip_resources.domain.provenance import Tier
from tip_resources.llm.candidates import Candidate, named_apart
from tip_resources.settings.environment import LLM_URL

if TYPE_CHECKING:
    from tip_resources.fleet.fleet_servers import FleetLook, NodeServer

_PRODUCTS: Mapping[ServerKind, str] = {
    "lm_studio": "LM Studio",
    "ollama": "Ollama",
    "vllm": "vLLM",
    "llama_server": "llama-server",
    "llama_cpp_python": "llama.cpp",
}
# What to do on a machine whose server answers its own people only.
_OPEN_TO_OTHERS: Mapping[str, str] = {
    "LM Studio": 'in LM Studio switch on Developer > "Serve on Local Network"',
    "Ollama": "start Ollama with OLLAMA_HOST=0.0.0.0",
    "vLLM": "start vLLM without --host 127.0.0.1 (by default it listens to all)",
    "llama-server": "start llama-server with --host 0.0.0.0",
}
_NO_FLEET = "(the fleet)"


def with_fleet(
    found: Sequence[Candidate],
    nodes: Mapping[str, str],
    look: "FleetLook | None",
    *,
    own: str,
    tier: Tier | None,
    environ: Mapping[str, str],
) -> list[Candidate]:
    """All candidates, each with its machine: those of `found` and, after them, what the machines report besides.

    A server that `found` has already is left to it: its settings count. As with the usual local ports, nothing is
    added where TIP_LLM_URL names a server.

    Args:
        found: Candidates of the settings and this machine.
        nodes: The machine of each of their addresses.
        look: The fleet; None adds nothing.
        own: This machine's name.
        tier: That was asked for.
        environ: The environment.
    """
    placed = [msgspec.structs.replace(one, node=nodes.get(one.url, "")) for one in found]
    if look is None or environ.get(LLM_URL, "").strip():
        return placed
    known = {(one.node, _port(one.url)) for one in placed if one.node} | {("", one.url) for one in placed}
    added = [
        candidate
        for server in look.servers
        if (server.node, _port(server.url)) not in known and ("", server.url) not in known
        if tier in (None, (candidate := _candidate(server, own)).tier)
    ]
    if look.trouble and tier in (None, "network"):
        added.append(Candidate(url=_NO_FLEET, name="fleet", tier="network", obstacle=look.trouble))
    return named_apart([*placed, *added])


def why_unreachable(candidate: Candidate, detail: str) -> str:
    """Why a server that its machine reports gives no answer, and what to do there."""
    way = _OPEN_TO_OTHERS.get(candidate.product, "let it listen on 0.0.0.0")
    return (
        f"{detail} {candidate.node} reports it, so it runs but answers that machine alone, or a firewall is between: "
        f"{way} there."
    )


def _candidate(server: "NodeServer", own: str) -> Candidate:
    port = _port(server.url)
    return Candidate(
        url=server.url,
        name=server.node if port is None or server.obstacle else f"{server.node}:{port}",
        tier="local" if server.node == own else "network",
        product=_PRODUCTS.get(server.kind, ""),
        node=server.node,
        is_reported=True,
        obstacle=server.obstacle,
    )


def _port(url: str) -> int | None:
    try:
        parts = urlsplit(url)
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
