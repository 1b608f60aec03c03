"""All nodes over time: takes the outcomes of a pass in, and tells states and what is to be stored of them.

Asking is in poller.py, one node in node_history.py, the tables in tip_resources/database; when to ask is in watcher.py.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from node_agent.report import NodeReport
from tip_resources.database.node_reports import NodeReportStore, ReportRow, report_row
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.fleet.node_history import Now, WatchedNode
from tip_resources.fleet.node_state import NodeState, Status
from tip_resources.fleet.placement import CLASS_PREFIX
from tip_resources.fleet.poller import Address, OutcomeKind, PollOutcome
from tip_resources.fleet.reading_reports import Novelty
from tip_resources.fleet.reported_endpoints import Served, served_by
from tip_resources.settings.models import Settings

# A whole report is some 5 KB, written when the node's state or its model servers change, and this often besides.
_WHOLE_REPORT_SECONDS = 900.0
# What was sent by whoever answers there, and was not taken.
_REJECTED: frozenset[OutcomeKind] = frozenset({"bad_report", "wrong_node", "conflict"})


@dataclass(frozen=True)
class Member:
    """One node as the settings have it. `address` is its agent's; empty for this machine."""

    name: str
    address: str
    slots: int
    profile: str = ""
    time_zone: str = ""


def members(settings: Settings, own_name: str | None) -> tuple[Member, ...]:
    """This machine, when it has a name here, and the listed ones; who is listed and is this machine stands once."""
    own = Member(own_name, "", settings.node.step_slots, settings.node.profile) if own_name else None
    listed = (
        Member(node.name, node.url, node.step_slots, node.profile or "", node.time_zone)
        for node in settings.fleet.nodes
        if node.name != own_name
    )
    return (*(() if own is None else (own,)), *listed)


@dataclass(frozen=True)
class Pass:
    """What a pass made known. `asked` counts outcomes, `read` what kinds of reports came.

    `served` are the model servers of the nodes whose whole report is told, by node.
    """

    states: tuple[NodeState, ...]
    node_rows: tuple[NodeRow, ...]
    report_rows: tuple[ReportRow, ...]
    served: Mapping[str, Served]
    asked: Mapping[OutcomeKind, int]
    read: Mapping[Novelty, int]

    def store(self, nodes: NodeStore, reports: NodeReportStore) -> None:
        """Two statements, however many nodes."""
        nodes.note(self.node_rows)
        reports.add(self.report_rows)


