"""A scripted judge over real HTTP, on a thread of its own, because judging runs its own event loop."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.unit.resources.llm.scripted_server import ScriptedServer, says
from tip_assets.quality.judge_rubric import judge_rubric
from tip_resources.settings.models import EngineSettings, ModelSettings, Settings

VERDICT: dict[str, Any] = {"rationale": "fine", **dict.fromkeys(judge_rubric().criteria, 4.0)}


@contextmanager
def serving(answer: Any, *models: str, host: str = "127.0.0.1") -> Iterator[ScriptedServer]:
    """A server that gives this answer (a text or a reply) to every question; without `models` its model is judge."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listed = {"data": [{"id": name} for name in models or ("judge",)]}
    server = ScriptedServer([says(answer) if isinstance(answer, str) else answer], models=listed, host=host)
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def judging_settings(url: str) -> Settings:
    """Settings that know this server alone, and lose patience with it quickly."""
    models = ModelSettings.model_validate({"endpoints": [{"url": url, "model": "judge"}], "probe_localhost": False})
    return Settings(models=models, engine=EngineSettings(unavailable_limit_seconds=0.5))
