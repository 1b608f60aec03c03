"""Inviting machines whose agents answer over real HTTP, and what doctor finds out by asking them."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from node_agent.report import NodeReport, ServedEndpoint, ServedModel
from tests.unit.assets.cli.fleet_scene import OWN, PI, now_reported, run_sql, watched
from tests.unit.resources.fleet.loopback_agents import Agents, agents
from tip_assets.cli.nodes import nodes
from tip_assets.cli.nodes_doctor import fleet_findings
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.launch.services_lock import ServicesLock
from tip_resources.llm.diagnosis import Finding
from tip_resources.settings.layers import load_settings
from tip_resources.settings.store import SettingsStore


@pytest.fixture(autouse=True)
def home(tmp_path: Path, fresh_database: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIP_HOME", str(tmp_path))
    return tmp_path


@contextmanager
def answering(*reports: NodeReport) -> Iterator[Agents]:
    """Agents in a thread of their own, since the commands have an event loop of theirs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait_for(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    context = agents()
    served = wait_for(context.__aenter__())
    try:
        served.add(*reports)
        yield served
    finally:
        wait_for(context.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def tip(*arguments: str) -> Result:
    return CliRunner().invoke(nodes, arguments)


def listed() -> dict[str, str]:
    return {node.name: node.url for node in load_settings().fleet.nodes}


def test_a_machine_is_asked_first_and_then_listed_with_what_was_found(fresh_database: Engine) -> None:
    phi = ServedEndpoint("http://127.0.0.1:1234", "lm_studio", (ServedModel("phi-4"),))
    with answering(now_reported(PI, celsius=61.0, endpoints=(phi,))) as served:
        url = f"{served.url}/{PI}"
        made = tip("invite", PI, url, "--slots", "2", "--time-zone", "Europe/Vienna", "--profile", "pi")
        assert made.exit_code == 0, made.output
        assert f"{PI} answers: Linux aarch64, 4 cores, 8 GB; CPU at 61 C; serves phi-4" in made.output
        assert f"{PI} is of the fleet now." in made.output
        again = tip("invite", PI, url, "--slots", "2", "--time-zone", "Europe/Vienna", "--profile", "pi")
        assert f"{PI} was of the fleet already." in again.output
    (node,) = load_settings().fleet.nodes
    assert (node.name, node.url, node.step_slots, node.time_zone) == (PI, url, 2, "Europe/Vienna")
    assert node.profile == "pi"
    newest = SettingsStore(fresh_database).history("fleet.nodes")
    assert [(version.note, "@" in version.author) for version in newest] == [(f"invited {PI}", True)]


def test_a_name_that_the_machine_does_not_have_is_refused_with_its_own(fresh_database: Engine) -> None:
    with answering(now_reported(PI)) as served:
        refused = tip("invite", "attic", f"{served.url}/{PI}")
    assert refused.exit_code == 1
    assert f"the machine there calls itself '{PI}'. List it under that name, or mend the address." in refused.stderr
    assert listed() == {}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("failing", "answered with status 503. Is that the address of a tip agent?"),
        ("zipped", "not invited"),
    ],
)
def test_what_is_no_agent_is_refused(path: str, why: str) -> None:
    with answering() as served:
        refused = tip("invite", PI, f"{served.url}/{path}")
    assert refused.exit_code == 1
    assert why in refused.stderr
    assert listed() == {}


def test_where_nobody_answers_it_says_how_to_open_the_agent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        refused = tip("invite", PI, f"127.0.0.1:{taken.getsockname()[1]}")
    assert refused.exit_code == 1
    assert "--host 0.0.0.0 --insecure-lan" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("Attic Pi", "10.0.0.7"), "a host name of a-z"),
        ((PI, "ftp://10.0.0.7"), "not an http:// or https:// address"),
        ((PI, "10.0.0.7", "--time-zone", "Middle/Earth"), "no time zone of that name"),
        ((PI, "10.0.0.7", "--slots", "0"), "0 is not in the range"),
        ((PI, "10.0.0.7", "--profile", "toaster"), "profile: Input should be 'master'"),
    ],
)
def test_what_cannot_be_is_a_usage_error(arguments: tuple[str, ...], why: str) -> None:
    result = tip("invite", *arguments)
    assert result.exit_code == 2
    assert why in result.stderr


