"""Promises of the agent over HTTP, on a real port: bounded, whatever its clients do."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from node_agent.connections import Bounds
from node_agent.listening import listening_socket
from node_agent.metrics import CONTENT_TYPE
from node_agent.openapi import openapi_document
from node_agent.report import NodeReport
from node_agent.reporter import Reporter
from node_agent.server import create_app, http_server
from tests.unit.node_agent.parts import HOST, FromFunction, Held

PLENTY = Bounds(connections=8, seconds=30.0)
START = b"GET /healthz HTTP/1.1\r\nHost: a\r\n"


@contextmanager
def served(reporter: Reporter, bounds: Bounds = PLENTY) -> Iterator[int]:
    """The port of a running agent."""
    with listening_socket("127.0.0.1", 0) as opened:
        server = http_server(create_app(reporter), bounds)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]})
        port = opened.getsockname()[1]
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def get(port: int, path: str, method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={"Connection": "close"})
    return connection.getresponse()


def instant(keep_seconds: float = 0.0) -> Reporter:
    return Reporter([FromFunction("host", lambda: HOST)], keep_seconds=keep_seconds)


def slow_client(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    client.sendall(START)
    return client


def test_the_four_addresses_answer() -> None:
    with served(instant()) as port:
        report = get(port, "/v1/report")
        assert (report.status, report.headers["content-type"], report.headers["age"]) == (200, "application/json", "0")
        assert json.loads(report.read())["host"]["board"] == "Raspberry Pi 5"
        metrics = get(port, "/metrics")
        assert metrics.headers["content-type"] == CONTENT_TYPE
        assert b"\ntip_node_cores 4.0\n" in metrics.read()
        assert get(port, "/healthz").read() == b"ok\n"
        assert json.loads(get(port, "/openapi.json").read()) == openapi_document()


def test_there_is_nothing_to_write_and_nothing_else_to_read() -> None:
    with served(instant()) as port:
        assert [get(port, "/v1/report", method).status for method in ("POST", "PUT", "DELETE")] == [405] * 3
        assert get(port, "/etc/passwd").status == 404


def test_many_clients_get_one_measurement() -> None:
    with served(instant(keep_seconds=3600.0)) as port:
        sequences = {json.loads(get(port, "/v1/report").read())["sequence"] for _ in range(20)}
    assert sequences == {1}


@pytest.mark.parametrize("count", [2, 3, 20])
def test_clients_that_trickle_their_request_do_not_lock_the_others_out(count: int) -> None:
    with served(instant(), Bounds(connections=2, seconds=3600.0)) as port:
        slow = [slow_client(port) for _ in range(count)]
        assert get(port, "/healthz").read() == b"ok\n"
        for client in slow:
            client.close()


def test_a_request_that_does_not_end_is_cut_off_at_its_time() -> None:
    with served(instant(), Bounds(connections=8, seconds=0.2)) as port, slow_client(port) as client:
        assert ended(client)


def test_a_client_that_reads_nothing_is_cut_off_at_its_time() -> None:
    with served(instant(), Bounds(connections=8, seconds=0.2)) as port:
        client = socket.create_connection(("127.0.0.1", port), timeout=30)
        with client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            request = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
            assert cut_off_while_sending(client, request)


def cut_off_while_sending(client: socket.socket, request: bytes) -> bool:
    try:
        for _ in range(1_000_000):
            client.sendall(request)
    except ConnectionError:
        return True
    return False


def ended(client: socket.socket) -> bool:
    """Whether the other side closes; waiting for one that does not ends in an error."""
    try:
        return client.recv(65536) == b""
    except ConnectionError:
        return True


class TellsOfAsking(Reporter):
    """Lets a test wait until requests are being answered: each asks for the kept report, and so does the measuring."""

    def __init__(self, held: Held) -> None:
        super().__init__([held], wait_seconds=30.0)
        self.asked = threading.Semaphore(0)

    def kept(self) -> tuple[NodeReport, float] | None:
        self.asked.release()
        return super().kept()


def test_when_all_are_being_answered_one_more_is_sent_away_with_a_time_to_come_back() -> None:
    held = Held("host", HOST, timeout_seconds=30.0)
    reporter = TellsOfAsking(held)
    with served(reporter, Bounds(connections=2, seconds=30.0)) as port:
        statuses: list[int] = []
        waiting = [threading.Thread(target=lambda: statuses.append(get(port, "/v1/report").status)) for _ in range(2)]
        for thread in waiting:
            thread.start()
        # One that has not sent its request yet would make room for a newcomer, as it should.
        assert all(reporter.asked.acquire(timeout=30) for _ in range(3))
        refused = until_status(port, 503)
        assert int(refused.headers["retry-after"]) > 0
        held.go_on.set()
        for thread in waiting:
            thread.join(30)
        assert statuses == [200, 200]
        assert until_status(port, 200).read() == b"ok\n"


def test_those_sent_away_are_bounded_too_and_whoever_is_being_answered_is_not_cut_off() -> None:
    held = Held("host", HOST, timeout_seconds=30.0)
    with served(Reporter([held], wait_seconds=30.0), Bounds(connections=1, seconds=3600.0)) as port:
        statuses: list[int] = []
        asking = threading.Thread(target=lambda: statuses.append(get(port, "/v1/report").status))
        asking.start()
        held.has_started.wait(30)
        with slow_client(port) as first, slow_client(port):
            assert ended(first)
        held.go_on.set()
        asking.join(30)
        assert statuses == [200]


def until_status(port: int, status: int) -> http.client.HTTPResponse:
    """Ask until the answer has the status: the second of two threads may still be on its way in."""
    while (answer := get(port, "/healthz")).status != status:
        answer.read()
    return answer


def test_a_hanging_sensor_does_not_hold_up_the_health_check() -> None:
    held = Held("host", HOST, timeout_seconds=30.0)
    with served(Reporter([held], wait_seconds=30.0)) as port:
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(get(port, "/v1/report").status))
        asking.start()
        held.has_started.wait(30)
        assert (get(port, "/healthz").status, answers) == (200, [])
        held.go_on.set()
        asking.join(30)
        assert answers == [200]


def test_a_header_without_end_is_refused() -> None:
    with served(instant()) as port, socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 20_000)
        assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
