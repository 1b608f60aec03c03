"""Promise of the judge: the model that settings name for judging grades, not the one that writes."""

import json

import pytest
from sqlalchemy import Engine

from tests.unit.assets.quality.conftest import call_of
from tests.unit.assets.quality.judge_server import VERDICT, serving
from tests.unit.resources.fleet.fleet_rows import served, state, write_node, write_states
from tip_assets.quality import judged_calls as judging
from tip_assets.quality.judged_calls import find_judges, judged_calls
from tip_resources.fleet.fleet_servers import FleetServers
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.settings.fleet_models import FleetNodeSettings, FleetSettings
from tip_resources.settings.models import ModelSettings, Settings


def test_the_model_named_for_judging_gives_the_grade() -> None:
    with serving(json.dumps(VERDICT), "writer", "judge-14b") as server:
        models = ModelSettings.model_validate(
            {
                "endpoints": [{"url": server.url, "model": "writer"}],
                "by_role": {"judge": "judge-14b"},
                "probe_localhost": False,
            }
        )
        judges = find_judges("network", Settings(models=models), environ={})
        (graded,) = judged_calls([(call_of("Hello.", "My bill is wrong."), None)], judges)
        assert [asked.body["model"] for asked in server.asked] == ["judge-14b"]
    assert graded.grade is not None
    assert graded.grade.grader == "judge-14b"


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
    with serving(json.dumps(VERDICT), "judge-14b", host="127.0.0.2") as server:
        write_node(fresh_database, state("desk", "in_use", "a game"), served(server.port))
        fleet = FleetServers(KnownFleet(fresh_database, lambda: settings), fresh_database)
        judges = find_judges("network", settings, environ={}, fleet=fleet)
        (graded,) = judged_calls([(call_of("Hello.", "My bill is wrong."), None)], judges)
    assert said[0].startswith("desk is in_use: a game")
    assert graded.grade is not None
