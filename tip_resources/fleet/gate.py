"""How many runs may go on now, from the state of every node, and the words for it. Pure; the sensor that sets the
pool's limit is sensors/fleet_gate.py.

Runs and their steps go on where Dagster runs, so only the slots of that machine count (or of those that `gate.run_on`
names); the others lend their model servers, and the request engine waits for these. Their states are told all the same.

The limit is never above the slots that are offered now: a machine that gets hot or its owner back takes effect at
once. A throttled node still offers its reduced slots: work is reduced before it is paused. The limit rises only to
what was offered without a break for `gate.rise_after_seconds`, so a machine that comes and goes does not move it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from tip_resources.fleet.heat import in_words
from tip_resources.fleet.node_state import NodeState, Status
from tip_resources.settings.models import GateSettings

# In the order in which an operator wants to read them: what passes by itself last.
_WORDS: dict[Status, str] = {
    "in_use": "in use",
    "hot": "hot",
    "throttled": "throttled",
    "draining": "draining",
    "quiet": "in quiet hours",
    "stale": "silent",
    "lost": "lost",
    "ready": "ready",
}
_ORDER = {status: place for place, status in enumerate(_WORDS)}
# Nodes that a reason names; the rest are counted.
_NAMED = 4


class Offer(msgspec.Struct, frozen=True):
    """At least so many slots were offered at every look since `since_seconds`."""

    since_seconds: float
    slots: int


class GateMemory(msgspec.Struct, frozen=True):
    """What one decision leaves to the next; plain data, for a sensor's cursor.

    `offers` rise from the oldest to the newest. The first is the limit; the others have not lasted long enough yet.
    """

    limit: int
    offers: tuple[Offer, ...]


@dataclass(frozen=True)
class GateDecision:
    """The limit of the pool of runs, why, and whether it is another one than before. 0 holds the queue.

    `kind` stays the same while only figures in the reason change: what is marked by it need not be marked again.
    """

    limit: int
    reason: str
    kind: str
    changed: bool
    memory: GateMemory


def decide(
    states: Sequence[NodeState],
    settings: GateSettings,
    now_unix_seconds: float,
    memory: GateMemory | None = None,
    *,
    run_on: Collection[str] | None = None,
    most: int | None = None,
    held: str | None = None,
) -> GateDecision:
    """How many runs may go on now.

    Args:
        states: Every known node.
        settings: How long a better state must last.
        now_unix_seconds: The time now, by the clock of the states' `since`; set back, it delays a rise and no more.
        memory: What the decision before left; None for the first, which has nothing to wait for.
        run_on: Names of the nodes on which runs go on; None for all of them.
        most: More are never started, whatever is offered; None for no such limit.
        held: Why nothing may start whatever the machines are, such as a full disk; None where nothing holds it. When
            it ends, runs start as after any better state.
    """
    places = [node for node in states if run_on is None or node.node in run_on]
    others = [node for node in states if run_on is not None and node.node not in run_on]
    offered = sum(node.slots for node in places if node.accepts_work)
    offered = offered if most is None else min(offered, most)
    offered = 0 if held else offered
    before = () if memory is None else memory.offers
    offers = _remember(before, Offer(now_unix_seconds, offered), settings.rise_after_seconds)
    limit = offers[0].slots
    reason = _reason(places, offers, now_unix_seconds, settings.rise_after_seconds)
    if not places and run_on:
        reason = f"nothing starts: {', '.join(sorted(run_on))} is not of the fleet"
    elif limit and (paused := _held(others)):
        reason += f"; with model servers: {_names(paused, now_unix_seconds)}"
    if held:
        reason = f"nothing starts: {held}"
    return GateDecision(
        limit=limit,
        reason=reason,
        kind=" ".join([f"{limit}{' held' if held else ''}", *(f"{node.node}={node.status}" for node in _held(places))]),
        changed=memory is None or memory.limit != limit,
        memory=GateMemory(limit, offers),
    )


def _remember(before: tuple[Offer, ...], new: Offer, seconds: float) -> tuple[Offer, ...]:
    """The offers with the new one: first the highest that lasted, or the lowest where none has yet."""
    now = new.since_seconds
    before = tuple(Offer(min(offer.since_seconds, now), offer.slots) for offer in before)
    since = next((offer.since_seconds for offer in before if offer.slots >= new.slots), now)
    kept = [offer for offer in before if offer.slots < new.slots] + [Offer(since, new.slots)]
    lasted = sum(offer.since_seconds <= now - seconds for offer in kept)
    return tuple(kept[max(0, lasted - 1) :])


def _reason(states: Sequence[NodeState], offers: tuple[Offer, ...], now: float, rise_after_seconds: float) -> str:
    if not states:
        return "nothing starts: no node is known"
    held = _held(states)
    if not any(node.accepts_work for node in states):
        return f"nothing starts: {_names(held, now)}"
    limit = offers[0].slots
    may = f"{limit} {'run' if limit == 1 else 'runs'} may go on at once" if limit else "nothing starts yet"
    parts = [f"{may}: {_names(held, now) if held else _all_ready(len(states))}"]
    if len(offers) > 1:
        wait = offers[1].since_seconds + rise_after_seconds - now
        parts.append(f"{offers[1].slots - limit} more in {wait:.0f} s if this lasts")
    return "; ".join(parts)


def _held(states: Sequence[NodeState]) -> list[NodeState]:
    """The nodes that are not ready, as an operator wants to read them."""
    return sorted((node for node in states if node.status != "ready"), key=lambda it: (_ORDER[it.status], it.node))


def _all_ready(count: int) -> str:
    return "its node is ready" if count == 1 else f"all {count} nodes are ready"


def _names(held: Sequence[NodeState], now: float) -> str:
    """The first nodes with their own words, the others counted."""
    words = [_described(node, now) for node in held[:_NAMED]]
    if rest := held[_NAMED:]:
        kinds = Counter(_WORDS[node.status] for node in rest)
        counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        words.append(f"and {len(rest)} more ({counted})")
    return "; ".join(words)


def _described(node: NodeState, now: float) -> str:
    said = f"{node.node} is {_WORDS[node.status]}" + (f": {node.reason}" if node.reason else "")
    # Only a person's doing: how long a node was hot or silent says less than the forecast or age in its reason.
    if node.status in {"in_use", "draining"} and 0 < node.since_unix_seconds < now:
        said += f" for {in_words(now - node.since_unix_seconds)}"
    return said
