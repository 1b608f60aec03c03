"""The platform of the simulation: it sees only reports, and decides with the real states, `place` and gate.

What it does besides is what the request engine does: a connection refused takes a node out until its next report,
calls of a node that takes no more work begin anew elsewhere, and a slot that is over the limit of a throttled node
finishes its call. With `sees_heat` False the reports hold no temperatures: a thermally blind scheduler, else the same.
"""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from benchmarks.fleet.machines import STEP_SECONDS, Body, Kind, Life
from node_agent.report import Activity, Gpu, NodeReport, Reading, Sign, Thermal
from tip_resources.fleet.gate import GateMemory, decide
from tip_resources.fleet.node_state import NodeState, derive_state
from tip_resources.fleet.placement import WorkRequest, place
from tip_resources.settings.models import GateSettings, PlacementSettings, ThermalSettings

REPORT_SECONDS = 30
_NOT_TOLD = Reading.unknown("not simulated")


@dataclass
class Call:
    """One conversation to write."""

    number: int
    tokens: float
    left: float
    failed_at: frozenset[str] = frozenset()
    finished: int = 0


@dataclass
class Node:
    """A machine with its calls, and what the platform makes of its last report."""

    body: Body
    report: NodeReport
    state: NodeState
    running: list[Call] = field(default_factory=list)
    finished: int = 0
    failed: int = 0

    @property
    def life(self) -> Life:
        return self.body.life

    @property
    def as_place(self) -> NodeState:
        tried = self.finished + self.failed
        ratio = self.finished / tried if tried else None
        return replace(self.state, slots_used=len(self.running), queue_depth=0, success_ratio=ratio)


class Dispatch:
    """Brings the calls to the machines.

    Args:
        lives: The machines.
        calls: What is to be written.
        sees_heat: Whether reports hold temperatures.
        seed: Of the sensors' noise.
    """

    def __init__(self, lives: Sequence[Life], calls: Sequence[Call], *, sees_heat: bool, seed: int) -> None:
        self.queue = deque(calls)
        self.moved = 0
        self.wasted_tokens = 0.0
        self.limit = 0
        self._sees_heat = sees_heat
        self._noise = random.Random(seed)
        self._thermal = {life.kind: _thermal_settings(life.kind) for life in lives}
        self._gate, self._weights = GateSettings(), PlacementSettings()
        self._gate_memory: GateMemory | None = None
        self._sequence = 0
        self.nodes: list[Node] = []
        for life in lives:
            body = Body(life)
            report = self._report(body, 0.0)
            self.nodes.append(Node(body, report, self._derived(life, report, 0.0, None)))
        self._places = [node.as_place for node in self.nodes]
        self._has_changed = True

    def step(self, now: float) -> None:
        """All decisions of one second."""
        for index, node in enumerate(self.nodes):
            life = node.life
            if life.dies_at is not None and not life.dies_silently and 0 <= now - life.dies_at < STEP_SECONDS:
                self._take_out(node, "its connection broke")
            elif int(now) % REPORT_SECONDS == life.poll_phase_seconds:
                self._poll(node, now)
            else:
                continue
            self._places[index] = node.as_place
            self._has_changed = True
        if int(now) % REPORT_SECONDS == 0:
            decision = decide(self._places, self._gate, now, self._gate_memory)
            self._gate_memory = decision.memory
            self._has_changed |= decision.changed
            self.limit = decision.limit
        if self._has_changed:
            self._place_waiting(now)

    def progress(self, node: Node, index: int) -> None:
        """One second of work on a machine that is alive."""
        done = node.life.kind.tokens_per_second * node.body.speed * STEP_SECONDS
        for call in node.running:
            call.left -= done
        ended = [call for call in node.running if call.left <= 0]
        if ended:
            for call in ended:
                call.finished += 1
            node.finished += len(ended)
            node.running = [call for call in node.running if call.left > 0]
            self._places[index] = node.as_place
            self._has_changed = True

    def _place_waiting(self, now: float) -> None:
        self._has_changed = False
        index_of = {node.life.name: index for index, node in enumerate(self.nodes)}
        in_flight = sum(len(node.running) for node in self.nodes)
        waits: list[Call] = []
        while self.queue and in_flight < self.limit:
            call = self.queue.popleft()
            request = WorkRequest(avoid=call.failed_at, key=str(call.number))
            chosen = place(request, self._places, self._weights, ThermalSettings()).node
            if chosen is None:
                waits.append(call)
                if call.failed_at:
                    continue  # it may wait for another node while the next finds its place
                break
            node = self.nodes[index_of[chosen]]
            if not node.life.is_alive_at(now) and not node.life.dies_silently:
                self._take_out(node, "it refused a connection")
                self.queue.appendleft(call)
            else:
                call.left = call.tokens
                node.running.append(call)
                in_flight += 1
            self._places[index_of[chosen]] = node.as_place
        self.queue.extendleft(reversed(waits))

    def _poll(self, node: Node, now: float) -> None:
        if node.life.is_alive_at(now):
            node.report = self._report(node.body, now)
        elif node.state.status == "stale" and not node.life.dies_silently:
            return  # out since its connection broke, and nothing new is known
        node.state = self._derived(node.life, node.report, now, node.state)
        if not node.state.accepts_work:
            self._move_calls(node)

    def _take_out(self, node: Node, reason: str) -> None:
        node.state = replace(node.state, status="stale", reason=reason)
        self._move_calls(node)

    def _move_calls(self, node: Node) -> None:
        for call in reversed(node.running):
            self.wasted_tokens += call.tokens - call.left
            call.failed_at |= {node.life.name}
            self.queue.appendleft(call)
        self.moved += len(node.running)
        if node.state.status in {"stale", "lost"}:
            node.failed += len(node.running)
        node.running = []

    def _derived(self, life: Life, report: NodeReport, now: float, before: NodeState | None) -> NodeState:
        return derive_state(
            report,
            self._thermal[life.kind],
            slots=life.kind.slots,
            report_every_seconds=REPORT_SECONDS,
            now_unix_seconds=now,
            before=before,
        )

    def _report(self, body: Body, now: float) -> NodeReport:
        """What the machine's agent would say: whole degrees with noise, watts where it tells them, its owner."""
        life, self._sequence = body.life, self._sequence + 1
        busy = next((len(node.running) for node in self.nodes if node.body is body), 0)
        owner = life.has_owner_at(now)
        celsius = Reading(float(round(body.celsius + self._noise.gauss(0, 0.3))))
        watts = Reading(body.watts(busy, owner))
        card = Gpu(0, "card", "nvidia", _NOT_TOLD, _NOT_TOLD, watts, _NOT_TOLD, _NOT_TOLD)
        idle = Reading(0.0 if owner else 3600.0)
        return NodeReport(
            node=life.name,
            boot_id="simulated",
            sequence=self._sequence,
            reported_at_unix_seconds=now,
            agent_version="simulation",
            thermal=Thermal(celsius) if self._sees_heat else None,
            gpus=(card,) if life.kind.tells_power and self._sees_heat else None,
            activity=Activity(Sign(owner), Sign(owner), Sign(False), Sign(False), idle),
        )


def _thermal_settings(kind: Kind) -> ThermalSettings:
    return ThermalSettings(cpu_limit_celsius=kind.limit_celsius, recovery_celsius=kind.recovery_celsius)
