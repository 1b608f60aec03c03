"""How long a client takes that knows everything: the denominators of the table. Simulated seconds.

`bound`: all tokens at the best total speed of all devices, at every moment, nothing idle and no tail. No schedule
can be shorter. What changes on a device (its knee moves, it is away) is followed: the capacity is integrated over
time. `told`: one device without changes, kept at its knee by a client that needs no time between two calls and sends
the longest answers first; what it is longer than `bound` is the tail, when fewer answers than the knee are left.
"""

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.engine.speed import Change, Speed


@dataclass(frozen=True)
class Capacity:
    """What one device can give: its speed, and when that changes."""

    speed: Speed
    changes: tuple[Change, ...] = ()

    def pieces(self) -> list[tuple[float, float]]:
        """(from, tokens a second) in the order of time."""
        speed, rows = self.speed, [(0.0, self.speed.best)]
        for change in self.changes:
            speed = speed if change.knee is None else speed.with_knee(change.knee)
            rows.append((change.at, 0.0 if change.away else speed.best))
        return rows


def bound(tokens: float, devices: Sequence[Capacity]) -> float:
    """The shortest time in which the devices can write so many tokens."""
    pieces = [device.pieces() for device in devices]
    moments = sorted({at for rows in pieces for at, _ in rows})
    for start, end in itertools.zip_longest(moments, moments[1:], fillvalue=float("inf")):
        rate = sum(next(speed for at, speed in reversed(rows) if at <= start) for rows in pieces)
        if rate * (end - start) >= tokens:
            return start + tokens / rate
        tokens -= rate * (end - start)
    raise ValueError("the devices are away for ever")


def told(answers: Sequence[int], speed: Speed) -> float:
    """How long one device takes for these answers (tokens each) when it is kept at its knee."""
    waiting = sorted(answers)
    running: list[float] = []
    clock = served = 0.0
    while waiting or running:
        while waiting and len(running) < speed.knee:
            heapq.heappush(running, served + waiting.pop())
        end = running[0]
        clock += (end - served) * len(running) / speed.total(len(running))
        served = heapq.heappop(running)
    return clock
