"""By which name the fleet knows this machine."""

import socket


def node_name() -> str:
    """The host name, lower case, without the domain."""
    return socket.gethostname().split(".", maxsplit=1)[0].lower() or "localhost"
