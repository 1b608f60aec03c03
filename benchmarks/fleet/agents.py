"""What the agent of a simulated machine says: whole degrees with noise, watts where it knows them, its owner.

A machine with a card does its work there; its processor shares the cooler and warms less. A Raspberry Pi works on its
processor and knows only its load.
"""

import random
from dataclasses import dataclass

from benchmarks.fleet.machines import Body
from node_agent.report import Activity, Gpu, Host, NodeReport, Reading, Sign, Thermal

_NOT_TOLD = Reading.unknown("not simulated")
_PROCESSOR_SHARE = 0.6


@dataclass
class Agent:
    """One machine's agent; `tells_heat` False is one without sensors."""

    body: Body
    noise: random.Random
    tells_heat: bool
    sequence: int = 0

    def report(self, now: float, busy_slots: int) -> NodeReport:
        """Its newest report, with so many calls running."""
        self.sequence += 1
        life = self.body.life
        kind, owner = life.kind, life.has_owner_at(now)
        heat, gpus = None, None
        if self.tells_heat and kind.tells_power:
            room = life.room_celsius(self.body.seconds)
            heat = Thermal(self._sensed(room + _PROCESSOR_SHARE * (self.body.celsius - room)))
            watts = Reading(self.body.watts(busy_slots, owner) * max(0.0, self.noise.gauss(1, kind.noise_of_watts)))
            busy = Reading(busy_slots / kind.slots)
            celsius = self._sensed(self.body.celsius)
            gpus = (Gpu(0, "card", "nvidia", celsius, _NOT_TOLD, watts, busy, Reading(0.0)),)
        elif self.tells_heat:
            heat = Thermal(self._sensed(self.body.celsius))
        return NodeReport(
            node=life.name,
            boot_id="simulated",
            sequence=self.sequence,
            reported_at_unix_seconds=now,
            agent_version="simulation",
            host=_host(kind.board, busy_slots / kind.slots),
            thermal=heat,
            gpus=gpus,
            activity=Activity(Sign(owner), Sign(owner), Sign(False), Sign(False), Reading(0.0 if owner else 3600.0)),
        )

    def _sensed(self, celsius: float) -> Reading:
        return Reading(float(round(celsius + self.noise.gauss(0, self.body.life.kind.noise_celsius))))


def _host(board: str | None, busy: float) -> Host:
    gib = 1 << 30
    return Host("Linux", "6.12", "x86_64", board, 8, 16 * gib, 12 * gib, 100 * gib, Reading(busy), Reading(busy))
