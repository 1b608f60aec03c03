"""Promises of the command `tip-agent`: as a process of its own, and what it says to wrong options."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node_agent.advertise import addresses_of
from node_agent.cli import main
from node_agent.listening import CannotListen, is_loopback
from node_agent.openapi import openapi_document
from node_agent.options import PREFIX, parsed

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """The process, the address it names, and everything it said before."""
    command = [sys.executable, "-m", "node_agent", "run", "--port", "0", "--collectors", "host,thermal", *options]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    with subprocess.Popen(command, cwd=ROOT, env=clean, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = ""
            while not (match := re.search(r"reports on (http://\S+)/v1/report", said)):
                line = process.stderr.readline()  # type: ignore[union-attr]
                assert line, f"the agent ended: {said}"
                said += line
            yield process, match[1], said
        finally:
            process.kill()


def test_it_serves_its_report_and_ends_in_order_when_told() -> None:
    with running("--node", "pi-4b") as (process, url, said):
        with urllib.request.urlopen(f"{url}/v1/report", timeout=30) as answer:
            report = json.load(answer)
        assert (report["node"], report["host"]["cores"]) == ("pi-4b", os.cpu_count())
        assert "!!!" not in said
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_client_in_the_middle_of_a_request_does_not_keep_it_from_ending() -> None:
    with running() as (process, url, _):
        host, _, port = url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(b"GET /v1/report HTTP/1.1\r\n")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_an_address_for_others_needs_a_word_and_warns() -> None:
    with running("--host", "0.0.0.0", "--insecure-lan") as (_, url, said):
        assert "WITHOUT ENCRYPTION" in said
        assert url in said


@pytest.mark.parametrize("command", ["import node_agent.cli", "import node_agent.server"])
def test_the_agent_needs_no_dagster_and_nothing_of_tip(command: str) -> None:
    code = f"import sys; sys.modules.update(dagster=None, tip_resources=None, tip_assets=None); {command}"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_report_and_openapi_print_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--collectors", "host"], {}) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["host"]["cores"] == os.cpu_count()
    assert [run["name"] for run in report["collectors"]] == ["host"]
    assert main(["openapi"], {}) == 0
    assert json.loads(capsys.readouterr().out) == openapi_document()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "--insecure-lan"),
        (["--host", "::"], "--insecure-lan"),
        (["--host", "no.such.host.invalid"], "give --host an IP address"),
        (["--host", "203.0.113.7", "--insecure-lan"], "no address of this machine"),
    ],
)
def test_where_it_cannot_or_must_not_listen_it_says_what_to_do(
    options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--port", "0", *options], {}) == 1
    assert says in capsys.readouterr().err


def test_a_port_that_is_taken_is_named_with_the_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["run", "--port", port], {}) == 1
    error = capsys.readouterr().err
    assert f"port {port}" in error
    assert "--port" in error


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("--port", "http"),
        ("--port", "65536"),
        ("--port", "-1"),
        ("--every-seconds", "nan"),
        ("--every-seconds", "soon"),
        ("--every-seconds", "-1"),
        ("--max-connections", "0"),
        ("--collectors", "host,weather"),
        ("--collectors", ","),
        ("--endpoint-ports", "1234,x"),
        ("--endpoint-ports", "0"),
        ("--node", "Pi 4"),
        ("--node", "-pi"),
    ],
)
@pytest.mark.parametrize("is_in_environment", [False, True])
def test_a_wrong_value_is_named_with_the_option_that_it_was_given_as(
    option: str, wrong: str, is_in_environment: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    variable = PREFIX + option[2:].replace("-", "_").upper()
    arguments = ["run"] if is_in_environment else ["run", f"{option}={wrong}"]
    with pytest.raises(SystemExit) as stopped:
        parsed(arguments, {variable: wrong} if is_in_environment else {})
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert repr(wrong) in error
    assert variable in error


def test_the_command_line_wins_over_the_environment() -> None:
    environment = {"TIP_AGENT_PORT": "1111", "TIP_AGENT_NODE": "from-outside", "TIP_AGENT_INSECURE_LAN": "yes"}
    options = parsed(["run", "--port", "2222"], environment)
    assert (options.port, options.node, options.insecure_lan) == (2222, "from-outside", True)


def test_a_variable_that_is_no_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    parsed(["run"], {"TIP_AGENT_PROT": "1"})
    assert "TIP_AGENT_PROT is no option" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parsed(["run"], {"TIP_AGENT_MDNS": "perhaps"})
    assert "TIP_AGENT_MDNS is 'perhaps'" in capsys.readouterr().err


def test_announcing_an_address_that_nobody_reaches_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--port", "0", "--mdns"], {}) == 1
    assert "--mdns" in capsys.readouterr().err
    assert addresses_of("127.0.0.1") == []
    assert addresses_of("192.0.2.1") == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("host", "expected"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)]
)
def test_only_addresses_of_this_machine_alone_are_private(host: str, expected: bool) -> None:
    try:
        assert is_loopback(host) is expected
    except CannotListen:
        assert host == "::1"  # a machine without IPv6 knows no such address


def test_every_variable_that_the_recipes_set_is_an_option() -> None:
    recipes = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    named = {name for path in recipes for name in re.findall(r"TIP_AGENT_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert named
    assert {PREFIX + name.upper() for name in vars(parsed(["run"], {}))} >= named
