"""Where work goes: hard filters, then the score 0.4 thermal + 0.3 queue + 0.2 capability + 0.1 history. Pure.

The run launcher, the executor and the endpoint router all choose with `place`, so that they agree and their
reasons read alike. Every part of a score is 0 to 1; a part nobody knows counts as half and is said to be unknown.
Words are made when somebody reads them: choosing among 1,000 nodes only compares numbers.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from tip_resources.fleet.heat import CPU, PartHeat
from tip_resources.fleet.node_state import NodeState
from tip_resources.settings.models import PlacementSettings, ThermalSettings

# Between a node known to be good and one known to be bad.
UNKNOWN_PART = 0.5
# What a node's class is among its capabilities: a node of the class "pi" has "class:pi".
CLASS_PREFIX = "class:"
# A processor at room temperature plus a little: no cooler one is any better a place.
_COOL_CELSIUS = 40.0
# Nodes named in the line that says why the others are out; a tag or an event is no place for a list of 1,000.
_NAMED = 6

# Why a node is out. The order is that of the checks: one that is "full" could take the work otherwise.
_Bar = Literal[
    "pinned elsewhere",
    "takes no work",
    "of another class",
    "lacking",
    "short of memory",
    "full",
    "avoided",
    "long queue",
]


@dataclass(frozen=True)
class WorkRequest:
    """What a run or a step asks of its node.

    `pinned_node` leaves only that node; `node_classes` only nodes of one of these classes; `requires` excludes nodes
    without them, `prefers` and `memory_bytes` likewise by score and by what is available. A node to `avoid` (it
    failed there) is out while any other could take the work, be it only once a slot is free there. `key` (a step's
    run and name) chooses among equally good nodes: the same key takes the same one, many keys spread.
    """

    pinned_node: str | None = None
    requires: frozenset[str] = frozenset()
    prefers: frozenset[str] = frozenset()
    memory_bytes: int = 0
    node_classes: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()
    key: str = ""


@dataclass(frozen=True)
class ScorePart:
    """One part of a node's score; `value` is None when nobody knows it, and it then counts as `if_unknown`."""

    name: str
    weight: float
    value: float | None
    because: str
    if_unknown: float = UNKNOWN_PART

    @property
    def points(self) -> float:
        return self.weight * (self.if_unknown if self.value is None else self.value)

    def __str__(self) -> str:
        value = "unknown" if self.value is None else f"{self.value:.2f}"
        return f"{self.name} {value} ({self.because})"


@dataclass(frozen=True)
class NodeScore:
    """A node that could take the work, with how good a place it is."""

    node: str
    parts: tuple[ScorePart, ...]

    @property
    def total(self) -> float:
        thermal, queue, capability, history = self.parts
        return thermal.points + queue.points + capability.points + history.points

    def __str__(self) -> str:
        return f"{self.node} scores {self.total:.2f}: {', '.join(map(str, self.parts))}"


