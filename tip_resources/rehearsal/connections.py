"""What ASGI itself knows nothing of: how many connections are open, and breaking one as a crashing server does."""

import asyncio
import socket
import struct
import sys
from typing import cast

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from tip_resources.backpressure import refusal_on_the_wire

# Closing with a linger time of 0 sends RST instead of FIN; Windows packs the two numbers as shorts.
_LINGER_NOT = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


# Twice the requests that may be inside (backpressure.py): clients keep idle connections for their next call.
MOST_CONNECTIONS = 2048
# Time for a refused client to read why.
_REFUSED_SECONDS = 2.0


class Connections:
    """The open connections of one server, by the client's address.

    Args:
        most: One more is told 503 with Retry-After and closed.
    """

    def __init__(self, most: int = MOST_CONNECTIONS) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}
        self._most = most

    def protocol(self) -> type[asyncio.Protocol]:
        """The HTTP protocol class for uvicorn's `http` option; its connections are known here."""
        transports, most = self._transports, self._most

        class KnownConnection(AutoHTTPProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self._peer = transport.get_extra_info("peername")[:2]
                self._is_refused = len(transports) >= most
                if self._is_refused:
                    opened = cast(asyncio.Transport, transport)
                    opened.write(refusal_on_the_wire(f"{most} connections are open already"))
                    opened.write_eof()
                    asyncio.get_running_loop().call_later(_REFUSED_SECONDS, opened.close)
                    return
                transports[self._peer] = cast(asyncio.Transport, transport)
                super().connection_made(transport)

            def data_received(self, data: bytes) -> None:
                # What a refused client sends is read and dropped: closing with bytes unread would reset the
                # connection and could lose the refusal.
                if not self._is_refused:
                    super().data_received(data)

            def connection_lost(self, exc: Exception | None) -> None:
                if self._is_refused:
                    return
                transports.pop(self._peer, None)
                super().connection_lost(exc)

        return KnownConnection

    def reset(self, client: tuple[str, int]) -> None:
        """Resets the connection of that client; bytes not sent yet are lost."""
        transport = self._transports[client]
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
