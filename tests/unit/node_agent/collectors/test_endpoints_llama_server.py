"""llama-server tells of its slots and its queue, and is neither woken nor made to load a model by looking."""

from node_agent.report import ServedModel
from tests.unit.node_agent.collectors.endpoints_recordings import Page, found, model_list, serving

LLAMA_LIST = model_list({"id": "gemma-4-E4B", "owned_by": "llamacpp", "meta": {"n_ctx": 16384, "n_ctx_train": 131072}})
LLAMA_PROPS = {
    "default_generation_settings": {"id": 0, "id_task": -1, "n_ctx": 4096, "is_processing": False, "params": {}},
    "total_slots": 4,
    "model_path": "../models/gemma.gguf",
    "build_info": "b9992-abc",
    "is_sleeping": False,
}
LLAMA_METRICS = """# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 4
# HELP llamacpp:requests_deferred Number of requests deferred.
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 46
"""
NO_METRICS = Page({"error": {"code": 501, "message": "This server does not support metrics endpoint."}}, status=501)
LLAMA_SLOTS = [{"id": number, "n_ctx": 4096, "is_processing": number != 1, "prompt": "secret"} for number in range(4)]


def test_llama_server_tells_slots_and_queue_where_metrics_are_enabled() -> None:
    pages = {"/v1/models": LLAMA_LIST, "/props": Page(LLAMA_PROPS), "/metrics": Page(LLAMA_METRICS)}
    with serving(pages) as running:
        endpoint = found(running)
    assert endpoint.kind == "llama_server"
    assert endpoint.models == (ServedModel("gemma-4-E4B", True, 4096),)
    assert (endpoint.slots, endpoint.slots_busy, endpoint.queue_depth) == (4, 4, 46)


def test_llama_server_without_metrics_tells_its_busy_slots() -> None:
    pages = {
        "/v1/models": LLAMA_LIST,
        "/props": Page(LLAMA_PROPS),
        "/metrics": NO_METRICS,
        "/slots": Page(LLAMA_SLOTS),
    }
    with serving(pages) as running:
        endpoint = found(running)
    assert (endpoint.slots, endpoint.slots_busy, endpoint.queue_depth) == (4, 3, None)
    assert "secret" not in str(endpoint)


def test_llama_server_is_not_asked_for_pages_it_says_it_does_not_serve() -> None:
    properties = {**LLAMA_PROPS, "endpoint_metrics": False, "endpoint_slots": False}
    with serving({"/v1/models": LLAMA_LIST, "/props": Page(properties)}) as running:
        assert found(running).slots_busy is None
    assert running.asked == ["/v1/models", "/props"]


def test_a_sleeping_llama_server_is_not_woken() -> None:
    pages = {
        "/v1/models": LLAMA_LIST,
        "/props": Page({**LLAMA_PROPS, "is_sleeping": True}),
        "/metrics": Page(LLAMA_METRICS),
        "/slots": Page(LLAMA_SLOTS),
    }
    with serving(pages) as running:
        endpoint = found(running)
    assert endpoint.models == (ServedModel("gemma-4-E4B", False, 4096),)
    assert running.asked == ["/v1/models", "/props"]


def test_a_llama_server_that_may_fall_asleep_is_not_kept_awake() -> None:
    pages = {"/v1/models": LLAMA_LIST, "/props": Page(LLAMA_PROPS), "/slots": Page(LLAMA_SLOTS)}
    with serving(pages) as running:
        endpoint = found(running, may_keep_awake=False)
    assert (endpoint.slots, endpoint.slots_busy) == (4, None)
    assert running.asked == ["/v1/models", "/props"]


def test_a_llama_server_that_routes_tells_which_models_are_loaded_and_loads_none() -> None:
    entries = [
        {
            "id": "Qwen3-0.6B",
            "owned_by": "llamacpp",
            "status": {"value": "loaded", "args": []},
            "meta": {"n_ctx": 8192},
        },
        {"id": "Mellum2-12B", "owned_by": "llamacpp", "status": {"value": "unloaded", "args": []}},
        {"id": "Nex-N2-mini", "owned_by": "llamacpp", "status": {"value": "sleeping", "args": []}},
    ]
    pages = {"/v1/models": model_list(*entries), "/props": Page({"role": "router", "build_info": "b9992"})}
    with serving(pages) as running:
        endpoint = found(running)
    assert [(model.name, model.is_loaded) for model in endpoint.models] == [
        ("Qwen3-0.6B", True),
        ("Mellum2-12B", False),
        ("Nex-N2-mini", False),
    ]
    assert running.asked == ["/v1/models", "/props"]
