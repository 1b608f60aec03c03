"""Where the llama.cpp servers of the settings listen, and what they are called. Pure."""

import re

from tip_resources.settings.models import EndpointSettings, LlamaServerSettings, ModelSettings

HOST = "127.0.0.1"
# Beside 8080, where llama-server listens by itself.
FIRST_PORT = 8090
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+")


def server_name(entry: LlamaServerSettings) -> str:
    """The name of its model and endpoint."""
    if entry.name:
        return entry.name
    file = re.split(r"[/\\]", entry.model_path)[-1].lower().removesuffix(".gguf")
    return _NOT_IN_A_NAME.sub("-", file).strip("-.") or "llama"


def server_port(entry: LlamaServerSettings, position: int) -> int:
    """The port of the entry at that position (from 0); fixed, so that every process finds it without asking."""
    return entry.port or FIRST_PORT + position


def server_url(port: int) -> str:
    """The base URL of a server of ours."""
    return f"http://{HOST}:{port}/v1"


def llama_endpoints(models: ModelSettings) -> list[EndpointSettings]:
    """The configured GGUF files as endpoints. llama-cpp-python answers one request at a time."""
    return [
        EndpointSettings(
            url=server_url(server_port(entry, position)),
            name=server_name(entry),
            model=server_name(entry),
            tier="local",
            concurrency=1,
        )
        for position, entry in enumerate(models.llama_servers)
    ]
