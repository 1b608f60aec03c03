"""Promises of unloading: each server is asked in its own words, and what it cannot do is said, not raised."""

import asyncio
from typing import Any

import pytest

from tests.unit.resources.llm.helpers import DEAD_URL
from tests.unit.resources.llm.management_double import Answers, management_double
from tip_resources.llm.types import Endpoint
from tip_resources.llm.unload import UnloadOutcome, unload_model


def listed(owner: str, *names: str) -> tuple[int, Any]:
    return 200, {"object": "list", "data": [{"id": name, "object": "model", "owned_by": owner} for name in names]}


def unloaded(answers: Answers, model: str) -> tuple[UnloadOutcome, list[tuple[str, Any]]]:
    with management_double(answers) as (url, posted):
        return asyncio.run(unload_model(Endpoint(name="box", url=url, model=model))), posted


def test_ollama_is_told_to_keep_the_model_for_no_time() -> None:
    done = (200, {"model": "phi3:latest", "response": "", "done": True, "done_reason": "unload"})
    answers = {"GET /v1/models": listed("library", "phi3:latest"), "POST /api/generate": done}
    outcome, posted = unloaded(answers, "phi3:latest")
    assert outcome.is_unloaded
    assert posted == [("/api/generate", {"model": "phi3:latest", "keep_alive": 0})]


LM_STUDIO = {
    "GET /v1/models": listed("organization_owner", "phi-4", "qwen"),
    "GET /api/v1/models": (
        200,
        {
            "models": [
                {"type": "llm", "key": "phi-4", "loaded_instances": [{"id": "phi-4"}, {"id": "phi-4:2"}]},
                {"type": "llm", "key": "qwen", "loaded_instances": []},
            ]
        },
    ),
    "POST /api/v1/models/unload": (200, {"instance_id": "phi-4"}),
}


def test_every_instance_of_the_model_leaves_lm_studio() -> None:
    outcome, posted = unloaded(LM_STUDIO, "phi-4")
    assert outcome.is_unloaded
    assert posted == [
        ("/api/v1/models/unload", {"instance_id": "phi-4"}),
        ("/api/v1/models/unload", {"instance_id": "phi-4:2"}),
    ]


def test_a_call_by_instance_unloads_that_instance_alone() -> None:
    _, posted = unloaded(LM_STUDIO, "phi-4:2")
    assert posted == [("/api/v1/models/unload", {"instance_id": "phi-4:2"})]


def test_a_model_that_is_not_in_memory_needs_no_call() -> None:
    outcome, posted = unloaded(LM_STUDIO, "qwen")
    assert (outcome.is_unloaded, outcome.detail, posted) == (True, "was not loaded", [])


def test_an_older_lm_studio_is_named_as_the_reason() -> None:
    outcome, posted = unloaded({"GET /v1/models": listed("organization_owner", "phi-4")}, "phi-4")
    assert not outcome.is_unloaded and "older than 0.4" in outcome.detail
    assert posted == []


def test_a_llama_server_router_is_asked_and_one_for_a_single_model_cannot() -> None:
    models = {"GET /v1/models": listed("llamacpp", "tiny")}
    outcome, posted = unloaded({**models, "POST /models/unload": (200, {"success": True})}, "tiny")
    assert outcome.is_unloaded and posted == [("/models/unload", {"model": "tiny"})]
    outcome, _ = unloaded(models, "tiny")
    assert not outcome.is_unloaded and outcome.detail.startswith("not possible here")


@pytest.mark.parametrize(("owner", "name"), [("vllm", "vLLM"), ("openai", "OpenAI"), ("me", "llama-cpp-python")])
def test_servers_without_such_a_call_are_not_asked(owner: str, name: str) -> None:
    outcome, posted = unloaded({"GET /v1/models": listed(owner, "m")}, "m")
    assert outcome.detail == f"not possible here: {name} cannot unload a model over its API"
    assert posted == []


def test_a_refusal_and_a_dead_server_are_said() -> None:
    answers = {"GET /v1/models": listed("library", "m"), "POST /api/generate": (500, {"error": "busy"})}
    assert unloaded(answers, "m")[0].detail == "not unloaded: HTTP 500"
    outcome = asyncio.run(unload_model(Endpoint(name="box", url=DEAD_URL, model="m")))
    assert not outcome.is_unloaded and "nobody answers" in outcome.detail