def test_this_machine_needs_no_invitation_and_cannot_be_taken_out() -> None:
    assert "without an invitation" in tip("invite", OWN, "127.0.0.1").stderr
    assert "always of its own fleet" in tip("revoke", OWN).stderr


def test_an_address_that_moved_takes_the_place_of_the_old_one() -> None:
    with answering(now_reported(PI)) as served:
        tip("invite", PI, f"{served.url}/{PI}")
        served.bodies["moved"] = served.bodies[PI]
        moved = tip("invite", PI, f"{served.url}/moved")
        assert f"Its address was {served.url}/{PI} before." in moved.output
        assert listed() == {PI: f"{served.url}/moved"}


def test_people_who_invite_at_the_same_time_lose_no_machine() -> None:
    names = [f"pi-{number}" for number in range(6)]
    with answering(*(now_reported(name) for name in names)) as served, ThreadPoolExecutor(3) as pool:
        from tip_assets.cli.nodes_members import checked, invite
        from tip_resources.home import project_home

        made = [pool.submit(invite, project_home(), checked(name, f"{served.url}/{name}")) for name in names]
        assert all(one.result(60).versions for one in made)
    assert set(listed()) == set(names)


def test_machines_of_a_file_are_kept_and_can_be_taken_out(home: Path, fresh_database: Engine) -> None:
    (home / "config").mkdir()
    file = home / "config" / "default.yaml"
    file.write_text("fleet:\n  nodes:\n    - {name: tower, url: 'http://10.0.0.9:8765'}\n", encoding="utf-8")
    with answering(now_reported(PI)) as served:
        made = tip("invite", PI, f"{served.url}/{PI}")
    assert set(listed()) == {"tower", PI}
    assert "The list of machines was that of config/default.yaml line" in made.output
    assert "`tip config unset fleet.nodes` goes back" in made.output
    NodeOrderStore(fresh_database).give("tower", "pause", by="anna")
    gone = tip("revoke", "tower")
    assert gone.output.splitlines() == [
        "tower is of the fleet no more; its agent is not asked again.",
        "What was ordered of it is lifted.",
    ]
    assert set(listed()) == {PI}
    assert tip("revoke", "tower").exit_code == 2


def findings(home: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in fleet_findings(home)}


def test_doctor_asks_every_agent_and_says_what_to_mend(home: Path) -> None:
    late = replace(now_reported("tower"), reported_at_unix_seconds=time.time() - 3600)
    with answering(now_reported(PI), late) as served:
        for name in (PI, "tower"):
            tip("invite", name, f"{served.url}/{name}")
        served.bodies[PI] = b"{}"
        found = findings(home)
    assert found["agents"].detail == "1 of 2 answer: tower"
    assert not found[f"agent of {PI}"].ok
    assert "schema" in found[f"agent of {PI}"].detail or "version" in found[f"agent of {PI}"].detail
    assert found["agent of tower"].ok
    assert "its clock is 60 min behind" in found["agent of tower"].detail
    assert "timedatectl" in found["agent of tower"].mend
    assert not findings(home)[f"agent of {PI}"].ok, "by now nobody answers at all"


def test_doctor_says_when_services_run_and_nobody_watches(home: Path, fresh_database: Engine) -> None:
    assert findings(home) == {}, "no fleet, no services, no findings"
    (home / ".tip").mkdir(exist_ok=True)
    with ServicesLock(home, None, home / "logs"):
        silent = findings(home)["fleet watch"]
        assert not silent.ok
        assert "no state of a machine was written at all" in silent.detail
        watched(fresh_database, now_reported(OWN), load_settings())
        assert findings(home)["fleet watch"].ok
        run_sql(fresh_database, "UPDATE tip.nodes SET state_written_at = now() - interval '1 hour'")
        assert "for 60 min" in findings(home)["fleet watch"].detail


def test_doctor_without_a_database_is_one_finding(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIP_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    found = findings(home)
    assert list(found) == ["fleet"]
    assert not found["fleet"].ok


def test_machines_read_what_was_changed() -> None:
    with answering(now_reported(PI)) as served:
        made = json.loads(tip("invite", PI, f"{served.url}/{PI}", "--json").output)
    assert (made["node"], made["versions"]) == (PI, [1])
