"""Each kind of model server is recognised and read, over real HTTP, in the formats of its documentation."""

from collections.abc import Mapping
from typing import Any

import pytest

from node_agent.collectors.endpoints_servers import metric
from node_agent.report import ServedModel
from tests.unit.node_agent.collectors.endpoints_recordings import Page, found, model_list, serving

LM_STUDIO_LIST = model_list(
    {"id": "google/gemma-4-26b-a4b", "owned_by": "organization_owner"},
    {"id": "text-embedding-nomic-embed-text-v1.5", "owned_by": "organization_owner"},
)
LM_STUDIO_MODELS = {
    "models": [
        {
            "type": "llm",
            "publisher": "google",
            "key": "google/gemma-4-26b-a4b",
            "display_name": "Gemma 4 26B A4B",
            "architecture": "gemma4",
            "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
            "size_bytes": 17_990_911_801,
            "params_string": "26B-A4B",
            "loaded_instances": [
                {"id": "google/gemma-4-26b-a4b", "config": {"context_length": 16384, "parallel": 4}},
                {"id": "google/gemma-4-26b-a4b:2", "config": {"context_length": 8192, "parallel": 2}},
            ],
            "max_context_length": 262144,
            "format": "gguf",
        },
        {
            "type": "llm",
            "publisher": "qwen",
            "key": "qwen/qwen3-8b",
            "loaded_instances": [],
            "max_context_length": 131072,
        },
        {
            "type": "embedding",
            "publisher": "nomic-ai",
            "key": "text-embedding-nomic-embed-text-v1.5",
            "loaded_instances": [{"id": "text-embedding-nomic-embed-text-v1.5", "config": {"context_length": 2048}}],
            "max_context_length": 2048,
        },
    ]
}
# LM Studio answers whatever it does not know with 200.
LM_STUDIO_UNKNOWN = Page({"error": "Unexpected endpoint or method. (GET /api/v1/models)"})


def test_lm_studio_tells_loaded_models_their_context_and_its_slots() -> None:
    pages = {"/v1/models": LM_STUDIO_LIST, "/api/v1/models": Page(LM_STUDIO_MODELS)}
    with serving(pages, LM_STUDIO_UNKNOWN) as running:
        endpoint = found(running)
    assert endpoint.kind == "lm_studio"
    assert endpoint.models == (
        ServedModel("google/gemma-4-26b-a4b", True, 8192),
        ServedModel("qwen/qwen3-8b", False, 131072),
        ServedModel("text-embedding-nomic-embed-text-v1.5", True, 2048),
    )
    assert (endpoint.slots, endpoint.slots_busy, endpoint.queue_depth) == (6, None, None)


def test_an_lm_studio_before_0_4_tells_what_is_loaded_in_its_old_page() -> None:
    old = {
        "object": "list",
        "data": [
            {
                "id": "qwen3-8b",
                "type": "llm",
                "state": "loaded",
                "max_context_length": 131072,
                "loaded_context_length": 8192,
            },
            {"id": "gemma-3-4b", "type": "llm", "state": "not-loaded", "max_context_length": 32768},
        ],
    }
    with serving({"/v1/models": LM_STUDIO_LIST, "/api/v0/models": Page(old)}, LM_STUDIO_UNKNOWN) as running:
        endpoint = found(running)
    assert endpoint.kind == "lm_studio"
    assert endpoint.models == (ServedModel("qwen3-8b", True, 8192), ServedModel("gemma-3-4b", False, 32768))
    assert endpoint.slots is None


def test_an_lm_studio_without_any_model_is_still_found() -> None:
    pages = {"/v1/models": model_list(), "/api/v1/models": Page({"models": []})}
    with serving(pages, LM_STUDIO_UNKNOWN) as running:
        endpoint = found(running)
    assert (endpoint.kind, endpoint.models, endpoint.slots) == ("lm_studio", (), None)


def ollama_tag(name: str) -> dict[str, Any]:
    details = {"format": "gguf", "family": "gemma3", "parameter_size": "4.3B", "quantization_level": "Q4_K_M"}
    return {"name": name, "model": name, "size": 3_338_801_804, "digest": "a2af6cc3eb7f", "details": details}


