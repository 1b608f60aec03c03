"""Ports at which nobody, something else or a sick server listens: never an error, and the reason is said."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from node_agent.collectors import local_http
from node_agent.collectors.base import NoData
from node_agent.collectors.endpoints import EndpointsCollector
from tests.unit.node_agent.collectors.endpoints_recordings import Page, closed_port, listening, serving

GOOD = {"/v1/models": Page({"object": "list", "data": [{"id": "m", "owned_by": "me"}]})}
QUICK = 0.3


def collector(*ports: int) -> EndpointsCollector:
    return EndpointsCollector(ports, request_seconds=QUICK)


def hang(connection: socket.socket, stop: threading.Event) -> None:
    connection.recv(4096)
    stop.wait()


def drip_headers(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not stop.wait(QUICK / 6):
        connection.sendall(b"a")


def drip_body(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500000\r\n\r\n")
    while not stop.wait(QUICK / 6):
        connection.sendall(b" ")


def flood(connection: socket.socket, stop: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[")
    while not stop.is_set():
        connection.sendall(b"0," * 50_000)


def babble(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\x00\xff\xfe")


def hang_up(connection: socket.socket, stop: threading.Event) -> None:
    connection.recv(4096)


def stop_halfway(connection: socket.socket, stop: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"data": [')


def test_nobody_at_any_port_is_no_endpoint_and_no_error() -> None:
    assert collector(closed_port(), closed_port()).collect() == ()
    assert collector().collect() == ()


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (hang, "did not come within"),
        (drip_headers, "did not come within"),
        (drip_body, "did not come within"),
        (flood, "longer than 1000000 bytes"),
        (babble, "not HTTP"),
        (hang_up, "not HTTP"),
        (stop_halfway, "not JSON"),
    ],
)
def test_a_sick_server_is_said_in_the_reason(
    talk: Callable[[socket.socket, threading.Event], None], reason: str
) -> None:
    with listening(talk) as port, pytest.raises(NoData) as why:
        collector(port).collect()
    assert reason in str(why.value)
    assert f"port {port}" in str(why.value)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(b"\xff\xfe{garbage"), "not JSON"),
        (Page("[" * 500_000), "not JSON"),
        (Page("1" * 5_000), "not JSON"),
        (Page({"error": "Unauthorized"}, status=401), "wants a key"),
        (Page({"error": {"message": "Loading model", "code": 503}}, status=503), "loads a model"),
        (Page("oops", status=500, content_type="text/plain"), "status 500"),
    ],
)
def test_an_answer_that_may_be_a_model_server_is_said_in_the_reason(page: Page, reason: str) -> None:
    with serving({"/v1/models": page}) as running, pytest.raises(NoData, match=reason):
        collector(running.port).collect()


@pytest.mark.parametrize(
    "page",
    [
        Page("<html>Not found</html>", 404, "text/html"),
        Page("<!doctype html><title>Some web program</title>", 200, "text/html; charset=utf-8"),
        Page("<html>Log in</html>", 403, "text/html"),
        Page("", 302, "text/plain"),
        Page({"status": "ok"}),
        Page({"data": {"not": "a list"}}),
        Page([1, 2]),
        Page("null"),
    ],
)
def test_another_web_server_is_no_model_server(page: Page) -> None:
    with serving({}, otherwise=page) as running:
        assert collector(running.port).collect() == ()
    assert running.asked == ["/v1/models"]


def test_a_sick_server_does_not_hide_a_good_one_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    with serving(GOOD) as good, listening(hang) as sick:
        both = collector(sick, good.port)
        for _ in range(2):
            assert [endpoint.url for endpoint in both.collect()] == [f"http://127.0.0.1:{good.port}/v1"]
    assert [record.message for record in caplog.records] == [
        f"looking for model servers: port {sick}: /v1/models did not come within {QUICK} s"
    ]


def test_a_server_whose_other_pages_fail_is_still_listed_and_waited_for_once() -> None:
    asked: list[bytes] = []

    def talk(connection: socket.socket, stop: threading.Event) -> None:
        path = connection.recv(4096).split()[1]
        asked.append(path)
        if path != b"/v1/models":
            stop.wait()
        body = b'{"data": [{"id": "gemma", "owned_by": "llamacpp"}]}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + body)

    with listening(talk) as port:
        (endpoint,) = collector(port).collect()
    assert endpoint.kind == "llama_server"
    assert endpoint.models[0].name == "gemma"
    assert endpoint.slots_busy is None
    assert asked == [b"/v1/models", b"/props"]


def test_ports_are_asked_side_by_side() -> None:
    meeting = threading.Barrier(3)

    def talk(connection: socket.socket, stop: threading.Event) -> None:
        connection.recv(4096)
        meeting.wait(timeout=20)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"data": [{"owned_by": "me"}]}')

    with listening(talk) as first, listening(talk) as second, listening(talk) as third:
        endpoints = EndpointsCollector((first, second, third), request_seconds=20).collect()
    assert len(endpoints) == 3


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    with serving(GOOD) as running:
        assert len(collector(running.port).collect()) == 1


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose server takes no calls any more, so that the next caller waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as waiting:
        for _ in range(3):
            caller = waiting.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_a_server_that_takes_no_calls_is_said_in_the_reason(full_port: int) -> None:
    with pytest.raises(NoData, match="did not come within"):
        collector(full_port).collect()


def test_on_windows_a_closed_port_waits_and_is_nobody(full_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_http, "_CLOSED_PORTS_WAIT", True)
    assert collector(full_port).collect() == ()


def test_a_redirect_is_not_followed_off_the_machine() -> None:
    def talk(connection: socket.socket, stop: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/v1/models\r\nContent-Length: 0\r\n\r\n")

    with listening(talk) as port:
        assert collector(port).collect() == ()


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match=str(port)):
        EndpointsCollector((port,))


@pytest.mark.parametrize("port", [1234, 11434, 8000, 8080, 8090])
def test_the_usual_ports_are_looked_at_by_default(port: int) -> None:
    try:
        with serving(GOOD, port=port):
            endpoints = EndpointsCollector().collect()
    except OSError as error:
        pytest.skip(f"port {port} is taken on this machine: {error.strerror}")
    assert f"http://127.0.0.1:{port}/v1" in [endpoint.url for endpoint in endpoints]
