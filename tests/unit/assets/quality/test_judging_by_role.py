"""Promise of the judge: the model that settings name for judging grades, not the one that writes."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.unit.assets.quality.conftest import call_of
from tests.unit.resources.llm.scripted_server import ScriptedServer, says
from tip_assets.quality.judged_calls import judged_calls
from tip_resources.settings.models import ModelSettings, Settings

_VERDICT = {
    "rationale": "fine",
    **dict.fromkeys(("realism", "coherence", "naturalness"), 4),
    **dict.fromkeys(("domain_accuracy", "emotional_consistency", "flow", "completeness"), 0.8),
}


@contextmanager
def serving(*models: str) -> Iterator[ScriptedServer]:
    """A server on a thread of its own, because judging runs its own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = ScriptedServer([says(json.dumps(_VERDICT))], models={"data": [{"id": name} for name in models]})
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_the_model_named_for_judging_gives_the_grade() -> None:
    with serving("writer", "judge-14b") as server:
        models = ModelSettings.model_validate(
            {
                "endpoints": [{"url": server.url, "model": "writer"}],
                "by_role": {"judge": "judge-14b"},
                "probe_localhost": False,
            }
        )
        (graded,) = judged_calls(
            [call_of("Hello.", "My bill is wrong.")],
            tier="network",
            settings=Settings(models=models),
            environ={},
            rehearsal=False,
            on_ungraded=lambda why: None,
        )
        assert [asked.body["model"] for asked in server.asked] == ["judge-14b"]
    assert graded.annotations.grade is not None
    assert graded.annotations.grade.grader == "judge-14b"
