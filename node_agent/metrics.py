"""A report as Prometheus text. What is unknown is absent, never 0; names follow Prometheus' own conventions."""

from collections import Counter
from collections.abc import Iterable, Iterator

from node_agent.report import Activity, Gpu, Host, NodeReport, Reading, Sensor, ServedEndpoint, Sign, Thermal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# Name -> help. Every one is a gauge.
HELP = {
    "tip_node_info": "What the machine is; always 1.",
    "tip_node_report_timestamp_seconds": "When the report was made, by the machine's own clock.",
    "tip_node_cores": "Logical processors.",
    "tip_node_memory_total_bytes": "Main memory.",
    "tip_node_memory_available_bytes": "Main memory that programs can get without swapping.",
    "tip_node_disk_free_bytes": "Free space of the disk that the agent runs on.",
    "tip_node_cpu_ratio": "Share of all cores' time in use since the report before.",
    "tip_node_load_per_core": "Load average of 1 minute divided by the cores.",
    "tip_node_cpu_temperature_celsius": "Hottest believable sensor of the processor.",
    "tip_node_sensor_temperature_celsius": "Every sensor, as its driver names it.",
    "tip_node_throttled": "1 while the processor is slowed down for this reason; absent otherwise.",
    "tip_node_gpu_info": "What the card is; always 1.",
    "tip_node_gpu_temperature_celsius": "Temperature of the card.",
    "tip_node_gpu_thermal_margin_celsius": "Degrees to the temperature at which the card slows down.",
    "tip_node_gpu_power_watts": "Power the card draws.",
    "tip_node_gpu_busy_ratio": "Share of its time in which the card works.",
    "tip_node_gpu_others_ratio": "Share of the card's time that programs other than model servers use.",
    "tip_node_gpu_memory_total_bytes": "Memory of the card.",
    "tip_node_gpu_memory_used_bytes": "Memory of the card in use.",
    "tip_node_gpu_throttled": "1 while the card is slowed down for this reason; absent otherwise.",
    "tip_node_user_active": "1 where the signal says that a person uses the machine, 0 where it says not.",
    "tip_node_user_idle_seconds": "Since the last key or mouse movement.",
    "tip_endpoint_up": "1 for every model server that answers on this machine.",
    "tip_endpoint_slots": "Requests that the server works on at once.",
    "tip_endpoint_inflight_requests": "Requests that the server works on now.",
    "tip_endpoint_queued_requests": "Requests that wait in the server.",
    "tip_endpoint_model_loaded": "1 for a model in memory, 0 for one that is not; absent where not told.",
    "tip_node_collector_success": "1 when the newest measurement of the section went well or found nothing to measure.",
    "tip_node_collector_duration_seconds": "How long the newest measurement of the section took.",
    "tip_node_collector_age_seconds": "How old the section is; absent where there is none.",
}

# Name, labels, value.
Sample = tuple[str, dict[str, str], float]


def render(report: NodeReport) -> str:
    """The text of `/metrics`."""
    by_name: dict[str, dict[str, float]] = {}
    for name, labels, value in _samples(report):
        # One series given twice (a server may list a model twice) would make Prometheus refuse the whole page.
        by_name.setdefault(name, {}).setdefault(_labels(labels), value)
    lines: list[str] = []
    for name, help_text in HELP.items():
        if series := by_name.pop(name, None):
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} gauge"]
            lines += [f"{name}{labels} {float(value)!r}" for labels, value in series.items()]
    if by_name:
        raise KeyError(f"no help text for {sorted(by_name)}")
    return "\n".join(lines) + "\n"


def _samples(report: NodeReport) -> Iterator[Sample]:
    host = report.host
    info = {"node": report.node, "version": report.agent_version}
    if host:
        info |= {"system": host.system, "architecture": host.architecture, "board": host.board or ""}
        yield from _host(host)
    yield "tip_node_info", info, 1
    yield "tip_node_report_timestamp_seconds", {}, report.reported_at_unix_seconds
    if report.thermal:
        yield from _thermal(report.thermal)
    for gpu in report.gpus or ():
        yield from _gpu(gpu)
    if report.activity:
        yield from _activity(report.activity)
    for endpoint in report.endpoints or ():
        yield from _endpoint(endpoint)
    for run in report.collectors:
        labels = {"collector": run.name}
        yield "tip_node_collector_success", labels, run.outcome in ("ok", "no_data")
        yield "tip_node_collector_duration_seconds", labels, run.took_ms / 1000
        if getattr(report, run.name) is not None:
            yield "tip_node_collector_age_seconds", labels, run.age_seconds


