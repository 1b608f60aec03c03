"""What stands between us and a PostgreSQL server elsewhere: a pooler that minds its startup parameters, and TLS.

`proxy(url, ...)` gives the URL of a listener on loopback that passes a real server on. It reads the first message of
a connection (https://www.postgresql.org/docs/18/protocol-message-formats.html, StartupMessage and SSLRequest).
"""

import asyncio
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy.engine import make_url

_SSL_REQUEST = 80877103
_GSS_REQUEST = 80877104

OptionsRule = Literal["pass", "refuse", "drop"]


@contextmanager
def proxy(url: str, *, options: OptionsRule = "pass", tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A listener before the server of `url`.

    Args:
        url: A server on a Unix socket.
        options: What becomes of the startup parameter `options`. PgBouncer refuses it; told to ignore it, it drops it.
        tls: Answer requests for TLS with this.
    """
    parsed = make_url(url)
    socket_path = f"{parsed.query['host']}/.s.PGSQL.{parsed.port or parsed.query.get('port') or 5432}"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            startup = await _first_message(reader)
            while struct.unpack_from("!i", startup)[0] in (_SSL_REQUEST, _GSS_REQUEST):
                wants_tls = struct.unpack_from("!i", startup)[0] == _SSL_REQUEST
                if tls and wants_tls:
                    writer.write(b"S")
                    await writer.drain()
                    await writer.start_tls(tls)
                else:
                    writer.write(b"N")
                startup = await _first_message(reader)
            words = startup[4:].rstrip(b"\0").split(b"\0")
            parameters = dict(zip(words[::2], words[1::2], strict=False))
            if b"options" in parameters and options == "refuse":
                said = b"SERROR\0C08P01\0Munsupported startup parameter: options\0\0"
                writer.write(b"E" + struct.pack("!i", len(said) + 4) + said)
                await writer.drain()
                return
            if options == "drop":
                parameters.pop(b"options", None)
            body = startup[:4] + b"".join(b"%s\0%s\0" % pair for pair in parameters.items()) + b"\0"
            below_reader, below_writer = await asyncio.open_unix_connection(socket_path)
            below_writer.write(struct.pack("!i", len(body) + 4) + body)
            await asyncio.gather(_pass_on(reader, below_writer), _pass_on(below_reader, writer))
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client left
        finally:
            writer.close()

    loop, ready = asyncio.new_event_loop(), threading.Event()
    port = 0

    def run() -> None:
        nonlocal port
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
        port = server.sockets[0].getsockname()[1]
        ready.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield parsed.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _first_message(reader: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack("!i", await reader.readexactly(4))
    return await reader.readexactly(length - 4)


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    finally:
        target.close()
