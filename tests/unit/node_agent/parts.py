"""Collectors of our own for the tests of the agent, and one report in which everything is known."""

import threading
from collections.abc import Callable
from typing import Any

from node_agent.report import (
    Activity,
    CollectorRun,
    Gpu,
    Host,
    NodeReport,
    Reading,
    Sensor,
    ServedEndpoint,
    ServedModel,
    Sign,
    Thermal,
)

HOST = Host("linux", "6.12", "aarch64", "Raspberry Pi 5", 4, 8_000, 6_000, 9_000, Reading(0.25), Reading(1.5))
THERMAL = Thermal(Reading(61.5), (Sensor("cpu_thermal", "", Reading(61.5), 85.0),), ("under_voltage",))


class FromFunction:
    """A collector that does what the function does."""

    def __init__(self, name: str, collect: Callable[[], Any], timeout_seconds: float = 30.0) -> None:
        self.name, self.timeout_seconds, self.collect = name, timeout_seconds, collect


class Held:
    """A collector whose measurement ends when the test lets it."""

    def __init__(self, name: str, section: object, timeout_seconds: float = 0.0) -> None:
        self.name, self.timeout_seconds, self._section = name, timeout_seconds, section
        self.go_on, self.started = threading.Event(), 0
        self.has_started = threading.Event()

    def collect(self) -> Any:
        self.started += 1
        self.has_started.set()
        self.go_on.wait(30)
        return self._section


def full_report() -> NodeReport:
    """Every section filled, every value known."""
    celsius, margin, watts, busy, others = Reading(70.0), Reading(13.0), Reading(45.5), Reading(0.9), Reading(0.0)
    gpu = Gpu(0, 'RTX "4050"', "nvidia", celsius, margin, watts, busy, others, 6, 5, ("power",))
    activity = Activity(Sign(True), Sign(False), Sign(False), Sign(True), Reading(3.0))
    server = ServedEndpoint(
        "http://127.0.0.1:11434", "ollama", (ServedModel("qwen3", True, 4096), ServedModel("phi", False)), 4, 3, 2
    )
    names = ("host", "thermal", "gpus", "activity", "endpoints")
    runs = tuple(CollectorRun(name, "ok", "", 1.5, 0.25) for name in names)
    return NodeReport("pi-5", "boot", 7, 1_000.5, "0.1.0", HOST, THERMAL, (gpu,), activity, (server,), runs)
