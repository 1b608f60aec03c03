"""Model servers on this machine: which are there, with which models, and how busy they are.

What the servers' pages mean is in endpoints_servers.py. Nothing is asked that would load a model.
"""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from node_agent.collectors.base import NoData
from node_agent.collectors.endpoints_pages import Pages
from node_agent.collectors.endpoints_servers import read_server
from node_agent.collectors.local_http import LocalServer, NobodyThere
from node_agent.report import ServedEndpoint, ServerKind

# Where the servers listen unless told otherwise; 8090 is where this project starts llama_cpp.server.
_USUAL_PORTS: Mapping[int, ServerKind] = {
    1234: "lm_studio",
    11434: "ollama",
    8000: "vllm",
    8080: "llama_server",
    8090: "llama_cpp_python",
}
_LOOPBACK = "127.0.0.1"
_LAST_PORT = 65_535
# For one page, and for all pages of one server.
_REQUEST_SECONDS = 2.0
_SERVER_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Found:
    endpoint: ServedEndpoint | None
    troubles: tuple[str, ...] = ()


class EndpointsCollector:
    """The section `endpoints`.

    Args:
        ports: The ports to look at, on this machine only.
        may_keep_awake: False leaves out how many calls a llama-server works on. Asking for it keeps one started with
            --sleep-idle-seconds from going to sleep (llama.cpp issue 20227).
        request_seconds: How long a server may take for one page.

    Raises:
        ValueError: A port is out of range.
    """

    name = "endpoints"
    timeout_seconds = _SERVER_SECONDS + 1.0

    def __init__(
        self,
        ports: Sequence[int] = tuple(_USUAL_PORTS),
        may_keep_awake: bool = True,
        request_seconds: float = _REQUEST_SECONDS,
    ) -> None:
        if wrong := [port for port in ports if not 0 < port <= _LAST_PORT]:
            raise ValueError(f"not a port: {', '.join(map(str, wrong))}")
        self._ports = tuple(dict.fromkeys(ports))
        self._may_keep_awake = may_keep_awake
        self._request_seconds = request_seconds
        self._told: tuple[str, ...] = ()

    def collect(self) -> tuple[ServedEndpoint, ...]:
        """The servers found, by the order of the ports; empty when there is none.

        Raises:
            NoData: No server could be read, but something listens that may be one.
        """
        if not self._ports:
            return ()
        with ThreadPoolExecutor(max_workers=len(self._ports), thread_name_prefix="endpoints") as pool:
            found = list(pool.map(self._look_at, self._ports))
        endpoints = tuple(each.endpoint for each in found if each.endpoint is not None)
        troubles = tuple(trouble for each in found for trouble in each.troubles)
        if troubles and not endpoints:
            raise NoData("; ".join(troubles))
        self._tell(troubles)
        return endpoints

    def _look_at(self, port: int) -> _Found:
        pages = Pages(LocalServer(_LOOPBACK, port, self._request_seconds, _SERVER_SECONDS).get, self._may_keep_awake)
        try:
            served = read_server(pages, _USUAL_PORTS.get(port, "unknown"))
        except NobodyThere:
            return _Found(None)
        troubles = tuple(f"port {port}: {trouble}" for trouble in pages.troubles)
        if served is None:
            return _Found(None, troubles)
        # The base address as clients of the OpenAI interface take it.
        url = f"http://{_LOOPBACK}:{port}/v1"
        endpoint = ServedEndpoint(url, served.kind, served.models, served.slots, served.slots_busy, served.queue_depth)
        return _Found(endpoint, troubles)

    def _tell(self, troubles: tuple[str, ...]) -> None:
        """Logs what is wrong beside the servers found, once as long as it stays the same."""
        if troubles and troubles != self._told:
            logger.warning("looking for model servers: %s", "; ".join(troubles))
        self._told = troubles
