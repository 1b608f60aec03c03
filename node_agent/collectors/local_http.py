"""Asks a server on this machine for a page, whatever it does: within a time, within a size, with these exceptions only.

What the pages mean is said where they are asked for.
"""

import http.client
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_MOST_BYTES = 1_000_000
# Windows tries a closed port of its own machine again for two seconds, so there a wait is no sign of a server; one
# that listens takes the call in less than a millisecond.
_CLOSED_PORTS_WAIT = sys.platform == "win32"
_CLOSED_PORT_SECONDS = 0.5


class NobodyThere(Exception):
    """No program listens at the port."""


class Trouble(Exception):
    """A program listens and does not answer as a web server should; the message says how."""


class TooLate(Trouble):
    """The answer was not whole in time."""


class TooLarge(Trouble):
    """The answer is longer than what is read of any."""


@dataclass(frozen=True)
class Answer:
    """What a server said to one request."""

    status: int
    content_type: str
    body: bytes


class _TimedSocket(socket.socket):
    """A socket that gives up at a moment, however slowly the other side sends."""

    deadline: float = 0.0

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)
        return super().recv_into(*args, **kwargs)


class LocalServer:
    """One port of this machine, asked directly: no proxy, no redirects, a new connection for each page.

    Args:
        host: An IPv4 address of this machine.
        port: Its port.
        request_seconds: How long one page may take.
        all_pages_seconds: How long all its pages together may take.
        most_bytes: How long a page may be.
        monotonic: The clock.
    """

    def __init__(
        self,
        host: str,
        port: int,
        request_seconds: float,
        all_pages_seconds: float,
        most_bytes: int = _MOST_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host = host
        self._port = port
        self._until = monotonic() + all_pages_seconds
        self._request_seconds = request_seconds
        self._most_bytes = most_bytes
        self._monotonic = monotonic

    def get(self, path: str) -> Answer:
        """The page.

        Raises:
            NobodyThere: The port is closed.
            Trouble: The answer is late, broken or too big.
        """
        deadline = min(self._monotonic() + self._request_seconds, self._until)
        connection = http.client.HTTPConnection(self._host, self._port)
        try:
            connection.sock = self._connected(deadline)
            connection.request("GET", path, headers={"Accept": "*/*", "Connection": "close"})
            response = connection.getresponse()
            body = response.read(self._most_bytes + 1)
            content_type = response.headers.get_content_type()
        except TimeoutError:
            raise TooLate(f"{path} did not come within {self._request_seconds:g} s") from None
        except (http.client.HTTPException, OSError, ValueError) as error:
            raise Trouble(f"{path} is answered with something that is not HTTP ({type(error).__name__})") from None
        finally:
            connection.close()
        if len(body) > self._most_bytes:
            raise TooLarge(f"{path} is longer than {self._most_bytes} bytes")
        return Answer(response.status, content_type, body)

    def _connected(self, deadline: float) -> _TimedSocket:
        link = _TimedSocket(socket.AF_INET, socket.SOCK_STREAM)
        link.deadline = deadline
        left = max(0.001, deadline - self._monotonic())
        link.settimeout(min(left, _CLOSED_PORT_SECONDS) if _CLOSED_PORTS_WAIT else left)
        try:
            link.connect((self._host, self._port))
        except OSError as error:
            link.close()
            if isinstance(error, TimeoutError) and not _CLOSED_PORTS_WAIT:
                raise
            raise NobodyThere from None
        return link
