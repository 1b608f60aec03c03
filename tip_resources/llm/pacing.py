"""Reads quick streams in sips: what comes within a few milliseconds is taken together, not token by token.

A read costs far more than a token in it (benchmarks/client_cost.py), so a connection that has just been read is
not listened to for a moment; the system holds its bytes. An answer's end comes half that moment later on average,
which is what a killed process could lose. Streams slower than that are read as they come.
"""

import asyncio

import aiohttp

# At 2,000 chunks/s this makes 8 of one read; measured by benchmarks/client_cost.py.
SIP_SECONDS = 0.004


class Sips:
    """Pauses connections and lets them all go on together: one timer, however many streams there are."""

    def __init__(self) -> None:
        self._paused: list[asyncio.ReadTransport] = []

    def pause(self, response: aiohttp.ClientResponse) -> None:
        """Lets the answer's bytes gather until the next sip."""
        connection = response.connection
        if connection is None:
            return  # aiohttp gave it up: all bytes have come
        transport = connection.transport
        if not isinstance(transport, asyncio.ReadTransport):
            return
        transport.pause_reading()
        if not self._paused:
            asyncio.get_running_loop().call_later(SIP_SECONDS, self._resume)
        self._paused.append(transport)

    def _resume(self) -> None:
        paused, self._paused = self._paused, []
        for transport in paused:
            if not transport.is_closing():
                transport.resume_reading()
