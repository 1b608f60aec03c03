"""Which machine a model server belongs to, by its address."""

import threading
from collections.abc import Iterator

import pytest

from tip_resources.fleet import endpoint_nodes
from tip_resources.fleet.endpoint_nodes import Addresses, EndpointNodes, node_of
from tip_resources.settings.fleet_models import FleetNodeSettings

DESK = FleetNodeSettings(name="desk", url="http://192.168.1.20:8765")
PI = FleetNodeSettings(name="pi-4b", url="http://pi-4b.lan:8765")
TUNNEL = FleetNodeSettings(name="attic", url="http://127.0.0.1:9765")
NODES = (DESK, PI, TUNNEL)
RESOLVED = {
    "pi-4b.lan": frozenset({"192.168.1.31"}),
    "games.lan": frozenset({"fd00::7", "192.168.1.20"}),
    "me.lan": frozenset({"127.0.1.1"}),
}


def placed(host: str) -> str:
    return node_of(host, NODES, own="here", own_addresses=frozenset({"192.168.1.5"}), resolved=RESOLVED)


@pytest.mark.parametrize(
    ("host", "node"),
    [
        ("127.0.0.1", "here"),
        ("localhost", "here"),
        ("::1", "here"),
        ("192.168.1.5", "here"),
        ("me.lan", "here"),
        ("127.0.0.9", "here"),
        ("192.168.1.20", "desk"),
        ("games.lan", "desk"),
        ("desk", "desk"),
        ("here", "here"),
        ("pi-4b.lan", "pi-4b"),
        ("192.168.1.31", "pi-4b"),
        ("192.168.1.99", ""),
        ("nowhere.lan", ""),
        ("api.openai.com", ""),
        ("", ""),
    ],
)
def test_a_server_belongs_to_the_machine_whose_agent_has_its_address(host: str, node: str) -> None:
    assert placed(host) == node


def test_the_tunnel_to_another_machines_agent_does_not_make_our_own_servers_its() -> None:
    assert EndpointNodes(own="here").of(["http://localhost:1234/v1"], (TUNNEL,)) == {"http://localhost:1234/v1": "here"}


class NameServer:
    """Answers from a table, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, name: str) -> Addresses:
        self.asked.append(name)
        return RESOLVED.get(name, frozenset())


def test_names_are_looked_up_only_where_it_is_needed_and_kept_for_a_minute() -> None:
    server, seconds = NameServer(), [100.0]
    nodes = EndpointNodes(server, own="here", steady=lambda: seconds[0])
    assert (
        nodes.of(["http://pi-4b.lan:1234/v1", "http://127.0.0.1:1234/v1"], NODES)["http://pi-4b.lan:1234/v1"] == "pi-4b"
    )
    assert server.asked == []
    for _ in range(2):
        assert nodes.of(["http://games.lan:1234/v1"], NODES) == {"http://games.lan:1234/v1": "desk"}
    assert sorted(server.asked) == ["games.lan", "pi-4b.lan"]
    seconds[0] += 61
    nodes.of(["http://games.lan:1234/v1"], NODES)
    assert sorted(server.asked) == ["games.lan", "games.lan", "pi-4b.lan", "pi-4b.lan"]


@pytest.fixture
def silence() -> Iterator[threading.Event]:
    over = threading.Event()
    yield over
    over.set()


def test_a_silent_name_server_leaves_its_name_unknown_and_the_others_known(
    silence: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_nodes, "_LOOK_UP_SECONDS", 0.2)

    def look_up(name: str) -> Addresses:
        if name == "silent.lan":
            silence.wait()
        return RESOLVED.get(name, frozenset())

    found = EndpointNodes(look_up, own="here").of(["http://silent.lan/v1", "http://games.lan/v1"], NODES)
    assert found == {"http://silent.lan/v1": "", "http://games.lan/v1": "desk"}
