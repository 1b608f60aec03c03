"""A fleet in a real database, written as its watcher writes it: reports of machines, and the states they make."""

import time
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine, text

from node_agent.identity import node_name
from node_agent.report import NodeReport, Reading, ServedEndpoint, ServedModel, Sign
from tests.unit.resources.fleet.reports import activity, gpu, report, thermal
from tip_resources.database.endpoint_leases import Grant, Lease, LeaseStore
from tip_resources.database.node_reports import NodeReportStore, report_row
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.fleet.fleet_watch import hardware_of
from tip_resources.fleet.node_history import Now, WatchedNode
from tip_resources.fleet.node_state import NodeState
from tip_resources.settings.fleet_models import FleetNodeSettings
from tip_resources.settings.models import Settings

OWN = node_name()
PI, LAPTOP, TOWER = "pi-4b", "rtx-laptop", "tower"
LISTED = tuple(
    FleetNodeSettings(name=name, url=f"http://10.0.0.{place}:8765", step_slots=2)
    for place, name in enumerate((PI, LAPTOP, TOWER), start=7)
)
PHI = ServedEndpoint(
    "http://127.0.0.1:1234", "lm_studio", (ServedModel("phi-4", True), ServedModel("big", False)), 4, 1
)


def watched(engine: Engine, given: NodeReport, settings: Settings, *, slots: int = 2, address: str = "") -> NodeState:
    """Writes what a report just made known of its machine."""
    node = WatchedNode(given.node, slots=slots)
    now = Now(time.monotonic(), time.time())
    node.arrived(given, now)
    state = node.state(settings, now)
    row = NodeRow(
        name=state.node,
        state=state.status,
        state_reason=state.reason,
        since_unix_seconds=state.since_unix_seconds,
        address=address,
        clock_skew_seconds=node.clock_skew_seconds,
        hardware=hardware_of(given),
        newest_report=given.to_json_object(),
    )
    NodeStore(engine).note([row])
    NodeStateStore(engine).write([state])
    NodeReportStore(engine).add([report_row(given, state.status)])
    return state


def now_reported(node: str, **changes) -> NodeReport:
    return report(node, reported_at_unix_seconds=time.time(), **changes)


def whole_fleet(engine: Engine, settings: Settings) -> None:
    """This machine ready, a Raspberry Pi hot with a clock that is wrong, a laptop with a game; the tower is silent."""
    watched(engine, now_reported(OWN, celsius=52.0, gpus=(gpu(61.0),), endpoints=(PHI,)), settings, slots=4)
    pi = now_reported(PI, celsius=86.0)
    pi = replace(pi, reported_at_unix_seconds=time.time() + 600, thermal=thermal(86.0, throttled=("under_voltage",)))
    watched(engine, pi, settings, address=LISTED[0].url)
    gaming = activity(gaming=Sign(True))
    laptop = now_reported(LAPTOP, celsius=None, gpus=(gpu(70.0, others_ratio=Reading(0.8)),), activity=gaming)
    watched(engine, laptop, settings, address=LISTED[1].url)


def calls_under_way(engine: Engine, host: str, count: int) -> None:
    """An engine's lease on the server of a machine."""
    lease = Lease(
        endpoint=f"http://{host}:1234/v1",
        model="phi-4",
        holder="4f3c0a35-6f6f-4a54-8f9c-3b1d6a1f1f00",
        host="here",
        pid=7,
        wanted=count,
        in_flight=count,
    )
    LeaseStore(engine).heartbeat(lease, lambda *_: Grant(count, count), lease_seconds=60.0)


def run_sql(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def steps_under_way(engine: Engine, node: str, keys: Sequence[str]) -> None:
    rows = ", ".join(f"('run', '{key}', '{node}', gen_random_uuid(), 1, now() + interval '1 minute')" for key in keys)
    run_sql(engine, f"INSERT INTO tip.step_leases (run_id, step_key, node, holder, pid, expires_at) VALUES {rows}")


def work_done(engine: Engine, node: str) -> None:
    """In this hour, in the hour before, and two days ago."""
    rows = ", ".join(
        f"('{node}', date_trunc('hour', now()) - interval '{hours} hours', 100, 4, 50000, 1000, 3, 1)"
        for hours in (0, 1, 48)
    )
    columns = "node, hour_at, calls, failed_calls, tokens_out, call_seconds, steps, failed_steps"
    run_sql(engine, f"INSERT INTO tip.node_work ({columns}) VALUES {rows}")
