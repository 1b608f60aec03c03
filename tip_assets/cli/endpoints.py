"""`tip endpoints`: every model server tip knows, who uses it, how fast it is, and why it is idle."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tip_assets.cli.console import json_option, print_json, reports_failures, say
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.home import project_home

if TYPE_CHECKING:
    from tip_assets.cli.endpoint_report import EndpointReport, Known
    from tip_resources.llm.endpoints import Examined
    from tip_resources.settings.models import Settings

_ROW = "{:<24} {:<8} {:<16} {:<10} {:<28} {:>5} {:>9} {:>8} {:>8} {:>13}"
_HEAD = ("ENDPOINT", "TIER", "NODE", "STATE", "MODEL", "LIMIT", "IN FLIGHT", "TOK/S", "P95 MS", "LAST USED")


@click.command("endpoints")
@json_option
@reports_failures
def endpoints(as_json: bool) -> None:
    """Show the model servers: state, learned limit, who uses them, speed, and why one is idle.

    All servers are asked that a request could use: those of the settings, TIP_LLM_URL, the usual local ports,
    and those that the machines of the fleet report. NODE is the machine a server runs on. P95 MS is the 95th
    percentile of a whole call's time in the newest sample.
    """
    from tip_assets.cli.endpoint_report import reports
    from tip_resources.settings.layers import load_settings, node_name

    home, node = project_home(), node_name(os.environ)
    trouble = ""
    try:
        settings = load_settings(home)
    except TransientFailure as failure:
        settings, trouble = load_settings(home, use_database=False), str(failure)
    examined = _examined(settings, home, trouble)
    known, trouble = _known(home, examined, node) if not trouble else (None, trouble)
    found = reports(examined, known or _nothing(), node)
    if as_json:
        print_json([_json_row(report) for report in found])
        return
    _print(found)
    if trouble:
        say(f"The database cannot be asked, so limits, use and speed are not shown: {trouble}")


def _examined(settings: "Settings", home: Path, trouble: str) -> "list[Examined]":
    from tip_resources.fleet.fleet_servers import fleet_of, this_machine_alone
    from tip_resources.llm.endpoints import examine_endpoints

    return asyncio.run(
        examine_endpoints(
            settings,
            domain=None,
            role=None,
            model=None,
            tier=None,
            environ=os.environ,
            rehearsal=False,
            fleet=this_machine_alone(home, trouble=trouble) if trouble else fleet_of(home),
        )
    )


def _known(home: Path, examined: "Sequence[Examined]", node: str) -> "tuple[Known | None, str]":
    """What the database knows, after it was told what the servers answered; or why it cannot be asked."""
    from tip_assets.cli.endpoint_report import Known
    from tip_resources.database.connection import database
    from tip_resources.database.endpoint_leases import LeaseStore
    from tip_resources.database.endpoint_limits import LimitStore
    from tip_resources.database.performance import PerformanceStore
    from tip_resources.database.requests import RequestStore
    from tip_resources.database.seen_endpoints import EndpointRegistry
    from tip_resources.llm.addresses import shared_address
    from tip_resources.llm.examined_endpoints import seen_of

    try:
        engine = database(home)
        EndpointRegistry(engine).saw(seen_of(examined, node))
        leases, limits = LeaseStore(engine).live(), LimitStore(engine).all()
        samples, requests = PerformanceStore(engine), RequestStore(engine)
        addresses = {shared_address(one.candidate.url, node) for one in examined if "://" in one.candidate.url}
        newest = {address: samples.newest(address) for address in addresses | {lease.endpoint for lease in leases}}
        running = requests.list(state="running")
        return Known(
            leases=leases,
            limits=limits,
            samples={address: sample for address, sample in newest.items() if sample is not None},
            datasets={row.run_id: row.dataset for row in running if row.run_id},
            running=[row.dataset for row in running],
            waiting=[row.dataset for row in requests.waiting(limit=3)],
        ), ""
    except (TransientFailure, PermanentFailure) as failure:
        return None, str(failure)


def _nothing() -> "Known":
    from tip_assets.cli.endpoint_report import Known

    return Known()


def _print(found: "Sequence[EndpointReport]") -> None:
    absent = [report for report in found if report.is_guess and not report.is_usable and report.state == "away"]
    shown = [report for report in found if report not in absent]
    if shown:
        say(_ROW.format(*_HEAD).rstrip())
    for report in shown:
        say(_ROW.format(*_cells(report)).rstrip())
        if report.limit_reason:
            first = report.p95_first_token_ms
            within = "" if first is None else f"; first tokens within {first / 1000:.1f} s (p95)"
            say(f"    limit {report.limit}: {report.limit_reason}{within}")
        for use in report.used_by:
            whose = use.dataset or (f"run {use.run_id[:8]}" if use.run_id else f"process {use.pid}")
            say(f"    used by {whose} on {use.host}: {use.in_flight} in flight, its share is {use.share} of {use.of}")
        if report.idle_because:
            say(f"    idle: {report.idle_because}")
    if absent:
        say(f"Nobody answers at {', '.join(report.url for report in absent)}.")
    if not any(report.is_usable for report in found):
        say("No server can be used. `tip doctor` says how to mend that.")


def _cells(report: "EndpointReport") -> tuple[str, ...]:
    from tip_resources.llm.shared_limiter import ago

    in_flight = sum(use.in_flight for use in report.used_by)
    used_at = report.last_used_at
    return (
        report.name[:24],
        report.tier,
        (report.node or "-")[:16],
        report.state,
        (report.model or "-")[:28],
        "-" if report.limit is None else str(report.limit),
        str(in_flight),
        "-" if report.tokens_per_second is None else f"{report.tokens_per_second:.1f}",
        "-" if report.p95_call_ms is None else str(report.p95_call_ms),
        "never" if used_at is None else ago((datetime.now(UTC) - used_at).total_seconds()),
    )


def _json_row(report: "EndpointReport") -> dict[str, object]:
    import msgspec

    return msgspec.to_builtins(report)
