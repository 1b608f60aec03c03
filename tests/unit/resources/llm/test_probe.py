"""Promises of the probe: it learns what a server serves, quickly, and survives whatever stands on the port."""

import asyncio
import json
import time
from typing import Any

import pytest

from tests.unit.resources.llm.helpers import DEAD_URL
from tests.unit.resources.llm.scripted_server import Page, ScriptedServer, json_page
from tip_resources.llm.probe import EndpointProbe, probe


def served(pages: dict[str, Page], **options: Any) -> EndpointProbe:
    async def scenario() -> EndpointProbe:
        async with ScriptedServer(pages=pages) as server:
            return await probe(server.url, **options)

    return asyncio.run(scenario())


def models(*entries: dict[str, Any]) -> Page:
    return json_page({"object": "list", "data": list(entries)})


def test_vllm_tells_its_context_window_in_the_list() -> None:
    found = served({"/v1/models": models({"id": "qwen", "owned_by": "vllm", "max_model_len": 32768})})
    assert (found.failure, found.kind) == (None, "vllm")
    assert (found.models[0].id, found.models[0].context_window_tokens) == ("qwen", 32768)
    assert found.latency_ms is not None


def test_lm_studio_tells_on_its_own_page_what_is_loaded() -> None:
    listed = models(*({"id": name, "owned_by": "organization_owner"} for name in ("phi-4", "qwen", "nomic-embed")))
    own = json_page(
        {
            "data": [
                {
                    "id": "qwen",
                    "type": "llm",
                    "state": "loaded",
                    "max_context_length": 131072,
                    "loaded_context_length": 8192,
                },
                {"id": "phi-4", "type": "llm", "state": "not-loaded", "max_context_length": 16384},
                {"id": "nomic-embed", "type": "embeddings", "state": "not-loaded"},
            ]
        }
    )
    found = served({"/v1/models": listed, "/api/v0/models": own})
    by_name = {model.id: model for model in found.models}
    assert found.kind == "lm_studio"
    assert (by_name["qwen"].is_loaded, by_name["qwen"].context_window_tokens) == (True, 8192)
    assert (by_name["phi-4"].is_loaded, by_name["phi-4"].context_window_tokens) == (False, 16384)
    assert not by_name["nomic-embed"].is_for_chat


def test_ollama_tells_what_is_in_memory() -> None:
    listed = models({"id": "llama3:latest", "owned_by": "library"}, {"id": "phi3:latest", "owned_by": "library"})
    own = json_page({"models": [{"name": "llama3:latest", "model": "llama3:latest", "context_length": 4096}]})
    found = served({"/v1/models": listed, "/api/ps": own})
    assert found.kind == "ollama"
    assert [model.is_loaded for model in found.models] == [True, False]
    assert [model.context_window_tokens for model in found.models] == [4096, None]


def test_llama_server_tells_its_context_window_and_slots() -> None:
    listed = models({"id": "tiny.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}})
    own = json_page({"total_slots": 4, "default_generation_settings": {"n_ctx": 4096}})
    found = served({"/v1/models": listed, "/props": own})
    assert (found.kind, found.slots, found.models[0].context_window_tokens) == ("llama_server", 4, 4096)


def test_a_missing_page_of_the_server_is_no_failure() -> None:
    found = served({"/v1/models": models({"id": "llama3", "owned_by": "library"})})
    assert (found.failure, found.models[0].context_window_tokens) == (None, None)


def test_the_rehearsal_server_is_recognised() -> None:
    assert served({"/v1/models": models({"id": "rehearsal"})}).is_scripted


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ((200, "text/html", b"<!doctype html><html>Router login</html>"), "a web page"),
        ((200, "text/plain", b"hello"), "no valid JSON"),
        ((200, "application/json", b"[1, 2]"), "no list of models"),
        ((200, "application/json", b'{"data": 5}'), "no list of models"),
        ((200, "application/json", b"[" * 100_000), "no valid JSON"),
        ((404, "text/plain", b"nope"), "HTTP 404"),
        ((200, "application/json", b'{"data": [' + b" " * 5_000_000 + b"]}"), "endless"),
    ],
)
def test_other_services_on_the_port_are_told_apart(page: Page, words: str) -> None:
    found = served({"/v1/models": page})
    assert found.failure is not None
    assert found.failure.kind == "protocol"
    assert words in found.failure.detail


def test_odd_entries_in_the_list_are_passed_over() -> None:
    document = {"data": [None, 5, {"id": 7}, {"id": "good", "context_length": "many", "owned_by": ["x"]}]}
    found = served({"/v1/models": json_page(document)})
    assert [(model.id, model.context_window_tokens) for model in found.models] == [("good", None)]


def test_a_key_that_is_missing_is_said() -> None:
    found = served({"/v1/models": json_page({"error": {"message": "no key"}}, 401)})
    assert found.failure is not None
    assert found.failure.kind == "auth"


def test_a_closed_port_is_said_quickly() -> None:
    found = asyncio.run(probe(DEAD_URL))
    assert found.failure is not None
    assert found.failure.kind == "connect"


def raw_server(*parts: bytes, pause_seconds: float = 0.0, timeout_seconds: float = 10.0) -> EndpointProbe:
    """Probes a server that sends exactly these bytes."""

    async def scenario() -> EndpointProbe:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for part in parts:
                writer.write(part)
                await asyncio.sleep(pause_seconds)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            return await probe(url, timeout_seconds=timeout_seconds)

    return asyncio.run(scenario())


def test_a_slow_drip_does_not_hold_the_probe() -> None:
    started = time.monotonic()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    found = raw_server(head, *([b" "] * 300), pause_seconds=0.1, timeout_seconds=0.3)
    assert found.failure is not None
    assert found.failure.kind == "timeout"
    assert time.monotonic() - started < 20  # the drip goes on for 30 s


def test_a_service_that_speaks_no_http_is_told_apart() -> None:
    found = raw_server(b"SSH-2.0-OpenSSH_9.6\r\n")
    assert found.failure is not None
    assert found.failure.kind == "protocol"


def test_a_redirect_is_not_followed() -> None:
    found = raw_server(b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/v1/models\r\nContent-Length: 0\r\n\r\n")
    assert found.failure is not None
    assert "redirect to http://evil.example" in found.failure.detail


def test_what_was_packed_is_not_unpacked() -> None:
    import gzip

    packed = gzip.compress(json.dumps({"data": []}).encode() + b" " * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    found = raw_server(head + packed)
    assert found.failure is not None
    assert "no valid JSON" in found.failure.detail
