"""The model servers that the machines of the fleet report, at the addresses by which they are reached from here.

A report is input from outside: of what it says of a server only the port and the path are believed, never the host.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from node_agent.report import ServedEndpoint, ServerKind
from tip_resources.database.reported_servers import ReportedServers, ReportedServerStore
from tip_resources.database.trouble import DATABASE_TROUBLE
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.fleet.endpoint_nodes import EndpointNodes, host_of, is_plain_loopback
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.reported_endpoints import MOST_SERVERS, reached_at
from tip_resources.settings.fleet_models import FleetNodeSettings


@dataclass(frozen=True)
class NodeServer:
    """A model server of a machine. `obstacle` says why it cannot be asked at all; "" when nothing speaks against it."""

    node: str
    url: str
    kind: ServerKind = "unknown"
    obstacle: str = ""


@dataclass(frozen=True)
class FleetLook:
    """The fleet at one moment. `trouble` says why its machines' servers are not known; "" when they are."""

    servers: tuple[NodeServer, ...] = ()
    states: Mapping[str, NodeState] = field(default_factory=dict)
    trouble: str = ""
    at_unix_seconds: float = 0.0

    def why_held(self, node: str) -> str:
        """Why a machine takes no work now, in words; "" when it does, or is none of the fleet."""
        state = self.states.get(node)
        return "" if state is None or state.accepts_work else state.described(self.at_unix_seconds)


class FleetServers:
    """Looks up the servers and states of all machines. Threads may share one.

    Args:
        known: The states of the machines.
        database: Where reports are kept; None for this machine alone.
        trouble: Why there is no database; "" when none is wanted.
    """

    def __init__(self, known: KnownFleet, database: Engine | None, *, trouble: str = "") -> None:
        self.known = known
        self.nodes = EndpointNodes(own=known.own_name)
        self._database = database
        self._trouble = trouble and _not_known(trouble)

    def states(self) -> Mapping[str, NodeState]:
        """The machines of which something can be known: without a database nobody can tell of any other than this."""
        known = (self.known.this_node(),) if self._database is None else self.known.states()
        return {state.node: state for state in known}

    def look(self) -> FleetLook:
        """Reads everything now: two short queries at most. Without a database this machine's state is all there is."""
        now = time.time()
        states = self.states()
        if self._database is None:
            return FleetLook(states=states, trouble=self._trouble, at_unix_seconds=now)
        try:
            reported = ReportedServerStore(self._database).all()
        except DATABASE_TROUBLE as trouble:
            return FleetLook(states=states, trouble=_not_known(str(trouble)), at_unix_seconds=now)
        listed = self.known.settings.fleet.nodes
        servers = node_servers(listed, reported, states, own=self.known.own_name, now_unix_seconds=now)
        return FleetLook(tuple(servers), states, at_unix_seconds=now)


def fleet_of(home: Path) -> FleetServers:
    """The fleet of a project. A database that is away leaves this machine, and that is said."""
    from tip_resources.database.connection import database
    from tip_resources.settings.live import LiveSettings

    try:
        engine, live = database(home), LiveSettings(home)
        return FleetServers(KnownFleet(engine, live.current), engine)
    except (PermanentFailure, TransientFailure) as failure:
        return this_machine_alone(home, trouble=str(failure))


def this_machine_alone(home: Path, *, trouble: str = "") -> FleetServers:
    """For work on plain files, which needs no database: this machine's heat counts, other machines are not known."""
    from tip_resources.settings.layers import load_settings

    settings = load_settings(home, use_database=False)
    return FleetServers(KnownFleet(None, lambda: settings), None, trouble=trouble)


def _not_known(trouble: str) -> str:
    why = trouble.splitlines()[0]
    return f"the database cannot be asked, so servers that the fleet's machines report are not known: {why}"


def node_servers(
    listed: Sequence[FleetNodeSettings],
    reported: Mapping[str, ReportedServers],
    states: Mapping[str, NodeState],
    *,
    own: str,
    now_unix_seconds: float,
) -> list[NodeServer]:
    """The servers of the listed machines, in their order; a machine that is not listed any more has none.

    A machine of which nothing is known has servers that nobody can speak of; one that takes no work now has them all
    the same, because it may take some in a minute.
    """
    found: list[NodeServer] = []
    for node in listed:
        if (told := reported.get(node.name)) is None:
            continue
        state = states.get(node.name)
        if told.trouble:
            found.append(NodeServer(node.name, node.url, obstacle=told.trouble))
        elif state is None or state.status == "lost":
            lost = f"{node.name} is not known" if state is None else state.described(now_unix_seconds)
            found += [
                NodeServer(node.name, _shown(node, server), server.kind, f"{lost}.") for server in told.servers[:1]
            ]
        else:
            found += [_reachable(node, server, own) for server in told.servers[:MOST_SERVERS]]
            if (left := len(told.servers) - MOST_SERVERS) > 0:
                why = f"it reports {left} servers more than the {MOST_SERVERS} that are looked at."
                found.append(NodeServer(node.name, node.url, obstacle=why))
    return found


def _reachable(node: FleetNodeSettings, server: ServedEndpoint, own: str) -> NodeServer:
    is_own, host = node.name == own, host_of(node.url)
    if is_plain_loopback(host) and not is_own:
        why = (
            "its agent is reached at an address of this machine (a tunnel?), which says nothing of where its servers "
            "are reached. Name them in models.endpoints."
        )
        return NodeServer(node.name, _shown(node, server), server.kind, why)
    url = reached_at(server, "127.0.0.1" if is_own else f"[{host}]" if ":" in host else host)
    if not url:
        return NodeServer(node.name, node.url, server.kind, "it reports a server without a usable port and path.")
    return NodeServer(node.name, url, server.kind)


def _shown(node: FleetNodeSettings, server: ServedEndpoint) -> str:
    """An address for people alone: the machine's name and the port that was reported."""
    try:
        port = urlsplit(server.url).port
    except ValueError:
        port = None
    return f"http://{node.name}:{port}" if port else f"http://{node.name}"
