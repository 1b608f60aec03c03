"""The platform of the simulation: it sees only reports, and decides with the real states, `place` and gate.

What it does besides is what the request engine does: a connection refused takes a node out until its next report,
calls of a node that takes no more work begin anew elsewhere, a slot that is over the limit of a throttled node
finishes its call, and when nothing waits any more, idle nodes also try the calls that slower ones hold. With
`sees_heat` False the reports hold no temperatures: a thermally blind scheduler, else the same.
"""

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from benchmarks.fleet.agents import Agent
from benchmarks.fleet.machines import STEP_SECONDS, Body, Life
from tip_resources.fleet.gate import GateMemory, decide
from tip_resources.fleet.node_history import Now, WatchedNode
from tip_resources.fleet.node_state import NodeState
from tip_resources.fleet.placement import WorkRequest, place
from tip_resources.settings.models import Settings

# Before the first call there are spells at full, half and no work, in which the platform learns how nodes warm.
_SPELL_SECONDS = 300


@dataclass
class Call:
    """One conversation to write."""

    number: int
    tokens: float
    failed_at: frozenset[str] = frozenset()
    finished: int = 0


@dataclass
class Attempt:
    """A call under way on a node, with the tokens still to write."""

    call: Call
    left: float


@dataclass
class Node:
    """A machine with its calls, and what the platform makes of its reports."""

    body: Body
    agent: Agent
    watched: WatchedNode
    state: NodeState
    running: list[Attempt] = field(default_factory=list)
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
        runs: The calls of each run. A run starts when the gate lets it, and then has its calls placed.
        settings: Of the platform.
        sees_heat: Whether reports hold temperatures.
        seed: Of the sensors' noise.
        watched_seconds: How long the platform has watched the machines before.
    """

    def __init__(
        self,
        lives: Sequence[Life],
        runs: Sequence[Sequence[Call]],
        settings: Settings,
        *,
        sees_heat: bool,
        seed: int,
        watched_seconds: int,
    ) -> None:
        self.waiting_runs = deque(runs)
        self.queue: deque[Call] = deque()
        self._unfinished: list[list[Call]] = []
        self.moved = 0
        self.wasted_tokens = 0.0
        self.limit = 0
        self._gate_memory: GateMemory | None = None
        noise = random.Random(seed)
        self._settings, self._report_seconds = settings, int(settings.node.health_check_seconds)
        self.nodes = [_known_node(life, settings, sees_heat, noise, watched_seconds) for life in lives]
        self._places = [node.as_place for node in self.nodes]
        self._index_of = {life.name: index for index, life in enumerate(lives)}
        self._has_changed = True

    def step(self, now: float) -> None:
        """All decisions of one second."""
        for index, node in enumerate(self.nodes):
            life = node.life
            if life.dies_at is not None and not life.dies_silently and 0 <= now - life.dies_at < STEP_SECONDS:
                self._take_out(node, "its connection broke")
            elif int(now) % self._report_seconds == life.poll_phase_seconds:
                self._poll(node, now)
            else:
                continue
            self._places[index] = node.as_place
            self._has_changed = True
        if int(now) % self._report_seconds == 0:
            decision = decide(self._places, self._settings.gate, now, self._gate_memory)
            self._gate_memory = decision.memory
            self.limit = decision.limit
        self._start_runs()
        if self._has_changed:
            self._place_waiting(now)
            if not self.queue and not self.waiting_runs:
                self._try_slow_calls_elsewhere(now)
            self._has_changed = False

    @property
    def is_done(self) -> bool:
        return not (self.waiting_runs or self.queue or any(node.running for node in self.nodes))

    def progress(self, node: Node) -> None:
        """One second of work on a machine that is alive."""
        done = node.life.kind.tokens_per_second * node.body.speed * STEP_SECONDS
        for attempt in node.running:
            attempt.left -= done
        for attempt in [attempt for attempt in node.running if attempt.left <= 0]:
            attempt.call.finished += 1
            node.finished += 1
            self._end_attempts(attempt)
            self._has_changed = True

    def _end_attempts(self, finished: Attempt) -> None:
        """The call is written: what another node has of it is thrown away."""
        for index, node in enumerate(self.nodes):
            ending = [attempt for attempt in node.running if attempt.call is finished.call]
            if ending:
                self.wasted_tokens += sum(it.call.tokens - it.left for it in ending if it is not finished)
                node.running = [attempt for attempt in node.running if attempt.call is not finished.call]
                self._places[index] = node.as_place

    def _start_runs(self) -> None:
        if self._has_changed:
            self._unfinished = [run for run in self._unfinished if not all(call.finished for call in run)]
        while self.waiting_runs and len(self._unfinished) < self.limit:
            run = list(self.waiting_runs.popleft())
            self._unfinished.append(run)
            self.queue.extend(run)
            self._has_changed = True

    def _place_waiting(self, now: float) -> None:
        waits: list[Call] = []
        while self.queue:
            call = self.queue.popleft()
            chosen = self._choose(call, call.failed_at)
            if chosen is not None:
                if not self._begin(call, chosen, now):
                    self.queue.appendleft(call)
                continue
            waits.append(call)
            if not call.failed_at:  # one that failed may wait for another node while the next finds its place
                break
        self.queue.extendleft(reversed(waits))

    def _try_slow_calls_elsewhere(self, now: float) -> None:
        """A second attempt where it would be over sooner, those that would take longest first."""
        attempts = [(attempt, node) for node in self.nodes for attempt in node.running]
        tried = Counter(attempt.call.number for attempt, _ in attempts)
        attempts.sort(key=lambda pair: -pair[0].left / pair[1].life.kind.tokens_per_second)
        for attempt, node in attempts:
            call = attempt.call
            if tried[call.number] > 1:
                continue
            chosen = self._choose(call, call.failed_at | {node.life.name})
            if chosen is None:
                return
            there = call.tokens / self.nodes[chosen].life.kind.tokens_per_second
            if self.nodes[chosen] is not node and there < attempt.left / node.life.kind.tokens_per_second:
                self._begin(call, chosen, now)

    def _choose(self, call: Call, avoid: frozenset[str]) -> int | None:
        request = WorkRequest(avoid=avoid, key=str(call.number))
        chosen = place(request, self._places, self._settings.placement, self._settings.thermal)
        return None if chosen.node is None else self._index_of[chosen.node]

    def _begin(self, call: Call, index: int, now: float) -> bool:
        """Whether the node took the call; one that died in silence does, too."""
        node = self.nodes[index]
        is_taken = node.life.is_alive_at(now) or node.life.dies_silently
        if is_taken:
            node.running.append(Attempt(call, call.tokens))
        else:
            self._take_out(node, "it refused a connection")
        self._places[index] = node.as_place
        return is_taken

    def _poll(self, node: Node, now: float) -> None:
        if node.life.is_alive_at(now):
            node.watched.arrived(node.agent.report(now, len(node.running)), Now(now, now))
        elif node.state.status == "stale" and not node.life.dies_silently:
            return  # out since its connection broke, and nothing new is known
        node.state = node.watched.state(self._settings, Now(now, now))
        if not node.state.accepts_work:
            self._move_calls(node)

    def _take_out(self, node: Node, reason: str) -> None:
        node.state = replace(node.state, status="stale", reason=reason)
        self._move_calls(node)

    def _move_calls(self, node: Node) -> None:
        leaving, node.running = node.running, []
        self.moved += len(leaving)
        if node.state.status in {"stale", "lost"}:
            node.failed += len(leaving)
        for attempt in reversed(leaving):
            call = attempt.call
            self.wasted_tokens += call.tokens - attempt.left
            call.failed_at |= {node.life.name}
            if not any(other.call is call for at in self.nodes for other in at.running):
                self.queue.appendleft(call)


def _known_node(life: Life, settings: Settings, sees_heat: bool, noise: random.Random, watched_seconds: int) -> Node:
    """A machine that the platform has watched for a while: as much work as it gets, on and off."""
    body = Body(life, -watched_seconds)
    agent = Agent(body, noise, tells_heat=sees_heat)
    watched = WatchedNode(life.name, slots=life.kind.slots)
    for second in range(-watched_seconds, 0):
        busy = (life.kind.slots, (life.kind.slots + 1) // 2, 0)[second // _SPELL_SECONDS % 3]
        body.live(body.watts(busy, owner=False))
        if second % settings.node.health_check_seconds == life.poll_phase_seconds:
            watched.arrived(agent.report(second, busy), Now(second, second))
    return Node(body, agent, watched, watched.state(settings, Now(0.0, 0.0)))
