"""What `tip nodes show` tells: everything that is known of one machine. In words it is put in nodes_words.py."""

import time
from datetime import datetime, timedelta

import msgspec

from node_agent.catalog import collectors
from node_agent.report import Host, NodeReport
from node_agent.reporter import Reporter
from tip_assets.cli.nodes_facts import FleetReader, NodeLine
from tip_resources.database import audit
from tip_resources.database.audit import AuditEntry
from tip_resources.database.node_reports import HistoryPoint, NodeReportStore
from tip_resources.database.nodes import NodeStore, StoredNode
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.fleet.heat import CPU, PartHeat, cpu_limits
from tip_resources.fleet.node_state import NodeState
from tip_resources.settings.models import ThermalSettings

HISTORY_HOURS = 24
_AUDIT_ENTRIES = 10


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How hot one part is taken to be. `reason` holds the forecast where it is trusted."""

    part: str
    level: str
    reason: str
    celsius: float | None
    celsius_unknown: str
    limit_celsius: float
    recovery_celsius: float


class NodeDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. `report` is its newest whole report, `report_age_seconds` how old that is; None before any."""

    line: NodeLine
    is_watched: bool
    trouble: str
    parts: tuple[Part, ...]
    report: NodeReport | None
    report_age_seconds: float | None
    clock_skew_seconds: float | None
    first_seen_at: datetime | None
    history_begin: datetime
    history: tuple[HistoryPoint, ...]
    audit: tuple[AuditEntry, ...]


def details(reader: FleetReader, name: str) -> NodeDetails:
    """Everything of the machine called `name`, which must be of the fleet."""
    facts, state = reader.read(), reader.fleet.node(name)
    line = next(line for line in facts.nodes if line.node == name)
    begin = facts.at - timedelta(hours=HISTORY_HOURS)
    stored, history, entries, trouble = None, [], [], facts.trouble
    if reader.engine is not None and not trouble:
        try:
            stored = next((one for one in NodeStore(reader.engine).all() if one.name == name), None)
            history = NodeReportStore(reader.engine).history(name, begin)
            entries = audit.recent(reader.engine, target=name, limit=_AUDIT_ENTRIES)
        except (TransientFailure, PermanentFailure) as failure:
            trouble = str(failure)
    is_measured_here = line.is_this_machine and line.since is None
    report = Reporter(collectors()).report() if is_measured_here else _stored_report(stored)
    skew = None if stored is None or is_measured_here else stored.clock_skew_seconds
    thermal = reader.fleet.settings.thermal
    return NodeDetails(
        line=line,
        is_watched=facts.is_watched,
        trouble=trouble,
        parts=() if state is None or state.status == "lost" else _parts(state, report, thermal),
        report=report,
        report_age_seconds=None
        if report is None
        else max(0.0, time.time() + (skew or 0) - report.reported_at_unix_seconds),
        clock_skew_seconds=skew,
        first_seen_at=None if stored is None else stored.first_seen_at,
        history_begin=begin,
        history=tuple(history),
        audit=tuple(entries),
    )


def _age(report: NodeReport, skew_seconds: float) -> float:
    """By our clock, although the report has its machine's."""
    return max(0.0, time.time() + skew_seconds - report.reported_at_unix_seconds)


def _stored_report(stored: StoredNode | None) -> NodeReport | None:
    """None before the first, and for one of another version of tip that cannot be read."""
    try:
        return None if stored is None else msgspec.convert(stored.newest_report, NodeReport | None)
    except msgspec.ValidationError:
        return None


def _parts(state: NodeState, report: NodeReport | None, thermal: ThermalSettings) -> tuple[Part, ...]:
    return tuple(_part(part, None if report is None else report.host, thermal) for part in state.memory.parts)


def _part(part: PartHeat, host: Host | None, thermal: ThermalSettings) -> Part:
    if part.part == CPU:
        limits = cpu_limits(thermal, host)
        limit, recovery = limits.limit, limits.recovery
    else:
        limit, recovery = thermal.gpu_limit_celsius, thermal.recovery_celsius
    return Part(
        part=part.part,
        level=part.level,
        reason=part.reason,
        celsius=part.celsius.value,
        celsius_unknown=part.celsius.why_unknown,
        limit_celsius=limit,
        recovery_celsius=recovery,
    )
