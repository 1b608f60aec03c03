"""From a GGUF file in the settings to a service: where it listens, how it is started, whether it can be at all."""

import importlib.util
import json
import urllib.request
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgspec

from tip_resources.domain.failures import BadInput
from tip_resources.launch.background_service import BackgroundService
from tip_resources.launch.ports import check_port_is_free
from tip_resources.llama.addresses import HOST, server_name, server_port, server_url
from tip_resources.llama.gguf_header import read_gguf_facts
from tip_resources.llama.hardware import measured_hardware
from tip_resources.llama.options import Hardware, LlamaOptions, llama_options
from tip_resources.settings.models import LlamaServerSettings

SERVICE_MODULE = "tip_resources.llama.service"
# What `python -m llama_cpp.server` imports besides llama_cpp itself.
_MODULES = ("llama_cpp", "fastapi", "sse_starlette", "starlette_context", "pydantic_settings")
_ANSWER_SECONDS = 2.0


class LlamaPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One server as it will be started."""

    name: str
    model: Path
    port: int
    options: LlamaOptions

    @property
    def url(self) -> str:
        return server_url(self.port)


def check_installed() -> None:
    """Raises BadInput that names the extra when llama-cpp-python or its server is missing."""
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput(
            f"llama.cpp is not installed here ({', '.join(missing)} missing).",
            mend='pip install "transcript-intelligence-platform[llama]"',
        )


def llama_plan(entry: LlamaServerSettings, position: int, home: Path, *, hardware: Hardware | None = None) -> LlamaPlan:
    """How the entry at that position would be started.

    Args:
        entry: From the settings.
        position: From 0; decides the port when the entry names none.
        home: The project folder.
        hardware: None measures this machine.

    Raises:
        BadInput: The file cannot be used, or does not fit into memory.
    """
    model = (home / Path(entry.model_path).expanduser()).resolve()
    options = llama_options(
        read_gguf_facts(model),
        hardware or measured_hardware(),
        threads=entry.threads,
        context_tokens=entry.context_window_tokens,
    )
    return LlamaPlan(name=server_name(entry), model=model, port=server_port(entry, position), options=options)


def llama_service(plan: LlamaPlan, state: Path, environment: Mapping[str, str]) -> BackgroundService:
    """The server as a service to be kept; its log is in `state`/logs.

    Args:
        plan: What to start.
        state: `.tip/` of the project folder.
        environment: All variables of the process.

    Raises:
        BadInput: The extra is missing, or the port is taken.
    """
    check_installed()
    try:
        check_port_is_free(HOST, plan.port)
    except BadInput as error:
        mend = "Stop it, or set another port (models.llama_servers, or --port)."
        raise BadInput(error.what, where=f"llama server {plan.name}", mend=mend) from error
    logs = state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    arguments = ["--model", str(plan.model), "--name", plan.name, "--port", str(plan.port)]
    arguments += ["--threads", str(plan.options.threads), "--context", str(plan.options.context_tokens)]
    return BackgroundService(
        f"llama server {plan.name}",
        SERVICE_MODULE,
        arguments,
        log=logs / f"llama-{plan.name}.log",
        cwd=state,
        environment=environment,
        is_ready=partial(is_serving, plan.url, plan.name),
    )


def is_serving(url: str, name: str) -> bool:
    """Whether a server at `url` answers that it has the model of that name."""
    # Whatever proxy the environment names, loopback needs none.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/models", timeout=_ANSWER_SECONDS) as response:
            document = json.load(response)
        return any(entry["id"] == name for entry in document["data"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
