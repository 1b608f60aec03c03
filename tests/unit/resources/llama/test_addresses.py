"""Promises of the configured GGUF files as endpoints."""

import pytest
from pydantic import ValidationError

from tip_resources.llama.addresses import llama_endpoints, server_name
from tip_resources.llm.candidates import candidates
from tip_resources.settings.models import EndpointSettings, LlamaServerSettings, ModelSettings, Settings


def models(*entries: LlamaServerSettings, **fields: object) -> ModelSettings:
    return ModelSettings.model_validate({"llama_servers": entries, "probe_localhost": False, **fields})


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("models/Qwen2.5-1.5B Instruct.Q4_K_M.GGUF", "qwen2.5-1.5b-instruct.q4_k_m"),
        (r"C:\models\phi-4.gguf", "phi-4"),
        ("/models/???.gguf", "llama"),
    ],
)
def test_the_name_comes_from_the_file(path: str, name: str) -> None:
    assert server_name(LlamaServerSettings(model_path=path)) == name


def test_each_file_has_a_port_of_its_own_that_every_process_knows() -> None:
    entries = (LlamaServerSettings(model_path="a.gguf"), LlamaServerSettings(model_path="b.gguf"))
    ports = [endpoint.url for endpoint in llama_endpoints(models(*entries))]
    assert ports == ["http://127.0.0.1:8090/v1", "http://127.0.0.1:8091/v1"]


def test_a_configured_file_is_a_candidate_like_any_other() -> None:
    settings = Settings(models=models(LlamaServerSettings(model_path="a.gguf", port=9000, name="pi")))
    (found,) = candidates(settings, None, {})
    assert (found.url, found.model, found.tier, found.concurrency) == ("http://127.0.0.1:9000/v1", "pi", "local", 1)
    assert not found.obstacle


def test_a_server_that_is_also_an_endpoint_of_the_settings_counts_once_as_that() -> None:
    endpoint = EndpointSettings(url="http://localhost:8090/v1", name="mine", concurrency=2)
    settings = Settings(models=models(LlamaServerSettings(model_path="a.gguf"), endpoints=(endpoint,)))
    (found,) = candidates(settings, None, {})
    assert (found.name, found.concurrency) == ("mine", 2)


def test_a_name_that_could_leave_the_log_folder_is_refused() -> None:
    with pytest.raises(ValidationError, match="letters, digits"):
        LlamaServerSettings(model_path="a.gguf", name="../../etc/passwd")