def _host(host: Host) -> Iterator[Sample]:
    yield "tip_node_cores", {}, host.cores
    yield "tip_node_memory_total_bytes", {}, host.memory_total_bytes
    yield "tip_node_memory_available_bytes", {}, host.memory_available_bytes
    yield "tip_node_disk_free_bytes", {}, host.disk_free_bytes
    yield from _known("tip_node_cpu_ratio", {}, host.cpu_ratio)
    yield from _known("tip_node_load_per_core", {}, host.load_per_core)


def _thermal(thermal: Thermal) -> Iterator[Sample]:
    yield from _known("tip_node_cpu_temperature_celsius", {}, thermal.cpu_celsius)
    for labels, sensor in _told_apart(thermal.sensors):
        yield from _known("tip_node_sensor_temperature_celsius", labels, sensor.celsius)
    for reason in thermal.throttled:
        yield "tip_node_throttled", {"reason": reason}, 1


def _told_apart(sensors: Iterable[Sensor]) -> Iterator[tuple[dict[str, str], Sensor]]:
    """Labels for each; of two with one name, as two disks have, the second is numbered: a series comes only once."""
    seen: Counter[tuple[str, str]] = Counter()
    for sensor in sensors:
        seen[sensor.chip, sensor.label] += 1
        count = seen[sensor.chip, sensor.label]
        yield {"chip": sensor.chip, "label": sensor.label if count == 1 else f"{sensor.label} #{count}"}, sensor


def _gpu(gpu: Gpu) -> Iterator[Sample]:
    labels = {"gpu": str(gpu.index)}
    yield "tip_node_gpu_info", labels | {"name": gpu.name, "vendor": gpu.vendor}, 1
    yield from _known("tip_node_gpu_temperature_celsius", labels, gpu.celsius)
    yield from _known("tip_node_gpu_thermal_margin_celsius", labels, gpu.margin_celsius)
    yield from _known("tip_node_gpu_power_watts", labels, gpu.power_watts)
    yield from _known("tip_node_gpu_busy_ratio", labels, gpu.busy_ratio)
    yield from _known("tip_node_gpu_others_ratio", labels, gpu.others_ratio)
    yield from _told("tip_node_gpu_memory_total_bytes", labels, gpu.memory_total_bytes)
    yield from _told("tip_node_gpu_memory_used_bytes", labels, gpu.memory_used_bytes)
    for reason in gpu.throttled:
        yield "tip_node_gpu_throttled", labels | {"reason": reason}, 1


def _activity(activity: Activity) -> Iterator[Sample]:
    for signal in ("gaming", "full_screen", "microphone", "camera"):
        yield from _known("tip_node_user_active", {"signal": signal}, getattr(activity, signal))
    yield from _known("tip_node_user_idle_seconds", {}, activity.idle_seconds)


def _endpoint(endpoint: ServedEndpoint) -> Iterator[Sample]:
    labels = {"endpoint": endpoint.url}
    yield "tip_endpoint_up", labels | {"kind": endpoint.kind}, 1
    yield from _told("tip_endpoint_slots", labels, endpoint.slots)
    yield from _told("tip_endpoint_inflight_requests", labels, endpoint.slots_busy)
    yield from _told("tip_endpoint_queued_requests", labels, endpoint.queue_depth)
    for model in endpoint.models:
        yield from _told("tip_endpoint_model_loaded", labels | {"model": model.name}, model.is_loaded)


def _known(name: str, labels: dict[str, str], reading: Reading | Sign) -> Iterator[Sample]:
    yield from _told(name, labels, reading.value)


def _told(name: str, labels: dict[str, str], value: float | None) -> Iterator[Sample]:
    if value is not None:
        yield name, labels, value


def _labels(labels: dict[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
