"""Promise of the judge: the model that settings name for judging grades, not the one that writes."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from tests.unit.assets.quality.conftest import call_of
from tests.unit.resources.fleet.fleet_rows import served, state, write_node, write_states
from tests.unit.resources.llm.scripted_server import ScriptedServer, says
from tip_assets.quality import judged_calls as judging
from tip_assets.quality.judged_calls import judged_calls
from tip_resources.fleet.fleet_servers import FleetServers
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import ModelSettings, Settings

_VERDICT = {
    "rationale": "fine",
    **dict.fromkeys(("realism", "coherence", "naturalness"), 4),
    **dict.fromkeys(("domain_accuracy", "emotional_consistency", "flow", "completeness"), 0.8),
}


@contextmanager
def serving(*models: str, host: str = "127.0.0.1") -> Iterator[ScriptedServer]:
    """A server on a thread of its own, because judging runs its own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listed = {"data": [{"id": name} for name in models]}
    server = ScriptedServer([says(json.dumps(_VERDICT))], models=listed, host=host)
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


def test_a_judge_on_a_machine_in_use_is_waited_for(fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        models=ModelSettings(probe_localhost=False),
        fleet=FleetSettings(nodes=(FleetNodeSettings(name="desk", url="http://127.0.0.2:8765"),)),
    )
    said: list[str] = []

    def goes_home(_message: str, why: str) -> None:
        """Its owner leaves as soon as it is said that judging waits for that."""
        said.append(why)
        write_states(fresh_database, state("desk"))

    monkeypatch.setattr(judging, "_LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(judging._logger, "warning", goes_home)
    with serving("judge-14b", host="127.0.0.2") as server:
        write_node(fresh_database, state("desk", "in_use", "a game"), served(server.port))
        (graded,) = judged_calls(
            [call_of("Hello.", "My bill is wrong.")],
            tier="network",
            settings=settings,
            environ={},
            rehearsal=False,
            on_ungraded=lambda why: None,
            fleet=FleetServers(KnownFleet(fresh_database, lambda: settings), fresh_database),
        )
    assert said[0].startswith("desk is in_use: a game")
    assert graded.annotations.grade is not None
