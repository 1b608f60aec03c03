"""Opening the agent's port: where it may listen, and what to do when it cannot. Errors say how to mend it."""

import errno
import ipaddress
import os
import socket

MAX_BACKLOG = 64


class CannotListen(Exception):
    """The agent cannot or must not listen there; the message says what to do."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    Raises:
        CannotListen: No address is known by this name.
    """
    return all(ipaddress.ip_address(address[0].partition("%")[0]).is_loopback for _, address in _resolved(host, 0))


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that accepts connections; port 0 takes any that is free.

    Raises:
        CannotListen: The port is taken or not allowed, or the address is not one of this machine.
    """
    family, address = _resolved(host, port)[0]
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # A restart need not wait for connections of before. On Windows the option would share a taken port.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(MAX_BACKLOG)
    except OSError as error:
        opened.close()
        raise CannotListen(_what_to_do(error, host, port)) from error
    opened.setblocking(False)
    return opened


def url_of(opened: socket.socket) -> str:
    """The address to type into a browser."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _resolved(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"no address is known for {host!r}; give --host an IP address such as 127.0.0.1") from error
    return [(family, address) for family, _, _, _, address in found]


def _what_to_do(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken, perhaps by another agent; stop that program or choose a free --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine; give --host one that is, or 127.0.0.1"
    if error.errno == errno.EACCES:
        return f"the system does not allow port {port}; choose a --port above 1023"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
