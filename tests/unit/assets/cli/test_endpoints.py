"""`tip endpoints` against a real server and a real database, and without one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from tests.unit.assets.experiments.renaming_relay import renaming_relay
from tests.unit.resources.fleet.fleet_rows import served, state, write_node
from tip_assets.cli.endpoints import endpoints
from tip_resources.database.endpoint_leases import Grant, Lease, LeaseStore
from tip_resources.database.seen_endpoints import EndpointRegistry
from tip_resources.rehearsal.process import rehearsal_process


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    monkeypatch.setenv("TIP_NODE", "desk")
    return tmp_path


def test_who_uses_a_server_is_shown_and_what_it_serves_is_kept(fresh_database: Engine, monkeypatch: pytest.MonkeyPatch):
    with rehearsal_process() as url:
        monkeypatch.setenv("TIP_LLM_URL", url)
        idle = CliRunner().invoke(endpoints)
        assert idle.exit_code == 0, idle.output
        assert "idle: it is the rehearsal server: it writes scripted calls and is used only with --rehearsal." in (
            idle.output
        )
        port = url.rsplit(":", 1)[1]
        lease = Lease(
            endpoint=f"http://desk:{port}",
            model="rehearsal",
            holder="4f3c0a35-6f6f-4a54-8f9c-3b1d6a1f1f00",
            host="desk",
            pid=7,
            wanted=2,
            in_flight=2,
        )
        LeaseStore(fresh_database).heartbeat(lease, lambda *_: Grant(2, 4))
        busy = CliRunner().invoke(endpoints)
        (row,) = json.loads(CliRunner().invoke(endpoints, ["--json"]).output)
    assert "used by process 7 on desk: 2 in flight, its share is 2 of 4" in busy.output
    assert "idle" not in busy.output
    assert (row["state"], row["model"], row["used_by"][0]["in_flight"]) == ("answers", "rehearsal", 2)
    (seen,) = EndpointRegistry(fresh_database).all()
    assert (seen.address, seen.state, [model.name for model in seen.models]) == (
        f"http://desk:{port}",
        "answers",
        ["rehearsal"],
    )


def test_the_fleets_servers_are_shown_with_their_machine_and_what_holds_it(
    fresh_database: Engine, home: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("TIP_LLM_URL", "TIP_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    (home / "config").mkdir()
    (home / "config" / "default.yaml").write_text(
        "models: {probe_localhost: false}\n"
        "fleet:\n"
        "  nodes:\n"
        "    - {name: game-pc, url: 'http://127.0.0.2:8765'}\n"
        "    - {name: attic, url: 'http://127.0.0.3:8765'}\n"
    )
    with rehearsal_process() as scripted, renaming_relay(scripted, ["phi-4"], "127.0.0.2") as (url, _):
        port = url.removesuffix("/v1").rsplit(":", 1)[1]
        write_node(fresh_database, state("game-pc", "in_use", "a game"), served(port))
        write_node(fresh_database, state("attic"), served(9, "ollama"))
        result = CliRunner().invoke(endpoints)
        rows = json.loads(CliRunner().invoke(endpoints, ["--json"]).output)
    assert result.exit_code == 0, result.output
    assert "idle: game-pc is in_use: a game (for " in result.output
    assert "start Ollama with OLLAMA_HOST=0.0.0.0 there" in result.output
    assert [(row["node"], row["tier"], row["state"], row["is_usable"]) for row in rows] == [
        ("game-pc", "network", "answers", True),
        ("attic", "network", "away", False),
    ]
    seen = {one.name: one.state for one in EndpointRegistry(fresh_database).all()}
    assert seen == {f"game-pc:{port}": "answers", "attic:9": "away"}


def test_without_a_database_the_servers_are_shown_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with rehearsal_process() as url:
        monkeypatch.setenv("TIP_LLM_URL", url)
        result = CliRunner().invoke(endpoints)
    assert result.exit_code == 0, result.output
    assert "answers" in result.output
    assert "The database cannot be asked, so limits, use and speed are not shown" in result.output
