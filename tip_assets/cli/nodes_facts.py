"""What `tip nodes` tells of the fleet, put together from states, reports, leases and work; looks are nodes_table.py."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psutil
from sqlalchemy import Engine

from node_agent.report import Reading
from tip_assets.cli.nodes_queries import FleetQueries, Load, Noted
from tip_resources.database.connection import database
from tip_resources.database.fleet_gate import GateStore
from tip_resources.database.found_nodes import FoundNode, FoundNodeStore
from tip_resources.database.node_orders import NodeOrderStore
from tip_resources.database.node_states import NodeStateStore
from tip_resources.database.node_work import NodeWork, NodeWorkStore
from tip_resources.database.seen_endpoints import REPORTED, EndpointRegistry, SeenEndpoint
from tip_resources.domain.failures import PermanentFailure, TransientFailure
from tip_resources.fleet.endpoint_nodes import EndpointNodes
from tip_resources.fleet.heat import CPU
from tip_resources.fleet.known_fleet import KnownFleet
from tip_resources.fleet.node_order import NodeOrder
from tip_resources.fleet.node_state import NodeState, lost_after_seconds
from tip_resources.fleet.under_way import NOTHING, UnderWay, under_way
from tip_resources.settings.layers import load_settings
from tip_resources.settings.live import LiveSettings
from tip_resources.settings.models import Settings

WORK_HOURS = 24
# An agent that announced itself longer ago than this may have gone.
_HINT_HOURS = 1
_SERVING = frozenset({"answers", REPORTED})
_LOOK_SECONDS = 0.1  # to see how busy this machine is, where nobody has watched it


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """A model server on a machine. `url` as that machine sees it; unknown is None."""

    url: str
    kind: str
    models: tuple[str, ...] = ()
    slots: int | None = None
    slots_busy: int | None = None
    queue_depth: int | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a person ordered of a machine."""

    kind: str
    given_by: str
    reason: str
    given_at: datetime


class NodeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One machine. Unknown is None; a `..._unknown` says why. `tokens_per_second` is that of one call on the average.

    `gpu_celsius` is the hottest card's; `has_gpu` None: never told. Work is that of the last 24 hours.
    """

    node: str
    is_this_machine: bool
    status: str
    reason: str
    since: datetime | None
    accepts_work: bool
    slots: int
    slots_used: int
    slots_free: int
    cpu_celsius: float | None
    cpu_celsius_unknown: str
    gpu_celsius: float | None
    gpu_celsius_unknown: str
    has_gpu: bool | None
    cpu_ratio: float | None
    gpu_ratio: float | None
    calls_in_flight: int | None
    steps_running: int | None
    endpoints: tuple[Served, ...]
    tokens_per_second: float | None
    error_rate: float | None
    work_hours: int
    work: NodeWork | None
    notes: tuple[str, ...]
    order: Order | None
    address: str
    last_seen_at: datetime | None


class Gate(msgspec.Struct, frozen=True):
    """How many runs may go on at once, as it was decided last."""

    run_limit: int
    reason: str
    since: datetime
    decided_at: datetime


class FleetFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The fleet at one moment. `trouble` says why the database cannot be asked, and is else empty."""

    at: datetime
    is_watched: bool
    trouble: str
    nodes: tuple[NodeLine, ...]
    found: tuple[FoundNode, ...]
    gate: Gate | None


class _Rows(msgspec.Struct, frozen=True, kw_only=True):
    """What the database knows of machines, by their name. `fresh` are those whose state was written lately."""

    noted: Mapping[str, Noted] = {}
    loads: Mapping[str, Load] = {}
    under_way: Mapping[str, UnderWay] = {}
    work: Mapping[str, NodeWork] = {}
    orders: Mapping[str, NodeOrder] = {}
    served: Mapping[str, Sequence[SeenEndpoint]] = {}
    fresh: frozenset[str] = frozenset()


class FleetReader:
    """Reads the fleet of a project folder, as often as wanted.

    A database that is away is no failure: this machine is told then, and `trouble` says why no more is.
    """

    def __init__(self, home: Path) -> None:
        self.engine: Engine | None = None
        self.trouble = ""
        try:
            self.engine, live = database(home), LiveSettings(home)
            live.current()
            self.fleet = KnownFleet(self.engine, live.current)
        except TransientFailure as failure:
            settings, self.trouble = load_settings(home, use_database=False), str(failure)
            self.engine, self.fleet = None, KnownFleet(None, lambda: settings)

    @property
    def names(self) -> list[str]:
        """Every machine of the fleet, this one first."""
        return [state.node for state in self.fleet.states()]

    def read(self) -> FleetFacts:
        """The fleet now."""
        settings, own = self.fleet.settings, self.fleet.own_name
        rows, found, gate = _Rows(), [], None
        trouble = self.trouble
        if self.engine is not None:
            try:
                rows = _rows(self.engine, settings, EndpointNodes(own=own))
                found, gate = _fresh_hints(self.engine), _gate(self.engine)
            except (TransientFailure, PermanentFailure) as failure:
                trouble = str(failure)
        if own not in rows.fresh:
            rows = msgspec.structs.replace(rows, loads={**rows.loads, own: _own_load()})
        states = self.fleet.states()
        return FleetFacts(
            at=datetime.now(UTC),
            is_watched=bool(rows.fresh),
            trouble=trouble,
            nodes=tuple(_line(state, state.node == own, rows, knows=not trouble) for state in states),
            found=tuple(hint for hint in found if not _is_listed(hint, settings, own)),
            gate=gate,
        )


