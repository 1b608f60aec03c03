"""Promises of the diagnosis: each thing a newcomer gets wrong is found, with the way to mend it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.unit.resources.llm.helpers import DEAD_URL
from tests.unit.resources.llm.scripted_server import ScriptedServer
from tip_resources.llm.candidates import LocalServer
from tip_resources.llm.diagnosis import Finding, diagnose_endpoints
from tip_resources.settings.models import EndpointSettings, ModelSettings, Settings

NONE_LOCAL = (LocalServer("LM Studio", DEAD_URL),)


@contextmanager
def running(models: Any) -> Iterator[str]:
    """A server on a thread of its own, because the diagnosis runs its own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ScriptedServer(models=models)
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        yield server.url
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def diagnosed(models: Any, **endpoint: Any) -> dict[str, Finding]:
    with running(models) as url:
        settings = Settings(models=ModelSettings(endpoints=(EndpointSettings(url=url, name="box", **endpoint),)))
        return {found.name: found for found in diagnose_endpoints(settings, {}, local_servers=NONE_LOCAL)}


def test_a_good_server_gets_good_marks_and_empty_ports_are_no_fault() -> None:
    found = diagnosed({"data": [{"id": "phi-4", "max_model_len": 131072}]})
    assert all(one.ok for one in found.values())
    assert set(found) == {"endpoint box", "model of box", "context window of box"}


def window_finding(tokens: int) -> Finding:
    return diagnosed({"data": [{"id": "phi-4", "max_model_len": tokens}]})["context window of box"]


def test_a_context_window_smaller_than_the_batch_is_said_and_still_works() -> None:
    found = window_finding(16_384)
    assert found.ok
    assert "16384 tokens hold 3 simple calls at once; up to 30 would be asked for" in found.detail
    assert "larger context window" in found.mend


def test_a_context_window_too_small_for_one_full_call_is_found() -> None:
    assert "calls will have" in window_finding(4_096).detail
    assert "cannot hold one call" in window_finding(1_600).detail
    assert not window_finding(4_096).ok and not window_finding(1_600).ok


def test_a_model_that_is_not_served_is_found() -> None:
    found = diagnosed({"data": [{"id": "phi-4"}]}, model="phi-5")["model of box"]
    assert not found.ok
    assert "it serves phi-4" in found.detail
    assert "TIP_LLM_MODEL" in found.mend


def test_a_missing_key_is_found() -> None:
    found = diagnosed({"data": []}, api_key_env="BOX_KEY")["API key of box"]
    assert not found.ok
    assert "BOX_KEY" in found.detail


def test_a_paid_endpoint_that_is_not_chosen_is_no_fault() -> None:
    found = diagnosed({"data": []}, tier="openai", api_key_env="PATH")["endpoint box"]
    assert found.ok


def test_a_machine_without_any_server_is_told_what_to_start() -> None:
    (found,) = diagnose_endpoints(Settings(), {}, local_servers=NONE_LOCAL)
    assert not found.ok
    assert "LM Studio" in found.detail
    assert "--rehearsal" in found.mend


def test_a_configured_server_that_is_down_is_found() -> None:
    entry = EndpointSettings(url=DEAD_URL, name="box")
    settings = Settings(models=ModelSettings(endpoints=(entry,), probe_localhost=False))
    found = {one.name: one for one in diagnose_endpoints(settings, {}, local_servers=())}
    assert not found["endpoint box"].ok
    assert not found["model server"].ok


def test_a_model_named_for_a_role_that_nobody_serves_is_a_finding() -> None:
    with running({"data": [{"id": "phi-4"}]}) as url:
        models = ModelSettings.model_validate(
            {"endpoints": [{"url": url}], "by_role": {"judge": "qwen-14b", "write": "phi-4"}}
        )
        diagnosis = diagnose_endpoints(Settings(models=models), {}, local_servers=NONE_LOCAL)
    found = {finding.name: finding for finding in diagnosis}
    assert found["models.by_role.write"].ok
    assert not found["models.by_role.judge"].ok
    assert "qwen-14b" in found["models.by_role.judge"].detail
    assert "models.by_role.judge" in found["models.by_role.judge"].mend