class _Judge:
    """One request's filters and score, under one set of weights."""

    def __init__(self, request: WorkRequest, weights: PlacementSettings, thermal: ThermalSettings) -> None:
        self.request = request
        # Settings objects look their fields up slowly; these are read once for every node.
        self._thermal_weight, self._queue_weight = weights.thermal, weights.queue
        self._capability_weight, self._history_weight = weights.capability, weights.history
        self._limit, self._throttle_factor = thermal.cpu_limit_celsius, thermal.throttle_factor
        self._span = _span(self._limit)
        self._card_limit, self._card_span = thermal.gpu_limit_celsius, _span(thermal.gpu_limit_celsius)
        self._pinned, self._memory = request.pinned_node, request.memory_bytes
        self._requires, self._prefers = request.requires, request.prefers
        self._classes = frozenset(CLASS_PREFIX + name for name in request.node_classes)

    def bar(self, node: NodeState) -> _Bar | None:
        """What keeps the node from taking the work; None when nothing does."""
        if self._pinned is not None and self._pinned != node.node:
            return "pinned elsewhere"
        if not node.accepts_work:
            return "takes no work"
        if self._classes and self._classes.isdisjoint(node.capabilities):
            return "of another class"
        if self._requires and not self._requires <= node.capabilities:
            return "lacking"
        if self._memory and node.memory_available_bytes is not None and node.memory_available_bytes < self._memory:
            return "short of memory"
        return "full" if node.slots <= node.slots_used else None

    def total(self, node: NodeState) -> float:
        """How good a place it is: what the parts of `explain` add up to."""
        (thermal, _), history = self._headroom(node), node.success_ratio
        return (
            self._thermal_weight * (self._unknown_headroom(node) if thermal is None else thermal)
            + self._queue_weight * _free_share(node)
            + self._capability_weight * self._match(node)
            + self._history_weight * (UNKNOWN_PART if history is None else history)
        )

    def explain(self, node: NodeState) -> NodeScore:
        """The parts of the score, each with its words."""
        depth = "queue unknown" if node.queue_depth is None else f"{node.queue_depth} waiting"
        has = ", ".join(sorted(self._prefers & node.capabilities)) or "none"
        (headroom, card), history, celsius = self._headroom(node), node.success_ratio, node.cpu_celsius
        why = celsius.why_unknown if celsius.value is None else f"{celsius.value:.0f} C, {node.status}"
        if card is not None:
            why = f"{card.part} {card.celsius.value:.0f} C, {node.status}"
        used = f"{node.slots_used} of {node.slots} slots, {depth}"
        special = f"has {has}" if self._prefers else "nothing special asked"
        past = "no past work" if history is None else "share that succeeded"
        return NodeScore(
            node.node,
            (
                ScorePart("thermal", self._thermal_weight, headroom, why, self._unknown_headroom(node)),
                ScorePart("queue", self._queue_weight, _free_share(node), used),
                ScorePart("capability", self._capability_weight, self._match(node), special),
                ScorePart("history", self._history_weight, history, past),
            ),
        )

    def words(self, node: NodeState, bar: _Bar) -> str:
        """Why the node cannot take the work."""
        match bar:
            case "pinned elsewhere":
                text = f"pinned to {self._pinned}"
            case "takes no work":
                text = f"{node.status} ({node.reason})"
            case "of another class":
                text = f"not of class {' or '.join(sorted(self.request.node_classes))}"
            case "lacking":
                text = f"lacks {', '.join(sorted(self._requires - node.capabilities))}"
            case "short of memory":
                text = f"{(node.memory_available_bytes or 0) >> 20} MiB free, {self._memory >> 20} MiB needed"
            case "full":
                text = f"all {node.slots} slots taken"
            case "avoided":
                text = "to be avoided while another node can take it"
            case "long queue":
                text = f"{node.queue_depth} waiting there already, and another node can take it"
        return text

    def _headroom(self, node: NodeState) -> tuple[float | None, PartHeat | None]:
        """1 when cool, falling in a straight line to 0 at the limit; a throttled node keeps 0.7 of that.

        The part with the least room counts; it comes along where it is a card. A card that is cool says nothing of a
        processor that nobody knows.
        """
        celsius, tightest = node.cpu_celsius.value, None
        room = None if celsius is None else (self._limit - celsius) / self._span
        for part in node.memory.parts:
            if part.celsius.value is not None and part.part != CPU:
                card_room = (self._card_limit - part.celsius.value) / self._card_span
                if card_room < (UNKNOWN_PART if room is None else room):
                    room, tightest = card_room, part
        if room is None:
            return None, None
        room = 1.0 if room > 1.0 else room if room > 0.0 else 0.0
        return (room * self._throttle_factor if node.status == "throttled" else room), tightest

    def _unknown_headroom(self, node: NodeState) -> float:
        """A node throttled for another reason is no better for hiding its temperature."""
        return UNKNOWN_PART * self._throttle_factor if node.status == "throttled" else UNKNOWN_PART

    def _match(self, node: NodeState) -> float:
        """The share of what the work prefers that the node has."""
        return len(self._prefers & node.capabilities) / len(self._prefers) if self._prefers else 1.0