@pytest.mark.parametrize("owner", ["library", "bartowski"])
def test_ollama_tells_what_is_loaded_whoever_made_the_models(owner: str) -> None:
    loaded = {**ollama_tag("gemma3:4b"), "expires_at": "2026-11-21T10:00:00Z", "size_vram": 1, "context_length": 4096}
    pages = {
        "/v1/models": model_list({"id": "gemma3:4b", "owned_by": owner}, {"id": "llama3.2:1b", "owned_by": owner}),
        "/api/tags": Page({"models": [ollama_tag("llama3.2:1b"), ollama_tag("gemma3:4b")]}),
        "/api/ps": Page({"models": [loaded]}),
    }
    with serving(pages) as running:
        endpoint = found(running)
    assert endpoint.kind == "ollama"
    assert endpoint.models == (ServedModel("gemma3:4b", True, 4096), ServedModel("llama3.2:1b", False, None))


def test_an_ollama_without_models_writes_null() -> None:
    pages = {
        "/v1/models": Page({"object": "list", "data": None}),
        "/api/tags": Page({"models": []}),
        "/api/ps": Page({"models": []}),
    }
    with serving(pages) as running:
        endpoint = found(running)
    assert (endpoint.kind, endpoint.models) == ("ollama", ())


VLLM_METRICS = """# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3-32B"} 5.0
vllm:num_requests_running{engine="1",model_name="Qwen/Qwen3-32B"} 3.0
# HELP vllm:num_requests_waiting Number of requests waiting to be processed.
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="Qwen/Qwen3-32B"} 2.0
vllm:num_requests_waiting{engine="1",model_name="Qwen/Qwen3-32B"} 0.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
vllm:kv_cache_usage_perc{engine="0",model_name="Qwen/Qwen3-32B"} 0.25
"""


def test_vllm_tells_its_running_and_waiting_calls_of_all_engines() -> None:
    pages = {
        "/v1/models": model_list(
            {"id": "Qwen/Qwen3-32B", "owned_by": "vllm", "root": "/model", "max_model_len": 32768}
        ),
        "/metrics": Page(VLLM_METRICS, content_type="text/plain; version=0.0.4; charset=utf-8"),
    }
    with serving(pages) as running:
        endpoint = found(running)
    assert endpoint.kind == "vllm"
    assert endpoint.models == (ServedModel("Qwen/Qwen3-32B", True, 32768),)
    assert (endpoint.slots, endpoint.slots_busy, endpoint.queue_depth) == (None, 8, 2)


def test_llama_cpp_python_tells_its_models() -> None:
    with serving({"/v1/models": model_list({"id": "qwen2.5-0.5b", "owned_by": "me", "permissions": []})}) as running:
        endpoint = found(running)
    assert (endpoint.kind, endpoint.models) == ("llama_cpp_python", (ServedModel("qwen2.5-0.5b"),))
    assert running.asked == ["/v1/models"]


def test_a_server_of_another_kind_is_listed_with_what_it_says() -> None:
    with serving(
        {"/v1/models": model_list({"id": "some-model", "owned_by": "sglang", "max_model_len": 2048})}
    ) as running:
        endpoint = found(running)
    assert (endpoint.kind, endpoint.models) == ("unknown", (ServedModel("some-model", None, 2048),))


@pytest.mark.parametrize(
    "entry",
    [
        {"id": 7},
        {"id": None},
        {"id": ""},
        {"id": "x" * 300},
        {"id": "line\nbreak"},
        {"owned_by": ["vllm"]},
        {"name": {}},
    ],
)
def test_a_model_without_a_proper_name_is_left_out(entry: Mapping[str, Any]) -> None:
    with serving({"/v1/models": model_list(entry, {"id": "good"}, {"id": "good"})}) as running:
        assert found(running).models == (ServedModel("good"),)


@pytest.mark.parametrize("length", [0, -1, True, "8192", 1.5, 10**30, [8192], {}])
def test_a_context_window_that_is_no_count_is_not_told(length: Any) -> None:
    pages = {"/v1/models": model_list({"id": "m", "owned_by": "vllm", "max_model_len": length})}
    with serving(pages) as running:
        assert found(running).models == (ServedModel("m", True, None),)


def test_a_list_without_end_is_cut() -> None:
    with serving({"/v1/models": model_list(*({"id": f"model-{number}"} for number in range(1_000)))}) as running:
        assert len(found(running).models) == 256


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("calls 3\n", 3),
        ("calls 3 1735142223000\n", 3),
        ('calls{name="a} b"} 2.0\ncalls{name="c"} 1e0 1735142223000\n', 3),
        ("calls 0\n", 0),
        ("# calls 7\n", None),
        ("calls_total 7\n", None),
        ("calls NaN\n", None),
        ("calls +Inf\n", None),
        ("calls -1\n", None),
        ("calls{\n", None),
        ("calls \n", None),
        ("", None),
        (None, None),
    ],
)
def test_a_metric_is_the_sum_of_its_samples_or_not_told(text: str | None, value: int | None) -> None:
    assert metric(text, "calls") == value
