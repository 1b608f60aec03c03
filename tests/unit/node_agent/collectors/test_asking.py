"""Promises of asking programs and local servers, with real programs and real sockets."""

import socket
import sys
import threading
import time

import pytest

from node_agent.collectors.asking import NotInstalled, Unanswered, get_json, run_program
from tests.unit.node_agent.collectors.loopback_server import nobody_serving, serving


def test_a_program_gives_what_it_wrote() -> None:
    assert run_program((sys.executable, "-c", "print('throttled=0x0')"), 10.0) == "throttled=0x0\n"


def test_a_program_that_is_not_there_is_not_installed() -> None:
    with pytest.raises(NotInstalled, match="no-such-program-here is not installed"):
        run_program(("no-such-program-here",), 1.0)


def test_a_program_that_fails_says_its_first_line() -> None:
    with pytest.raises(Unanswered, match=r"ended with 3: no device$"):
        run_program((sys.executable, "-c", "import sys; print('no device\\nmore', file=sys.stderr); sys.exit(3)"), 10.0)


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(Unanswered, match=r"took longer than 0\.2 s"):
        run_program((sys.executable, "-c", "import time; time.sleep(60)"), 0.2)


def test_a_server_gives_its_document_whatever_proxy_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving("/json", '{"temp": 1}') as url:
        assert get_json(url, 5.0) == {"temp": 1}


def test_nobody_there_is_said_with_the_address() -> None:
    with nobody_serving("/json") as url, pytest.raises(Unanswered, match=f"no answer from {url}"):
        get_json(url, 1.0)


def test_a_server_that_sends_a_byte_now_and_then_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                try:
                    while True:
                        connection.sendall(b" ")
                        time.sleep(0.02)
                except OSError:
                    return  # The asker hung up, which is what this test waits for.

        server = threading.Thread(target=drip)
        server.start()
        with pytest.raises(Unanswered, match=r"took longer|timed out"):
            get_json(f"http://127.0.0.1:{listener.getsockname()[1]}/", 0.3)
        server.join(timeout=10)
        assert not server.is_alive()