@dataclass(frozen=True)
class Placement:
    """The decision: `node`, or None when none can take the work now. Its words are made when they are asked for."""

    node: str | None
    _judge: _Judge = field(repr=False, compare=False)
    _fit: tuple[tuple[float, NodeState], ...] = field(repr=False)
    _out: tuple[tuple[NodeState, _Bar], ...] = field(repr=False)

    @cached_property
    def scores(self) -> tuple[NodeScore, ...]:
        """Every node that could take the work: the chosen one, then the best first."""
        ranked = sorted(self._fit, key=lambda fit: (fit[1].node != self.node, -fit[0], fit[1].node))
        return tuple(self._judge.explain(node) for _, node in ranked)

    @cached_property
    def excluded(self) -> tuple[tuple[str, str], ...]:
        """The nodes that are out, by name, each with why."""
        return tuple(sorted((node.node, self._judge.words(node, bar)) for node, bar in self._out))

    @cached_property
    def kinds(self) -> frozenset[tuple[str, str]]:
        """What keeps each node out, in a word without figures: told apart only by what a person would do about it."""
        return frozenset((node.node, node.status if bar == "takes no work" else bar) for node, bar in self._out)

    @cached_property
    def why(self) -> str:
        """One line for a log, a tag or an event."""
        out = self._why_not_others()
        if self.node is None:
            return f"no node can take it: {out}" if out else "no node is known"
        chosen = next(node for _, node in self._fit if node.node == self.node)
        return str(self._judge.explain(chosen)) + (f"; not {out}" if out else "")

    def _why_not_others(self) -> str:
        """The first nodes by name with their words, the others counted; of pinned work, its node first."""
        out = sorted((bar == "pinned elsewhere", node.node, index) for index, (node, bar) in enumerate(self._out))
        named = [self._out[index] for _, _, index in out[:_NAMED]]
        words = [f"{node.node}: {self._judge.words(node, bar)}" for node, bar in named]
        if rest := [self._out[index] for _, _, index in out[_NAMED:]]:
            kinds = Counter(node.status if bar == "takes no work" else bar for node, bar in rest)
            counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
            words.append(f"and {len(rest)} more ({counted})")
        return "; ".join(words)


def place(
    request: WorkRequest, nodes: Sequence[NodeState], weights: PlacementSettings, thermal: ThermalSettings
) -> Placement:
    """The best node for `request`; the same state and key give the same answer, whatever the order of the nodes."""
    judge = _Judge(request, weights, thermal)
    fit: list[tuple[float, NodeState]] = []
    out: list[tuple[NodeState, _Bar]] = []
    for node in nodes:
        bar = judge.bar(node)
        if bar is None:
            fit.append((judge.total(node), node))
        else:
            out.append((node, bar))
    if request.avoid:
        fit, out = _without_avoided(request.avoid, fit, out)
    fit, out = _without_long_queues(weights.max_queue_depth, fit, out)
    return Placement(_best(fit, request.key), judge, tuple(fit), tuple(out))


def _best(fit: list[tuple[float, NodeState]], key: str) -> str | None:
    """The node with the highest score; which of several equal ones, the key says, and the first by name without."""
    if not fit:
        return None
    highest = max(total for total, _ in fit)
    tied = [node.node for total, node in fit if total == highest]
    return sorted(tied)[zlib.crc32(key.encode()) % len(tied)]


def _without_avoided(
    avoid: frozenset[str], fit: list[tuple[float, NodeState]], out: list[tuple[NodeState, _Bar]]
) -> tuple[list[tuple[float, NodeState]], list[tuple[NodeState, _Bar]]]:
    """Takes the nodes to avoid out if any other can take the work now, or can as soon as it has a free slot."""
    could = {node.node for _, node in fit} | {node.node for node, bar in out if bar == "full"}
    if could <= avoid:
        return fit, out
    avoided: list[tuple[NodeState, _Bar]] = [(node, "avoided") for _, node in fit if node.node in avoid]
    return [pair for pair in fit if pair[1].node not in avoid], out + avoided


def _without_long_queues(
    most: int, fit: list[tuple[float, NodeState]], out: list[tuple[NodeState, _Bar]]
) -> tuple[list[tuple[float, NodeState]], list[tuple[NodeState, _Bar]]]:
    """Takes the nodes for which `most` or more wait out if any other can take the work now."""
    short = [pair for pair in fit if (pair[1].queue_depth or 0) < most]
    if not short or len(short) == len(fit):
        return fit, out
    long: list[tuple[NodeState, _Bar]] = [(node, "long queue") for _, node in fit if (node.queue_depth or 0) >= most]
    return short, out + long


def _span(limit_celsius: float) -> float:
    """Degrees from cool to the limit."""
    return limit_celsius - min(_COOL_CELSIUS, limit_celsius / 2)


def _free_share(node: NodeState) -> float:
    """The share of slots that is free; with work already waiting for the node, shared with that work."""
    return (node.slots - node.slots_used) / (node.slots + (node.queue_depth or 0))
