"""Promises of llama.cpp under our watch, with real llama.cpp and a tiny model made here; it writes noise.

Needs the extra `llama`.
"""

import asyncio
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.unit.resources.llama.tiny_gguf import write_tiny_gguf
from tip_resources.domain.failures import BadInput, TransientFailure
from tip_resources.launch.ports import free_ports
from tip_resources.llama import plan as plans
from tip_resources.llama.diagnosis import diagnose_llama_servers
from tip_resources.llama.keeping import LlamaServers, running_llama_server
from tip_resources.llama.plan import LlamaPlan, is_serving, llama_plan
from tip_resources.llm.ask import ask_json
from tip_resources.llm.endpoints import resolve_endpoints
from tip_resources.llm.types import Message
from tip_resources.settings.models import LlamaServerSettings, ModelSettings, Settings

needs_llama = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed (extra llama)"
)
_PARENT = """
import sys, time, os, json
from pathlib import Path
from tip_resources.llama.keeping import running_llama_server
from tip_resources.llama.plan import llama_plan
from tip_resources.settings.models import LlamaServerSettings
entry = LlamaServerSettings(model_path=sys.argv[1], port=int(sys.argv[2]))
folder = Path(sys.argv[3])
with running_llama_server(llama_plan(entry, 0, folder), folder, dict(os.environ), on_log=lambda line: None):
    print("ready", flush=True)
    time.sleep(120)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture
def plan(model: Path, tmp_path: Path) -> LlamaPlan:
    entry = LlamaServerSettings(model_path=str(model), port=free_ports(1)[0], threads=1, context_window_tokens=2048)
    return llama_plan(entry, 0, tmp_path)


@pytest.fixture
def said() -> list[str]:
    return []


def until(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def server_pid(port: int) -> int:
    """The process that serves the port, by its command line."""
    found = [
        process.info["pid"]
        for process in psutil.process_iter(["pid", "cmdline"])
        if plans.SERVICE_MODULE in (words := process.info["cmdline"] or []) and str(port) in words
    ]
    assert len(found) == 1
    return found[0]


def chunks(url: str, **fields: Any) -> Iterator[Any]:
    """The events of one streamed answer."""
    body = {"model": "tiny", "messages": [{"role": "user", "content": "abc"}], "stream": True, **fields}
    request = urllib.request.Request(
        f"{url}/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        for line in response:
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])


@needs_llama
def test_a_gguf_file_becomes_an_endpoint_that_answers_and_is_gone_after(
    plan: LlamaPlan, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What other programs mean by these must not reach llama-cpp-python, which reads them too.
    environment = {**os.environ, "API_KEY": "secret", "HOST": "0.0.0.0", "N_CTX": "17", "MODEL": "elsewhere"}
    with running_llama_server(plan, tmp_path, environment, on_log=said.append):
        entry = LlamaServerSettings(model_path=str(plan.model), port=plan.port)
        settings = Settings(models=ModelSettings(llama_servers=(entry,), probe_localhost=False))
        (endpoint,) = asyncio.run(resolve_endpoints(settings, domain="retail", environ={}))
        assert (endpoint.model, endpoint.url) == ("tiny", plan.url)
        assert (endpoint.context_window_tokens, endpoint.concurrency) == (2048, 1)
        events = list(chunks(plan.url, max_tokens=12))
        assert events[-1]["choices"][0]["finish_reason"] in ("length", "stop")
        assert [found.ok for found in diagnose_llama_servers(settings, tmp_path)] == [True]
    assert not is_serving(plan.url, "tiny")
    assert (tmp_path / "logs" / "llama-tiny.log").stat().st_size > 0


@needs_llama
def test_it_answers_in_the_shape_asked_for(plan: LlamaPlan, tmp_path: Path, said: list[str]) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["calm", "angry"]}},
        "required": ["mood"],
        "additionalProperties": False,
    }
    with running_llama_server(plan, tmp_path, dict(os.environ), on_log=said.append):
        entry = LlamaServerSettings(model_path=str(plan.model), port=plan.port)
        settings = Settings(models=ModelSettings(llama_servers=(entry,), probe_localhost=False))

        async def scenario() -> Any:
            (endpoint,) = await resolve_endpoints(settings, domain="", role="refine", environ={})
            return await ask_json(endpoint, [Message("user", "How is she?")], schema, settings.engine)

        assert asyncio.run(scenario()) in ({"mood": "calm"}, {"mood": "angry"})


@needs_llama
@pytest.mark.slow
def test_a_second_request_waits_and_does_not_cut_off_the_first_and_the_model_stays_listed(
    plan: LlamaPlan, tmp_path: Path, said: list[str]
) -> None:
    with running_llama_server(plan, tmp_path, dict(os.environ), on_log=said.append):
        # Logit bias keeps the end-of-text token out, so that the length is known.
        first = chunks(plan.url, max_tokens=150, logit_bias={"2": -100})
        next(first)
        second: list[Any] = []
        other = threading.Thread(target=lambda: second.extend(chunks(plan.url, max_tokens=4)))
        other.start()
        assert is_serving(plan.url, "tiny")
        assert list(first)[-1]["choices"][0]["finish_reason"] == "length"
        other.join(60)
        assert second[-1]["choices"][0]["finish_reason"] in ("length", "stop")


@needs_llama
@pytest.mark.slow
def test_a_killed_server_is_started_again(plan: LlamaPlan, tmp_path: Path, said: list[str]) -> None:
    with running_llama_server(plan, tmp_path, dict(os.environ), on_log=said.append):
        before = server_pid(plan.port)
        psutil.Process(before).kill()
        until(lambda: any("starting it again in 1 s" in line for line in said))
        until(lambda: is_serving(plan.url, "tiny"))
        assert server_pid(plan.port) != before


@needs_llama
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_the_server_ends_when_its_supervisor_is_killed(model: Path, tmp_path: Path) -> None:
    port = free_ports(1)[0]
    command = [sys.executable, "-c", _PARENT, str(model), str(port), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        server = psutil.Process(server_pid(port))
        parent.send_signal(signal.SIGKILL)
    server.wait(20)
    assert not server.is_running()


@needs_llama
@pytest.mark.slow
def test_the_servers_of_the_settings_run_beside_each_other_and_a_bad_one_stops_none(
    model: Path, tmp_path: Path, said: list[str]
) -> None:
    ports = free_ports(2)
    good = LlamaServerSettings(model_path=str(model), port=ports[0])
    bad = LlamaServerSettings(model_path="gone.gguf", port=ports[1])
    servers = LlamaServers(said.append)
    try:
        servers.start(ModelSettings(llama_servers=(bad, good)), tmp_path, tmp_path, dict(os.environ))
        until(lambda: any(line.startswith("llama server tiny ready") for line in said))
        assert any("not started" in line and "gone.gguf" in line for line in said)
    finally:
        servers.stop()
    assert not is_serving(plans.server_url(ports[0]), "tiny")


@needs_llama
def test_a_file_that_llama_cpp_cannot_load_is_said_with_the_end_of_its_log(
    model: Path, tmp_path: Path, said: list[str]
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(model.read_bytes()[:-100_000])
    entry = LlamaServerSettings(model_path=str(broken), port=free_ports(1)[0])
    with (
        pytest.raises(TransientFailure, match=r"(?s)llama server broken ended at its start.*llama-broken\.log"),
        running_llama_server(llama_plan(entry, 0, tmp_path), tmp_path, dict(os.environ), on_log=said.append),
    ):
        raise AssertionError("it was said to be ready")


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_MODULES", ("json", "a_module_nobody_has"))
    with pytest.raises(BadInput, match=r'a_module_nobody_has missing.*pip install "transcript-.*\[llama\]"'):
        plans.check_installed()


def test_a_taken_port_is_said_before_the_model_is_loaded(
    plan: LlamaPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "_MODULES", ())
    with socket.socket() as other:
        other.bind(("127.0.0.1", plan.port))
        other.listen()
        with pytest.raises(BadInput, match=rf"llama server tiny: port {plan.port} is taken"):
            plans.llama_service(plan, tmp_path, dict(os.environ))


def test_doctor_says_why_a_file_cannot_be_served(tmp_path: Path) -> None:
    entry = LlamaServerSettings(model_path="gone.gguf", port=free_ports(1)[0])
    (found,) = diagnose_llama_servers(Settings(models=ModelSettings(llama_servers=(entry,))), tmp_path)
    assert not found.ok
    assert "gone.gguf" in found.detail
