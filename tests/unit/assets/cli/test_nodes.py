"""`tip nodes` on a real database that holds what the watcher of a fleet writes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from tests.unit.assets.cli.fleet_scene import (
    LAPTOP,
    LISTED,
    OWN,
    PI,
    TOWER,
    calls_under_way,
    now_reported,
    run_sql,
    steps_under_way,
    watched,
    whole_fleet,
    work_done,
)
from tip_assets.cli.nodes import nodes
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.settings.changes import change_setting
from tip_resources.settings.layers import load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "140")
    return tmp_path


@pytest.fixture
def fleet(fresh_database: Engine) -> Engine:
    change_setting("fleet.nodes", json.dumps([node.model_dump(mode="json") for node in LISTED]))
    whole_fleet(fresh_database, load_settings())
    return fresh_database


def tip(*arguments: str) -> Result:
    return CliRunner().invoke(nodes, arguments)


def rows() -> dict[str, dict]:
    return {row["node"]: row for row in json.loads(tip("--json").output)["nodes"]}


def test_every_machine_has_a_row_with_its_state_heat_load_and_work(fleet: Engine) -> None:
    calls_under_way(fleet, OWN, 3)
    calls_under_way(fleet, "10.0.0.8", 1)
    steps_under_way(fleet, OWN, ["plan", "write"])
    work_done(fleet, OWN)
    lines = [" ".join(line.split()) for line in tip().output.splitlines()]
    assert lines[0] == "NODE STATE FOR CPU C GPU C CPU GPU SLOTS CALLS STEPS TOK/S FAILED SERVES"
    assert lines[1] == f"{OWN}* ready 10 s 52 61 20% 50% 2/4 3 2 50.0 4.0% phi-4"
    assert lines[2] == f"{PI} hot 10 s 86 - 20% - 0/2 0 0 - -"
    assert lines[3] == "CPU at 86 C, limit 80 C"
    assert lines[6] == f"{LAPTOP} in_use 10 s ? 70 20% 50% 0/2 1 0 - -"
    assert lines[7] == "a game"
    assert lines[8] == f"{TOWER} lost ? ? ? ? ? 0/1 0 0 - -"


@pytest.mark.parametrize("columns", [78, 80, 100, 140, 200])
def test_no_line_is_wider_than_the_terminal_and_all_of_it_is_ascii(
    fleet: Engine, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    work_done(fleet, OWN)
    NodeOrderStore(fleet).give(TOWER, "pause", by="J\u00fcrgen", reason="Vorf\u00fchrung \x1b[31m " + "bald " * 60)
    run_sql(fleet, "INSERT INTO tip.found_nodes (url, name) VALUES ('http://10.0.0.99:8765', 'attic')")
    for output in (tip().output, tip("show", OWN).output, tip("show", TOWER).output):
        assert output.isascii()
        assert "\x1b" not in output
        assert max(map(len, output.splitlines())) <= columns
    assert "J\\xfcrgen" in tip().output


def test_a_narrow_terminal_gets_work_and_models_in_words(fleet: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    work_done(fleet, OWN)
    output = tip().output
    assert "    serves phi-4\n" in output
    assert "    200 calls in 24 h at 50.0 tokens/s, 4.0% failed\n" in output
    assert "TOK/S" not in output


def test_notes_say_what_is_wrong_besides(fleet: Engine) -> None:
    output = tip().output
    assert "note: its clock is 10 min ahead" in output
    assert "note: its power supply is too weak (under-voltage)" in output
    assert [note for note in rows()[PI]["notes"] if "clock" in note]


def test_json_has_times_with_zones_null_for_unknown_and_says_why(fleet: Engine) -> None:
    found = rows()
    assert datetime.fromisoformat(found[PI]["since"]) <= datetime.now(UTC)
    laptop, tower = found[LAPTOP], found[TOWER]
    assert (laptop["cpu_celsius"], laptop["cpu_celsius_unknown"], laptop["gpu_celsius"]) == (None, "no sensor", 70.0)
    assert (tower["status"], tower["cpu_celsius"], tower["cpu_ratio"], tower["work"]) == ("lost", None, None, None)
    assert found[PI]["has_gpu"] is False
    assert tower["has_gpu"] is None
    (served,) = found[OWN]["endpoints"]
    assert (served["kind"], served["models"], served["slots_busy"]) == ("lm_studio", ["phi-4"], 1)
    assert (found[PI]["slots"], found[PI]["slots_free"]) == (2, 0), "a hot machine has none to give"


def test_an_order_shows_at_once_with_its_reason_and_who_gave_it(fleet: Engine) -> None:
    assert tip("pause", LAPTOP, "--reason", "a demo at four").exit_code == 0
    row = rows()[LAPTOP]
    assert row["status"] == "draining"
    assert row["order"]["kind"] == "pause"
    assert "a demo at four; in_use: a game" in row["reason"]
    assert tip("drain", LAPTOP).exit_code == 0
    assert rows()[LAPTOP]["order"]["kind"] == "drain"
    assert tip("resume", LAPTOP).output == f"{LAPTOP} works again, as far as its own state allows.\n"
    assert tip("resume", LAPTOP).output == f"{LAPTOP} was under no order.\n"
    assert rows()[LAPTOP]["status"] == "in_use"
    shown = tip("show", LAPTOP).output
    assert "node.pause by" in shown
    assert ": a demo at four" in shown
    assert "node.resume by" in shown


@pytest.mark.parametrize("command", ["pause", "resume", "drain", "show", "revoke"])
def test_an_unknown_machine_is_a_usage_error_that_lists_those_there_are(fleet: Engine, command: str) -> None:
    result = tip(command, "nobody")
    assert result.exit_code == 2
    assert f"Those there are: {OWN}, {PI}, {LAPTOP}, {TOWER}." in result.stderr


def test_hints_are_lines_to_type_only_where_they_are_safe_to_type(fleet: Engine) -> None:
    run_sql(
        fleet,
        "INSERT INTO tip.found_nodes (url, name) VALUES ('http://10.0.0.99:8765', 'attic'), "
        "('http://10.0.0.98:8765', 'x; rm -rf'), ('http://10.0.0.97/$(reboot)', 'cellar'), "
        f"('http://10.0.0.96:8765', '{PI}'), ('{LISTED[2].url}', 'alias')",
        "INSERT INTO tip.found_nodes (url, name, last_seen_at) "
        "VALUES ('http://10.0.0.95:8765', 'gone', now() - interval '2 hours')",
    )
    hints = tip().output.partition("not invited")[2]
    assert "    tip nodes invite attic http://10.0.0.99:8765\n" in hints
    assert hints.count("tip nodes invite") == 1
    assert "a name or address that no machine has: x; rm -rf" in hints
    assert "reboot" not in hints
    assert PI not in hints
    assert "gone" not in hints


def test_the_gate_says_why_runs_wait(fleet: Engine) -> None:
    run_sql(
        fleet, "INSERT INTO tip.fleet_gate (run_limit, reason, memory) VALUES (0, 'nothing starts: it is hot', '{}')"
    )
    assert "Runs: nothing starts: it is hot" in tip().output
    assert json.loads(tip("--json").output)["gate"]["run_limit"] == 0
    run_sql(fleet, "UPDATE tip.fleet_gate SET decided_at = now() - interval '1 hour'")
    assert "Runs: nothing starts: it is hot (as of 60 min ago: nothing decides now)" in tip().output


def test_without_a_watcher_this_machine_is_measured_here(fresh_database: Engine) -> None:
    output = tip().output
    assert "Nobody watches the fleet" in output
    found = json.loads(tip("--json").output)
    assert found["is_watched"] is False
    (own,) = found["nodes"]
    assert own["node"] == OWN
    assert own["since"] is None, "nobody has looked before"
    assert own["cpu_ratio"] is not None
    assert own["calls_in_flight"] == 0


def test_without_a_database_this_machine_is_shown_and_the_rest_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    output = " ".join(tip().output.split())
    assert "The database cannot be asked, so only this machine is known" in output
    (own,) = json.loads(tip("--json").output)["nodes"]
    assert (own["node"], own["calls_in_flight"], own["steps_running"]) == (OWN, None, None)
    assert tip("show", OWN).exit_code == 0


def test_one_machine_is_shown_with_limits_sensors_outcomes_and_a_day_of_heat(fleet: Engine) -> None:
    run_sql(
        fleet,
        "INSERT INTO tip.node_reports (node_id, received_at, state, cpu_celsius) "
        "SELECT id, now() - i * interval '10 minutes', 'ready', 40 + i / 10.0 "
        f"FROM tip.nodes, generate_series(1, 140) i WHERE name = '{PI}'",
    )
    output = tip("show", PI).output
    words = " ".join(output.split())
    assert f"{PI} is hot: CPU at 86 C, limit 80 C" in output
    assert "(limit 80 C, works again below 75 C)" in output
    assert "coretemp Package id 0: 86 C, its driver's limit 100 C" in output
    assert "clock 600 s ahead of ours; nothing depends on it" in words
    assert "thermal ok (2 ms)" in words
    plotted = [line for line in output.splitlines() if " C |" in line]
    assert sum(line.count("c") for line in plotted) > 50
    assert plotted[0].rstrip().endswith("c"), "the newest is the hottest"
    whole = json.loads(tip("show", PI, "--json").output)
    assert whole["parts"][0]["limit_celsius"] == 80.0
    assert len(whole["history"]) == 141


def test_what_a_lost_machine_said_last_is_not_told_as_of_now(fleet: Engine) -> None:
    run_sql(fleet, f"UPDATE tip.nodes SET state_written_at = now() - interval '1 hour' WHERE name = '{PI}'")
    assert rows()[PI]["cpu_celsius"] is None
    assert "unknown: it is lost" in tip("show", PI).output


def test_a_drained_machine_is_waited_for_until_it_is_empty(fleet: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leases run out while the command looks: what a look does is hastened, nothing else."""
    calls_under_way(fleet, "10.0.0.7", 2)
    steps_under_way(fleet, PI, ["write"])
    ends = iter(["DELETE FROM tip.endpoint_leases", "DELETE FROM tip.step_leases"])

    def later(_: float) -> None:
        if statement := next(ends, ""):
            run_sql(fleet, statement)

    monkeypatch.setattr("tip_assets.cli.nodes_orders.time.sleep", later)
    result = tip("drain", PI, "--wait")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[1:] == [
        f"2 calls and 1 step under way on {PI} ...",
        f"0 calls and 1 step under way on {PI} ...",
        f"nothing of ours runs on {PI}.",
    ]
    assert NodeOrderStore(fleet).all()[PI].kind == "drain"


def test_ctrl_c_ends_the_wait_and_not_the_order(fleet: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    steps_under_way(fleet, PI, ["write"])

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tip_assets.cli.nodes_orders.time.sleep", interrupted)
    result = tip("drain", PI, "--wait")
    assert result.exit_code == 130
    assert PI in NodeOrderStore(fleet).all()


def test_watching_shows_a_change_and_ends_with_ctrl_c(fleet: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def between(_: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise KeyboardInterrupt
        cooled = now_reported(PI, celsius=40.0, sequence=2)
        watched(fleet, cooled, load_settings())
        run_sql(fleet, "UPDATE tip.nodes SET state_written_at = now()")

    monkeypatch.setattr("tip_assets.cli.nodes.time.sleep", between)
    monkeypatch.setattr("tip_resources.fleet.known_fleet._KEEP_SECONDS", 0.0)
    result = tip("--watch")
    assert result.exit_code == 0, result.output
    first, second = result.output.split("NODE ")[1:]
    assert f"{PI}      hot" in first
    assert f"{PI}      ready" in second


def test_watch_and_json_do_not_go_together() -> None:
    assert tip("--watch", "--json").exit_code == 2
    assert tip("--json", "pause", PI).exit_code == 2
