"""Promises of the wire: what a proxy, a redirect, a careless server or a slow reader do to a call."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.resources.llm.helpers import calls_text, settings
from tests.unit.resources.llm.scripted_server import (
    Asked,
    Reply,
    ScriptedServer,
    answers,
    begin_stream,
    says,
    send_text,
    sends_raw,
)
from tip_resources.llm.http_transport import HttpTransport
from tip_resources.llm.stream_client import target_of
from tip_resources.llm.transport import CallBroken, Delta
from tip_resources.llm.types import Endpoint, Failure
from tip_resources.settings.models import EngineSettings

BODY = {"model": "phi-4", "messages": []}
KEY = SecretStr("s3cret-key")


def transport(config: EngineSettings | None = None) -> HttpTransport:
    return HttpTransport(config or settings(), lambda: datetime.now(UTC))


async def heard(wire: HttpTransport, endpoint: Endpoint) -> str:
    deltas: list[Delta] = []

    async def take(delta: Delta) -> bool:
        deltas.append(delta)
        return False

    await wire.call(endpoint, BODY, take)
    return "".join(delta.text for delta in deltas)


def broken(
    reply: Reply, config: EngineSettings | None = None, key: SecretStr | None = KEY
) -> tuple[Failure, list[Asked]]:
    async def scenario() -> tuple[Failure, list[Asked]]:
        async with ScriptedServer([reply]) as server:
            wire = transport(config)
            with pytest.raises(CallBroken) as caught:
                await heard(wire, server.endpoint(api_key=key))
            await wire.aclose()
            return caught.value.failure, server.asked

    return asyncio.run(scenario())


def test_a_redirect_is_not_followed_with_a_key_in_hand() -> None:
    failure, asked = broken(answers(307, "go there", Location="http://127.0.0.1:1/v1/chat/completions"))
    assert failure.kind == "protocol" and "redirect" in failure.detail
    assert len(asked) == 1


def test_bytes_that_are_no_http_break_the_call_and_not_the_program() -> None:
    async def garbage(writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
        await writer.drain()

    assert broken(garbage)[0].kind == "connect"


def test_a_stream_whose_framing_breaks_is_ended_by_the_silence_guard_at_the_latest() -> None:
    async def bad_framing(writer: asyncio.StreamWriter) -> None:
        await begin_stream(writer)
        await asyncio.sleep(0.05)
        await send_text(writer, "hello")
        writer.write(b"this is no length\r\n")
        await writer.drain()
        await asyncio.sleep(3600)

    # aiohttp 3.14 closes the connection then without a word to the reader.
    failure, _ = broken(bad_framing, settings(first_token_timeout_seconds=2, between_tokens_timeout_seconds=0.3))
    assert failure.kind in ("timeout", "reset")


def test_an_error_page_that_quotes_the_key_is_told_without_it() -> None:
    failure, _ = broken(answers(500, "you sent s3cret-key"))
    assert failure.kind == "server_error" and "s3cret" not in failure.detail


def test_an_error_without_an_end_is_cut_off() -> None:
    async def floods(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 X\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            writer.write(b"x" * 100_000)
            await writer.drain()

    assert "more than 1 MB" in broken(floods, settings(max_answer_megabytes=1))[0].detail


def test_what_is_packed_all_the_same_is_not_unpacked() -> None:
    async def bomb(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n")
        writer.write(b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00")
        await writer.drain()

    assert broken(bomb)[0].kind == "protocol"


def test_events_under_another_name_of_type_are_read_and_another_service_is_not() -> None:
    assert "an answer of type text/plain" in broken(answers(200, "hello"))[0].detail

    async def scenario() -> str:
        async def untyped(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            writer.write(b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\n')
            await writer.drain()

        async with ScriptedServer([untyped]) as server:
            wire = transport()
            try:
                return await heard(wire, server.endpoint())
            finally:
                await wire.aclose()

    assert asyncio.run(scenario()) == "hi"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://192.168.1.7:1234/v1", "http://box:1234/v1"])
def test_near_servers_are_asked_without_the_proxy_of_the_environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert "proxy" not in target_of(Endpoint(name="n", url=url, model="m")).options


def test_far_servers_are_asked_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)

    async def scenario() -> tuple[str, Asked]:
        async with ScriptedServer([says("hello")]) as proxy:
            for name in ("HTTP_PROXY", "http_proxy"):
                monkeypatch.setenv(name, f"http://user:word@127.0.0.1:{proxy.port}")
            wire = transport()
            far = Endpoint(name="far", url="http://api.example.com/v1", model="m", api_key=KEY)
            text = await heard(wire, far)
            await wire.aclose()
            return text, proxy.asked[0]

    text, asked = asyncio.run(scenario())
    assert (text, asked.path) == ("hello", "http://api.example.com/v1/chat/completions")
    assert asked.headers["authorization"] == "Bearer s3cret-key"
    assert asked.headers["proxy-authorization"].startswith("Basic ")


def test_a_server_that_the_environment_excepts_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "example.com")
    assert "proxy" not in target_of(Endpoint(name="n", url="https://api.example.com/v1", model="m")).options


def test_a_proxy_we_cannot_use_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "socks5://user:pa55word@127.0.0.1:9")

    async def scenario() -> Failure:
        wire = transport()
        with pytest.raises(CallBroken) as caught:
            await heard(wire, Endpoint(name="far", url="https://api.example.com/v1", model="m"))
        return caught.value.failure

    failure = asyncio.run(scenario())
    assert failure.kind == "connect" and "socks5" in failure.detail and "pa55word" not in failure.detail


def test_passwords_of_netrc_stay_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password of-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    async def scenario() -> Asked:
        async with ScriptedServer([says("hello")]) as server:
            wire = transport()
            await heard(wire, server.endpoint())
            await wire.aclose()
            return server.asked[0]

    assert "authorization" not in asyncio.run(scenario()).headers


def keeps_open(*pauses: Callable[[], object]) -> asyncio.Protocol:
    """A server that answers many requests on one connection and ends each answer a moment after its last event."""

    class Server(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport
            for pause in pauses:
                pause()

        def data_received(self, data: bytes) -> None:
            if not data.endswith(b"}"):
                return  # the body is still to come
            event = b'data: {"choices": [{"delta": {"content": "hi"}}]}\n\ndata: [DONE]\n\n'
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.transport.write(head + b"%x\r\n%s\r\n" % (len(event), event))  # type: ignore[attr-defined]
            asyncio.get_running_loop().call_later(0.01, self.transport.write, b"0\r\n\r\n")  # type: ignore[attr-defined]

    return Server()


def test_one_connection_serves_one_call_after_another() -> None:
    connections: list[int] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: keeps_open(lambda: connections.append(1)), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        wire = transport()
        for _ in range(4):
            assert await heard(wire, Endpoint(name="n", url=url, model="m")) == "hi"
            await asyncio.sleep(0.05)
        await wire.aclose()
        server.close()

    asyncio.run(scenario())
    assert len(connections) == 1


def test_a_reader_who_has_enough_ends_the_stream_at_the_server() -> None:
    async def scenario() -> int:
        async def talks(writer: asyncio.StreamWriter) -> None:
            await begin_stream(writer)
            while True:
                await send_text(writer, "word ")
                await asyncio.sleep(0.001)

        async def enough(_: Delta) -> bool:
            return True

        async with ScriptedServer([talks]) as server:
            wire = transport()
            await wire.call(server.endpoint(), BODY, enough)
            await server.until_idle()
            await wire.aclose()
            return server.closed_by_client

    assert asyncio.run(scenario()) == 1


def test_a_quick_stream_is_read_in_sips_and_loses_nothing() -> None:
    text = calls_text(40)
    events = 0

    async def scenario() -> str:
        nonlocal events
        parts: list[str] = []

        async def take(delta: Delta) -> bool:
            nonlocal events
            events += 1
            parts.append(delta.text)
            return False

        async with ScriptedServer([says(text, size=2)]) as server:
            wire = transport()
            await wire.call(server.endpoint(), BODY, take)
            await wire.aclose()
        return "".join(parts)

    assert asyncio.run(scenario()) == text
    assert events < len(text) / 2 / 2


def test_what_came_before_a_break_is_read_however_slow_the_reader_is() -> None:
    async def scenario() -> str:
        parts: list[str] = []

        async def slow(delta: Delta) -> bool:
            parts.append(delta.text)
            await asyncio.sleep(0.2)
            return False

        async def breaks(writer: asyncio.StreamWriter) -> None:
            await begin_stream(writer)
            for word in ("one ", "two ", "three "):
                await send_text(writer, word)
                await asyncio.sleep(0.03)
            writer.close()

        async with ScriptedServer([breaks]) as server:
            wire = transport()
            with pytest.raises(CallBroken) as caught:
                await wire.call(server.endpoint(), BODY, slow)
            assert caught.value.failure.kind == "reset"
            await wire.aclose()
        return "".join(parts)

    assert asyncio.run(scenario()) == "one two three "


def test_a_connection_that_was_given_up_while_the_reader_was_busy_is_a_reset() -> None:
    async def scenario() -> tuple[str, Failure]:
        parts: list[str] = []

        async def slow(delta: Delta) -> bool:
            parts.append(delta.text)
            await asyncio.sleep(0.2)
            return False

        async def bad_framing(writer: asyncio.StreamWriter) -> None:
            await begin_stream(writer)
            await asyncio.sleep(0.05)
            await send_text(writer, "hello")
            await asyncio.sleep(0.05)
            writer.write(b"this is no length\r\n")
            await writer.drain()
            await asyncio.sleep(3600)

        async with ScriptedServer([bad_framing]) as server:
            wire = transport()
            with pytest.raises(CallBroken) as caught:
                await wire.call(server.endpoint(), BODY, slow)
            await wire.aclose()
            return "".join(parts), caught.value.failure

    text, failure = asyncio.run(scenario())
    assert (text, failure.kind) == ("hello", "reset")


def test_a_slow_reader_of_a_whole_answer_is_not_the_servers_silence() -> None:
    async def scenario() -> str:
        parts: list[str] = []

        async def slow(delta: Delta) -> bool:
            await asyncio.sleep(0.4)
            parts.append(delta.text)
            return False

        reply = answers(200, {"choices": [{"message": {"content": "hello"}}]})
        async with ScriptedServer([reply]) as server:
            wire = transport(settings(first_token_timeout_seconds=0.2, between_tokens_timeout_seconds=0.2))
            await wire.call(server.endpoint(), BODY, slow)
            await wire.aclose()
        return "".join(parts)

    assert asyncio.run(scenario()) == "hello"


def test_silence_of_our_own_making_is_not_held_against_the_server() -> None:
    async def scenario() -> int:
        taken = 0

        async def slow(_: Delta) -> bool:
            nonlocal taken
            taken += 1
            await asyncio.sleep(0.3)
            return False

        parts = [b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'] * 3
        async with ScriptedServer([sends_raw(*parts)]) as server:
            config = settings(first_token_timeout_seconds=0.2, between_tokens_timeout_seconds=0.2)
            wire = transport(config)
            await wire.call(server.endpoint(), BODY, slow)
            await wire.aclose()
        return taken

    assert asyncio.run(scenario()) >= 1