class FleetWatch:
    """This machine and the nodes of `fleet.nodes`; who is taken off that list is forgotten. Not for several threads at
    once.

    Args:
        own_name: This machine's name, when it is watched too: its outcomes are then made by whoever measures it.

    `success_ratios`, by node, is what the states tell of past work.
    """

    def __init__(self, own_name: str | None = None) -> None:
        self.success_ratios: Mapping[str, float] = {}
        self._own_name = own_name
        self._nodes: dict[str, WatchedNode] = {}
        self._members: dict[str, Member] = {}
        self._resumed: Mapping[str, NodeState] = {}
        self._written: dict[str, tuple[Status, Served, float]] = {}

    def addresses(self, settings: Settings) -> list[Address]:
        """Whom to ask."""
        return [Address(one.name, one.address) for one in members(settings, self._own_name) if one.address]

    def node(self, name: str) -> WatchedNode | None:
        """One node, to look at what was learned of it; None when it is not listed."""
        return self._nodes.get(name)

    def resume(self, states: Mapping[str, NodeState]) -> None:
        """Goes on from what another watcher wrote a moment ago, for nodes that were not watched here before."""
        self._resumed = states

    def take(
        self, outcomes: Sequence[PollOutcome], settings: Settings, now: Now, names: Collection[str] | None = None
    ) -> Pass:
        """Everything that is known after these outcomes, of every node, or of those in `names`."""
        self._follow(settings, now)
        read: Counter[Novelty] = Counter()
        new: set[str] = set()
        for outcome in outcomes:
            node = self._nodes.get(outcome.address.name)
            if node is None:
                continue  # taken off the list while it was asked
            if outcome.report is None:
                node.why_silent = f"{outcome.kind} ({outcome.reason})"
                if outcome.kind in _REJECTED:
                    node.rejected.note(outcome.kind, outcome.reason, outcome.at_seconds)
                continue
            ended = Now(outcome.at_seconds, now.unix_seconds - (now.steady - outcome.at_seconds))
            kind = _taken(node, outcome, outcome.report, ended, settings)
            read[kind] += 1
            if kind in {"new", "restarted"}:
                new.add(node.name)
        told = [node for node in self._nodes.values() if names is None or node.name in names]
        states = tuple(
            replace(node.state(settings, now), success_ratio=self.success_ratios.get(node.name)) for node in told
        )
        rows = tuple(self._node_row(state, state.node in new, now) for state in states)
        whole = {row.name for row in rows if row.newest_report is not None}
        return Pass(
            states=states,
            node_rows=rows,
            served={name: self._written[name][1] for name in whole},
            report_rows=tuple(
                report_row(report, state.status)
                for state in states
                if state.node in new and (report := self._nodes[state.node].newest_report) is not None
            ),
            asked=Counter(outcome.kind for outcome in outcomes),
            read=read,
        )

    def was_not_stored(self, done: Pass) -> None:
        """The database did not take this pass: what it held is told again in the next one."""
        for row in done.node_rows:
            if row.newest_report is not None:
                self._written.pop(row.name, None)

    def _follow(self, settings: Settings, now: Now) -> None:
        """Makes the nodes those of the settings of now; what is known of one stays while it is listed."""
        listed = {one.name: one for one in members(settings, self._own_name)}
        if listed == self._members:
            return
        for name in self._nodes.keys() - listed.keys():
            del self._nodes[name]
            self._written.pop(name, None)
        for name, one in listed.items():
            watched = self._nodes.get(name)
            if watched is None:
                watched = self._nodes[name] = WatchedNode(name, slots=one.slots)
                if name in self._resumed:
                    watched.resume(self._resumed[name], now)
            watched.slots = one.slots
            watched.time_zone = ZoneInfo(one.time_zone) if one.time_zone else None
            watched.capabilities = frozenset({CLASS_PREFIX + one.profile} if one.profile else ())
        self._members = listed

    def _node_row(self, state: NodeState, is_seen: bool, now: Now) -> NodeRow:
        node = self._nodes[state.node]
        report = node.newest_report
        served = () if report is None else served_by(report)
        *written, written_at = self._written.get(state.node, (None, (), 0.0))
        is_changed = written != [state.status, served] or now.steady - written_at >= _WHOLE_REPORT_SECONDS
        is_whole = is_seen and is_changed
        if is_whole:
            self._written[state.node] = (state.status, served, now.steady)
        whole = report if is_whole else None
        return NodeRow(
            name=state.node,
            state=state.status,
            state_reason=state.reason,
            since_unix_seconds=state.since_unix_seconds,
            is_seen=is_seen,
            address=self._members[state.node].address,
            profile=self._members[state.node].profile,
            notes="; ".join(state.notes),
            clock_skew_seconds=None if report is None else node.clock_skew_seconds,
            hardware={} if whole is None else hardware_of(whole),
            newest_report=None if whole is None else whole.to_json_object(),
        )


def _taken(node: WatchedNode, outcome: PollOutcome, report: NodeReport, ended: Now, settings: Settings) -> Novelty:
    """Lets a node have its report; one that tells nothing new is held against it when it is no mere repetition."""
    node.remark = outcome.reason
    age_seconds = node.age_seconds(ended)
    kind = node.arrived(report, ended)
    if kind in {"replayed", "older"}:
        again = "repeats report" if kind == "replayed" else "sends the older report"
        node.why_silent = f"it {again} {report.sequence}"
        # An agent gives the same report for some seconds; asked twice within them it does nothing wrong.
        if kind == "older" or age_seconds > settings.node.health_check_seconds / 2:
            node.rejected.note(kind, node.why_silent, ended.steady)
    return kind


def hardware_of(report: NodeReport) -> dict[str, Any]:
    """What of a machine does not change from report to report; unknown parts are left out."""
    hardware: dict[str, Any] = {}
    if host := report.host:
        hardware |= {
            "system": host.system,
            "release": host.release,
            "architecture": host.architecture,
            "board": host.board,
            "cores": host.cores,
            "memory_total_bytes": host.memory_total_bytes,
        }
    if report.gpus is not None:
        hardware["gpus"] = [
            {"name": gpu.name, "vendor": gpu.vendor, "memory_bytes": gpu.memory_total_bytes} for gpu in report.gpus
        ]
    return hardware
