"""Promises of `tip up` with a GGUF file in the settings; real llama.cpp, a tiny model made here."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instance.launch.small_project import temporary_project, variables, wait_until
from tests.unit.resources.llama.tiny_gguf import write_tiny_gguf
from tip_resources.launch.ports import free_ports
from tip_resources.launch.supervisor import running_services
from tip_resources.llama.addresses import server_url
from tip_resources.llama.plan import is_serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed (extra llama)"
    ),
]


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_project() as home, variables(TIP_HOME=str(home), DAGSTER_DISABLE_TELEMETRY="1"):
        yield home


def test_a_gguf_file_of_the_settings_is_served_while_the_services_run(home: Path) -> None:
    write_tiny_gguf(home / "tiny.gguf")
    good, bad = free_ports(2)
    (home / "config").mkdir()
    (home / "config" / "default.yaml").write_text(
        "models:\n  llama_servers:\n"
        f"    - {{model_path: gone.gguf, port: {bad}}}\n"
        f"    - {{model_path: tiny.gguf, port: {good}}}\n"
    )
    said: list[str] = []
    with running_services(home, web_port=None, on_log=said.append):
        wait_until(lambda: is_serving(server_url(good), "tiny"), "the model")
        assert any("not started" in line and "gone.gguf" in line for line in said)
        assert any(line.startswith("llama server tiny: context of 4096 tokens") for line in said)
    assert not is_serving(server_url(good), "tiny")
