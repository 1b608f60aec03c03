"""Reports of machines for the tests of this folder, as values and as an agent sends them."""

import json
from dataclasses import replace

from node_agent.report import Activity, CollectorRun, Gpu, Host, NodeReport, Reading, Sensor, Sign, Thermal

NO = Sign(False)
UNKNOWN = Reading.unknown("no sensor")


def host(*, board: str | None = None, cpu_ratio: float = 0.2) -> Host:
    return Host(
        system="Linux",
        release="6.12",
        architecture="aarch64",
        board=board,
        cores=4,
        memory_total_bytes=8 << 30,
        memory_available_bytes=6 << 30,
        disk_free_bytes=100 << 30,
        cpu_ratio=Reading(cpu_ratio),
        load_per_core=Reading(0.3),
    )


def gpu(celsius: float | None = 50.0, **changes) -> Gpu:
    card = Gpu(
        index=0,
        name="RTX 4050",
        vendor="nvidia",
        celsius=UNKNOWN if celsius is None else Reading(celsius),
        margin_celsius=UNKNOWN,
        power_watts=Reading(60.0),
        busy_ratio=Reading(0.5),
        others_ratio=Reading(0.0),
    )
    return replace(card, **changes)


def activity(**changes) -> Activity:
    quiet = Activity(gaming=NO, full_screen=NO, microphone=NO, camera=NO, idle_seconds=Reading(900.0))
    return replace(quiet, **changes)


def thermal(celsius: float | None, **changes) -> Thermal:
    reading = UNKNOWN if celsius is None else Reading(celsius)
    return replace(Thermal(reading, (Sensor("coretemp", "Package id 0", reading, 100.0),)), **changes)


def report(node: str = "pi-4b", *, sequence: int = 1, celsius: float | None = 50.0, **changes) -> NodeReport:
    plain = NodeReport(
        node=node,
        boot_id="b-1",
        sequence=sequence,
        reported_at_unix_seconds=1_760_000_000.0,
        agent_version="0.1.0",
        host=host(),
        thermal=thermal(celsius),
        gpus=(),
        activity=activity(),
        endpoints=(),
        collectors=(CollectorRun("thermal", "ok", "", 1.5, 0.0),),
    )
    return replace(plain, **changes)


def as_sent(given: NodeReport) -> bytes:
    return json.dumps(given.to_json_object()).encode()
