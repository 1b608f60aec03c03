"""The command `tip-agent`. Options are in options.py; this file does what they say."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from node_agent.options import Options, parsed

_IN_THE_CLEAR = """\
!!!
!!! tip-agent listens on {url} WITHOUT ENCRYPTION AND WITHOUT ASKING WHO ASKS.
!!! Everybody who can reach this address can read whether somebody uses this machine, its heat and its models.
!!! Keep it to a network whose every device you trust, and close the port in the firewall towards all others.
!!!
"""


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] | None = None) -> int:
    """Run the command; returns the exit status: 0 done, 1 could not, 2 asked wrongly."""
    options = parsed(arguments, environment)
    return {"run": _run, "report": _report, "openapi": _openapi}[options.command](options)


def _run(options: Options) -> int:
    from node_agent.advertise import CannotAdvertise
    from node_agent.connections import Bounds
    from node_agent.listening import CannotListen, is_loopback, listening_socket, url_of
    from node_agent.server import create_app, http_server, stop_on_signals

    try:
        is_private = is_loopback(options.host)
        if not is_private and not options.insecure_lan:
            raise CannotListen(
                f"{options.host} can be reached from other machines, and the agent speaks plain HTTP. Listen on "
                "127.0.0.1 and put a TLS proxy in front, or add --insecure-lan if you trust every device there"
            )
        opened = listening_socket(options.host, options.port)
        reporter = _reporter(options, keep_seconds=options.every_seconds)
        alongside = _advertisement(options, reporter.node, opened) if options.mdns else None
    except (CannotListen, CannotAdvertise) as error:
        sys.stderr.write(f"tip-agent: {error}\n")
        return 1
    server = http_server(create_app(reporter, alongside), Bounds(connections=options.max_connections))
    with opened:
        stop_on_signals(server)
        if not is_private:
            sys.stderr.write(_IN_THE_CLEAR.format(url=url_of(opened)))
        sys.stderr.write(f"tip-agent: {reporter.node} reports on {url_of(opened)}/v1/report\n")
        sys.stderr.flush()
        server.run(sockets=[opened])
    return 0


def _advertisement(options: Options, node: str, opened: Any) -> AbstractAsyncContextManager[None]:
    from node_agent.advertise import addresses_of, advertised, check_can_advertise, service_info

    host, port = opened.getsockname()[:2]
    check_can_advertise(host)
    return advertised(service_info(node, addresses_of(host), port))


def _report(options: Options) -> int:
    _write_json(_reporter(options).report().to_json_object())
    return 0


def _openapi(_: Options) -> int:
    from node_agent.openapi import openapi_document

    _write_json(openapi_document())
    return 0


def _reporter(options: Options, keep_seconds: float = 0.0) -> Any:
    from node_agent.catalog import collectors
    from node_agent.reporter import Reporter

    constructed = {"endpoints": {"ports": options.endpoint_ports}} if options.endpoint_ports else {}
    return Reporter(collectors(options.collectors, **constructed), node=options.node, keep_seconds=keep_seconds)


def _write_json(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")
