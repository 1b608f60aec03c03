"""Asks a server to drop a model from memory, where its API can. Best effort: the outcome is said, never raised.

Ollama:       POST /api/generate {"model", "keep_alive": 0} (Ollama's API document, "Unload a model")
LM Studio:    POST /api/v1/models/unload {"instance_id"}, ids from GET /api/v1/models (LM Studio 0.4 and later)
llama-server: POST /models/unload {"model"}, in router mode only (llama.cpp, tools/server/README.md)
vLLM, llama-cpp-python and OpenAI have nothing of the kind: they serve the model they were started with.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec

from tip_resources.llm.addresses import server_root
from tip_resources.llm.http_client import new_client
from tip_resources.llm.probe import probe_endpoint
from tip_resources.llm.served import ServerKind
from tip_resources.llm.types import Endpoint

_CONNECT_SECONDS = 5.0
# Freeing tens of gigabytes of graphics memory takes seconds; Ollama answers when it is done.
_UNLOAD_SECONDS = 60.0
_MOST_BYTES = 4_000_000
_NAMES: Mapping[ServerKind, str] = {
    "lm_studio": "LM Studio",
    "ollama": "Ollama",
    "vllm": "vLLM",
    "llama_server": "llama-server",
    "llama_cpp_python": "llama-cpp-python",
    "openai": "OpenAI",
    "rehearsal": "the scripted server",
    "unknown": "a server of unknown make",
}


class UnloadOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server let go of the model, and the words for it."""

    endpoint: str
    model: str
    is_unloaded: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.model} at {self.endpoint}: {self.detail}"


async def unload_model(endpoint: Endpoint) -> UnloadOutcome:
    """Asks the endpoint's server to unload the endpoint's model. Never raises for what a server does."""
    answer = await probe_endpoint(endpoint, timeout_seconds=_CONNECT_SECONDS)
    if answer.failure is not None:
        return _outcome(endpoint, f"not unloaded: {answer.failure.detail}")
    name = _NAMES[answer.kind]
    client = new_client(
        endpoint.url,
        endpoint.api_key.get_secret_value() if endpoint.api_key is not None else "",
        connect_seconds=_CONNECT_SECONDS,
        read_seconds=_UNLOAD_SECONDS,
        most_bytes=_MOST_BYTES,
    )
    try:
        async with asyncio.timeout(_UNLOAD_SECONDS), client:
            return await _ask(client, endpoint, answer.kind)
    except TimeoutError:
        return _outcome(endpoint, f"not unloaded: {name} did not answer within {_UNLOAD_SECONDS:g} s")
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        return _outcome(endpoint, f"not unloaded: {name} did not answer ({type(error).__name__})")


async def _ask(client: httpx2.AsyncClient, endpoint: Endpoint, kind: ServerKind) -> UnloadOutcome:
    root = server_root(endpoint.url)
    if kind == "ollama":
        return await _post(client, endpoint, f"{root}/api/generate", {"model": endpoint.model, "keep_alive": 0})
    if kind == "lm_studio":
        return await _unload_in_lm_studio(client, endpoint, root)
    if kind == "llama_server":
        return await _post(client, endpoint, f"{root}/models/unload", {"model": endpoint.model})
    return _outcome(endpoint, f"not possible here: {_NAMES[kind]} cannot unload a model over its API")


async def _unload_in_lm_studio(client: httpx2.AsyncClient, endpoint: Endpoint, root: str) -> UnloadOutcome:
    response = await client.get(f"{root}/api/v1/models")
    if response.status_code in (404, 405):
        return _outcome(endpoint, "not possible here: this LM Studio is older than 0.4 and cannot unload over its API")
    instances = _instances(_json(response), endpoint.model) if response.status_code == 200 else None
    if instances is None:
        return _outcome(endpoint, f"not unloaded: LM Studio does not list the model (HTTP {response.status_code})")
    if not instances:
        return _outcome(endpoint, "was not loaded", is_unloaded=True)
    for instance in instances:
        outcome = await _post(client, endpoint, f"{root}/api/v1/models/unload", {"instance_id": instance})
        if not outcome.is_unloaded:
            return outcome
    return _outcome(endpoint, "unloaded", is_unloaded=True)


def _instances(document: Any, model: str) -> list[str] | None:
    """Ids of the loaded instances of a model, which is called by its key or by an instance's id.

    The first instance of a model has the key as its id: that name means all of them.
    """
    entries = document.get("models") if isinstance(document, Mapping) else None
    for entry in entries if isinstance(entries, list) else []:
        loaded = entry.get("loaded_instances") if isinstance(entry, Mapping) else None
        ids = [str(one["id"]) for one in loaded or [] if isinstance(one, Mapping) and "id" in one]
        if isinstance(entry, Mapping) and entry.get("key") == model:
            return ids
        if model in ids:
            return [model]
    return None


async def _post(client: httpx2.AsyncClient, endpoint: Endpoint, url: str, body: dict[str, Any]) -> UnloadOutcome:
    response = await client.post(url, json=body)
    if response.status_code == 200:
        return _outcome(endpoint, "unloaded", is_unloaded=True)
    if response.status_code in (404, 405, 501):
        return _outcome(endpoint, f"not possible here: the server has no such call (HTTP {response.status_code})")
    return _outcome(endpoint, f"not unloaded: HTTP {response.status_code}")


def _json(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _outcome(endpoint: Endpoint, detail: str, *, is_unloaded: bool = False) -> UnloadOutcome:
    return UnloadOutcome(endpoint=endpoint.name, model=endpoint.model, is_unloaded=is_unloaded, detail=detail)
