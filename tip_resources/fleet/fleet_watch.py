"""All listed nodes over time: takes the outcomes of a pass in, and tells states and what is to be stored of them.

Asking is in poller.py, one node in node_history.py, the tables in tip_resources/database.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from node_agent.report import NodeReport
from tip_resources.database.node_reports import NodeReportStore, ReportRow, report_row
from tip_resources.database.nodes import NodeRow, NodeStore
from tip_resources.fleet.node_history import Now, WatchedNode
from tip_resources.fleet.node_state import NodeState, Status
from tip_resources.fleet.poller import Address, OutcomeKind, PollOutcome
from tip_resources.fleet.reading_reports import Novelty
from tip_resources.settings.fleet_models import FleetNodeSettings
from tip_resources.settings.models import Settings

# A whole report is some 5 KB, written when the node's state changes and this often besides.
_WHOLE_REPORT_SECONDS = 900.0


@dataclass(frozen=True)
class Pass:
    """What a pass made known. `asked` counts outcomes, `read` what kinds of reports came."""

    states: tuple[NodeState, ...]
    node_rows: tuple[NodeRow, ...]
    report_rows: tuple[ReportRow, ...]
    asked: Mapping[OutcomeKind, int]
    read: Mapping[Novelty, int]

    def store(self, nodes: NodeStore, reports: NodeReportStore) -> None:
        """Two statements, however many nodes."""
        nodes.note(self.node_rows)
        reports.add(self.report_rows)


class FleetWatch:
    """The nodes of `fleet.nodes`; who is taken off that list is forgotten. Not for several threads at once."""

    def __init__(self) -> None:
        self._nodes: dict[str, WatchedNode] = {}
        self._listed: dict[str, FleetNodeSettings] = {}
        self._written: dict[str, tuple[Status, float]] = {}

    @staticmethod
    def addresses(settings: Settings) -> list[Address]:
        """Whom to ask."""
        return [Address(node.name, node.url) for node in settings.fleet.nodes]

    def node(self, name: str) -> WatchedNode | None:
        """One node, to look at what was learned of it; None when it is not listed."""
        return self._nodes.get(name)

    def take(self, outcomes: Sequence[PollOutcome], settings: Settings, now: Now) -> Pass:
        """Everything that is known after these outcomes, of every listed node."""
        self._follow(settings)
        read: Counter[Novelty] = Counter()
        new: set[str] = set()
        for outcome in outcomes:
            node = self._nodes.get(outcome.address.name)
            if node is None:
                continue  # taken off the list while it was asked
            if outcome.report is None:
                node.why_silent = f"{outcome.kind} ({outcome.reason})"
                continue
            ended = Now(outcome.at_seconds, now.unix_seconds - (now.steady - outcome.at_seconds))
            kind = node.arrived(outcome.report, ended)
            read[kind] += 1
            if kind in {"new", "restarted"}:
                new.add(node.name)
            else:
                again = "repeats report" if kind == "replayed" else "sends the older report"
                node.why_silent = f"it {again} {outcome.report.sequence}"
        states = tuple(node.state(settings, now) for node in self._nodes.values())
        return Pass(
            states=states,
            node_rows=tuple(self._node_row(state, state.node in new, now) for state in states),
            report_rows=tuple(
                report_row(report, state.status)
                for state in states
                if state.node in new and (report := self._nodes[state.node].newest_report) is not None
            ),
            asked=Counter(outcome.kind for outcome in outcomes),
            read=read,
        )

    def _follow(self, settings: Settings) -> None:
        """Makes the nodes those of the settings of now; what is known of one stays while it is listed."""
        listed = {node.name: node for node in settings.fleet.nodes}
        if listed == self._listed:
            return
        for name in self._nodes.keys() - listed.keys():
            del self._nodes[name]
            self._written.pop(name, None)
        for name, node in listed.items():
            watched = self._nodes.setdefault(name, WatchedNode(name, slots=node.step_slots))
            watched.slots = node.step_slots
            watched.time_zone = ZoneInfo(node.time_zone) if node.time_zone else None
        self._listed = listed

    def _node_row(self, state: NodeState, is_seen: bool, now: Now) -> NodeRow:
        node = self._nodes[state.node]
        report = node.newest_report
        status, written_at = self._written.get(state.node, (None, 0.0))
        is_whole = is_seen and (status != state.status or now.steady - written_at >= _WHOLE_REPORT_SECONDS)
        if is_whole:
            self._written[state.node] = (state.status, now.steady)
        whole = report if is_whole else None
        return NodeRow(
            name=state.node,
            state=state.status,
            state_reason=state.reason,
            since_unix_seconds=state.since_unix_seconds,
            is_seen=is_seen,
            address=self._listed[state.node].url,
            notes="; ".join(state.notes),
            clock_skew_seconds=None if report is None else node.clock_skew_seconds,
            hardware={} if whole is None else hardware_of(whole),
            newest_report=None if whole is None else whole.to_json_object(),
        )


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
