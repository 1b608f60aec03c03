"""Where reported model servers are, whatever a report claims; and whose an address is."""

import pytest

from node_agent.report import ServedEndpoint, ServedModel
from tip_resources.fleet.reported_endpoints import seen_endpoints


def server(url: str) -> ServedEndpoint:
    return ServedEndpoint(url, "ollama", (ServedModel("phi-4", True, 8192), ServedModel("phi-4")))


@pytest.mark.parametrize(
    ("agent", "reported", "reached"),
    [
        ("http://10.0.0.7:8765", "http://127.0.0.1:1234/v1", "http://10.0.0.7:1234/v1"),
        ("http://10.0.0.7:8765", "http://bank.example:1234/v1/", "http://10.0.0.7:1234/v1"),
        ("https://Pi-4b.lan:8765", "http://localhost:11434", "http://pi-4b.lan:11434/v1"),
        ("http://[fd00::7]:8765", "http://[::1]:8000/v1", "http://[fd00::7]:8000/v1"),
    ],
)
def test_a_server_is_reached_at_its_machines_host_whatever_host_was_reported(
    agent: str, reported: str, reached: str
) -> None:
    ((address, seen),) = seen_endpoints("pi-4b", (server(reported),), agent, "here").items()
    assert (address, seen.details["url"], seen.tier, seen.node) == (reached, reached, "network", "pi-4b")
    assert [model.name for model in seen.models] == ["phi-4"]


@pytest.mark.parametrize(
    "reported",
    [
        "http://127.0.0.1/v1",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:1234/../../admin",
        "http://127.0.0.1:1234/v1 HTTP/1.1",
        "ftp://127.0.0.1:21/v1",
    ],
)
def test_a_server_without_a_usable_port_and_path_is_left_out(reported: str) -> None:
    assert seen_endpoints("pi-4b", (server(reported),), "http://10.0.0.7:8765", "here") == {}


def test_a_tunnel_to_an_agent_says_nothing_of_where_its_servers_are() -> None:
    served = (server("http://127.0.0.1:1234/v1"),)
    assert seen_endpoints("pi-4b", served, "http://127.0.0.1:8765", "here") == {}
    ((address, own),) = seen_endpoints("here", served, "", "here").items()
    assert (address, own.details["url"], own.tier) == ("http://here:1234/v1", "http://127.0.0.1:1234/v1", "local")