def _gate(engine: Engine) -> Gate | None:
    row = GateStore(engine).read()
    return None if row is None else Gate(row.run_limit, row.reason, row.since, row.decided_at)


def _rows(engine: Engine, settings: Settings, nodes: EndpointNodes) -> _Rows:
    queries, listed = FleetQueries(engine), settings.fleet.nodes
    oldest = lost_after_seconds(settings.node.health_check_seconds)
    written = NodeStateStore(engine).all()
    served: dict[str, list[SeenEndpoint]] = {}
    seen = [one for one in EndpointRegistry(engine).all() if one.state in _SERVING]
    node_of = nodes.of([one.address for one in seen], listed)
    for one in seen:
        served.setdefault(one.node or node_of[one.address], []).append(one)
    return _Rows(
        noted=queries.noted(),
        loads=queries.loads(oldest),
        under_way=under_way(engine, nodes, listed),
        work=NodeWorkStore(engine).recent(WORK_HOURS),
        orders=NodeOrderStore(engine).all(),
        served=served,
        fresh=frozenset(name for name, one in written.items() if one.age_seconds <= oldest),
    )


def _own_load() -> Load:
    return Load(cpu_ratio=psutil.cpu_percent(interval=_LOOK_SECONDS) / 100)


def _line(state: NodeState, is_own: bool, rows: _Rows, *, knows: bool) -> NodeLine:
    noted, load = rows.noted.get(state.node, Noted()), rows.loads.get(state.node, Load())
    work, order = rows.work.get(state.node), rows.orders.get(state.node)
    now = rows.under_way.get(state.node, NOTHING) if knows else None
    steps = None if now is None else len(now.steps)
    cpu, gpu = _heat(state)
    # Of a machine that nobody watches it is only known how it is at this look.
    is_since_known = bool(state.since_unix_seconds) and (state.node in rows.fresh or order is not None)
    used = max(state.slots_used, steps or 0)
    return NodeLine(
        node=state.node,
        is_this_machine=is_own,
        status=state.status,
        reason=state.reason,
        since=datetime.fromtimestamp(state.since_unix_seconds, UTC) if is_since_known else None,
        accepts_work=state.accepts_work,
        slots=state.slots,
        slots_used=used,
        slots_free=max(0, state.slots - used) if state.accepts_work else 0,
        cpu_celsius=cpu.value,
        cpu_celsius_unknown=cpu.why_unknown,
        gpu_celsius=gpu.value,
        gpu_celsius_unknown=gpu.why_unknown,
        has_gpu=noted.has_cards if not _cards(state) else True,
        cpu_ratio=load.cpu_ratio,
        gpu_ratio=load.gpu_ratio,
        calls_in_flight=None if now is None else now.calls,
        steps_running=steps,
        endpoints=_endpoints(noted, rows.served.get(state.node, ())),
        tokens_per_second=None if work is None else work.tokens_per_second,
        error_rate=None if work is None else work.error_rate,
        work_hours=WORK_HOURS,
        work=work,
        notes=state.notes,
        order=None if order is None else _order(order),
        address=noted.address,
        last_seen_at=noted.last_seen_at,
    )


def _cards(state: NodeState) -> list[Reading]:
    return [part.celsius for part in state.memory.parts if part.part != CPU]


def _heat(state: NodeState) -> tuple[Reading, Reading]:
    """Of the processor, and of the hottest card. What a lost machine said last says nothing of now."""
    if state.status == "lost":
        unknown = Reading.unknown("it is lost")
        return unknown, unknown
    cards = _cards(state)
    hottest = max((card for card in cards if card.value is not None), key=lambda card: card.value or 0, default=None)
    missing = cards[0] if cards else Reading.unknown("no card reported")
    return state.cpu_celsius, hottest or missing


def _endpoints(noted: Noted, seen: Sequence[SeenEndpoint]) -> tuple[Served, ...]:
    """Those it reports itself, then those that were seen to answer there besides."""
    served = [
        Served(
            url=one.url,
            kind=one.kind,
            models=tuple(model.name for model in one.models if model.is_loaded is not False),
            slots=one.slots,
            slots_busy=one.slots_busy,
            queue_depth=one.queue_depth,
        )
        for one in noted.endpoints
    ]
    ports = {urlsplit(one.url).port for one in served}
    served += [
        Served(
            url=one.address,
            kind=str(one.details.get("kind", "unknown")),
            models=tuple(model.name for model in one.models if model.is_loaded is not False),
        )
        for one in seen
        if urlsplit(one.address).port not in ports
    ]
    return tuple(served)


def _order(order: NodeOrder) -> Order:
    given_at = datetime.fromtimestamp(order.given_at_unix_seconds, UTC)
    return Order(kind=order.kind, given_by=order.given_by, reason=order.reason, given_at=given_at)


def _fresh_hints(engine: Engine) -> list[FoundNode]:
    oldest = datetime.now(UTC) - timedelta(hours=_HINT_HOURS)
    return [hint for hint in FoundNodeStore(engine).all() if hint.last_seen_at >= oldest]


def _is_listed(hint: FoundNode, settings: Settings, own: str) -> bool:
    return hint.name == own or any(hint.name == node.name or hint.url == node.url for node in settings.fleet.nodes)
