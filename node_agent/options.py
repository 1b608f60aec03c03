"""The options of `tip-agent`, from the command line and from the environment. Each wrong value is a clear error."""

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from node_agent.catalog import COLLECTORS
from node_agent.version import VERSION

PREFIX = "TIP_AGENT_"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8765
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Options:
    """What was asked for. Those of `run` alone keep their defaults under the other commands."""

    command: Literal["run", "report", "openapi"]
    node: str | None = None
    collectors: tuple[str, ...] = tuple(COLLECTORS)
    endpoint_ports: tuple[int, ...] = ()
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    insecure_lan: bool = False
    every_seconds: float = 5.0
    max_connections: int = 32
    mdns: bool = False


def parsed(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> Options:
    """The options; exits with status 2 and a message when they make no sense.

    Args:
        arguments: Without the program's name; None takes this process's.
        environment: None takes this process's.
    """
    environment = os.environ if environment is None else environment
    parser = _parser(environment)
    options = Options(**vars(parser.parse_args(arguments)))
    known = {PREFIX + name.upper() for name in vars(options)} - {PREFIX + "COMMAND"}
    for name in sorted(name for name in environment if name.startswith(PREFIX) and name not in known):
        sys.stderr.write(f"tip-agent: {name} is no option and is ignored; there are {', '.join(sorted(known))}\n")
    return options


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tip-agent",
        description="Says how this machine is: heat, load, graphics cards, whether a person uses it (yes or no, never "
        "who or with what), and the models it serves. Reads only, needs no administrator.",
        epilog=f"Every option can also be given in the environment, as {PREFIX}PORT for --port; the command line wins. "
        "Examples: tip-agent report; tip-agent run; curl http://127.0.0.1:8765/v1/report",
    )
    parser.add_argument("--version", action="version", version=f"tip-agent {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="run | report | openapi")
    run = commands.add_parser(
        "run",
        help="serve reports over HTTP until stopped",
        description="Serves /v1/report (JSON), /metrics (Prometheus), /healthz and /openapi.json until stopped. "
        "Measures only when somebody asks.",
    )
    report = commands.add_parser("report", help="print one report as JSON", description="Prints one report as JSON.")
    commands.add_parser("openapi", help="print the OpenAPI document", description="Prints the OpenAPI document.")
    for command in (run, report):
        add = _Adder(command, environment)
        add("--node", _node, None, "the machine's name in the fleet", "the host name")
        add("--endpoint-ports", _ports, None, "ports of model servers here, with commas between", "their usual ones")
        add("--collectors", _names, ",".join(COLLECTORS), "what to measure, separated by commas", "all")
    add = _Adder(run, environment)
    add("--host", str, DEFAULT_HOST, "address to listen on")
    add("--port", _port, str(DEFAULT_PORT), "port to listen on; 0 takes a free one")
    add.flag("--insecure-lan", "allow an address that other machines reach, although nothing is encrypted")
    add("--every-seconds", _seconds, "5", "measure at most once in so many seconds, whoever asks")
    add("--max-connections", _connections, "32", "clients served at once; more get 503")
    add.flag("--mdns", "announce the agent in the local network by mDNS; needs the extra 'mdns'")
    return parser


class _Adder:
    """Adds options that also have a name in the environment."""

    def __init__(self, parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
        self._parser, self._environment = parser, environment

    def __call__(
        self, flag: str, kind: Callable[[str], Any], default: str | None, text: str, shown: str | None = None
    ) -> None:
        name = _variable(flag)
        # argparse reads a default that is text as if it had been typed, so both ways have the same checks.
        value = self._environment.get(name) or default
        text = f"{text} (default: {shown or default}; {name})"
        self._parser.add_argument(flag, type=_named(kind, flag), default=value, help=text, metavar="X")

    def flag(self, flag: str, text: str) -> None:
        name = _variable(flag)
        given = self._environment.get(name, "").lower()
        if given and given not in _YES + _NO:
            self._parser.error(f"{name} is {given!r}; say {_YES[0]} or {_NO[0]}")
        self._parser.add_argument(flag, action="store_true", default=given in _YES, help=f"{text} ({name})")


def _variable(flag: str) -> str:
    return PREFIX + flag.removeprefix("--").replace("-", "_").upper()


def _named(kind: Callable[[str], Any], flag: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r} {error} (given as {flag} or {_variable(flag)})") from error

    return read


def _node(text: str) -> str:
    # A host name's own rule: it becomes part of addresses, labels and file names.
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", text):
        raise ValueError("is no node name: 1 to 63 of a-z, 0-9, - and ., with a letter or figure at either end")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in COLLECTORS]
    if not names or unknown:
        raise ValueError(f"names no collector {', '.join(unknown)}".rstrip() + f"; there are {', '.join(COLLECTORS)}")
    return names


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise ValueError("is no port: a whole number from 0 to 65535")
    return int(text)


def _ports(text: str) -> tuple[int, ...]:
    ports = tuple(_port(port.strip()) for port in text.split(","))
    if 0 in ports:
        raise ValueError("names port 0, at which no server can be")
    return ports


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 3600:
        raise ValueError("is no time: seconds from 0 to 3600")
    return seconds


def _connections(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 10_000:
        raise ValueError("is no number of clients: a whole number from 1 to 10000")
    return int(text)
