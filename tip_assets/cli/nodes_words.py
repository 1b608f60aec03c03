"""`tip nodes show` as text: one machine in sections, no line wider than the terminal. Pure, ASCII."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from node_agent.report import CollectorRun, Gpu, Reading, Sign, Thermal
from tip_assets.cli.nodes_details import HISTORY_HOURS, NodeDetails, Part
from tip_assets.cli.nodes_facts import NodeLine, Served
from tip_assets.cli.nodes_history import plot
from tip_assets.cli.nodes_table import plain
from tip_resources.database.audit import AuditEntry
from tip_resources.fleet.heat import CPU, in_words

_LABEL = 15
_WIDEST_PLOT = 120

# A label and its text; without a label, the text alone.
Entry = tuple[str, str]


def told(found: NodeDetails, width: int) -> str:
    """Everything of one machine for a person."""
    width = max(60, width)
    lines = textwrap.wrap(plain(_headline(found.line)), width, subsequent_indent="  ")
    lines += _entries(_standing(found), width)
    sections = {
        "Temperatures": _heat(found),
        f"Newest whole report{_age(found)}": _machine(found),
        "Work": _work(found.line),
        "What was measured": [(run.name, _outcome(run)) for run in found.report.collectors] if found.report else [],
    }
    for title, entries in sections.items():
        if rows := _entries(entries, width):
            lines += ["", title, *rows]
    lines += ["", f"Last {HISTORY_HOURS} h, hottest in degrees Celsius", *_history(found, width)]
    if rows := _entries(_audit(found.audit), width):
        lines += ["", "What people did", *rows]
    if found.trouble:
        trouble = f"The database cannot be asked, so there is no more: {plain(found.trouble)}"
        lines += ["", *textwrap.wrap(trouble, width)]
    return "\n".join(line.rstrip() for line in lines)


def _entries(entries: Iterator[Entry] | Sequence[Entry], width: int) -> list[str]:
    lines: list[str] = []
    for label, text in entries:
        head = f"  {plain(label):<{_LABEL - 2}} "
        lines += textwrap.wrap(head + plain(text), width, subsequent_indent=" " * (_LABEL + 1), drop_whitespace=True)
    return lines


def _headline(line: NodeLine) -> str:
    lasted = "" if line.since is None else f" (for {in_words(_seconds_since(line.since))})"
    return f"{line.node}{', this machine,' if line.is_this_machine else ''} is {line.status}: {line.reason}{lasted}"


def _standing(found: NodeDetails) -> Iterator[Entry]:
    line = found.line
    if line.address:
        yield "agent", line.address
    if not found.is_watched:
        yield "watched by", "nobody; `tip up` watches"
    if line.last_seen_at is not None:
        yield "last report", f"{_ago(line.last_seen_at)}; known since {_moment(found.first_seen_at)}"
    if line.order is not None:
        by = f" by {line.order.given_by}" if line.order.given_by else ""
        why = f": {line.order.reason}" if line.order.reason else ""
        yield "order", f"{line.order.kind}{by}, {_ago(line.order.given_at)}{why}"
    for note in line.notes:
        yield "note", note


def _heat(found: NodeDetails) -> Iterator[Entry]:
    if found.line.status == "lost":
        yield "now", "unknown: it is lost"
    for part in found.parts:
        yield part.part, _part(part)
    if found.report is not None:
        yield from _sensors(found.report.thermal)
        for gpu in found.report.gpus or ():
            yield from _card(gpu)


def _part(part: Part) -> str:
    limits = f"limit {part.limit_celsius:.0f} C, works again below {part.recovery_celsius:.0f} C"
    return f"{part.level}: {part.reason} ({limits})"


def _sensors(thermal: Thermal | None) -> Iterator[Entry]:
    if thermal is None:
        return
    for sensor in thermal.sensors:
        limit = "" if sensor.limit_celsius is None else f", its driver's limit {sensor.limit_celsius:.0f} C"
        yield "sensor", f"{sensor.chip} {sensor.label}: {_read(sensor.celsius, ' C')}{limit}"
    if thermal.throttled:
        yield "slowed down", f"because of {', '.join(thermal.throttled)}"


def _card(gpu: Gpu) -> Iterator[Entry]:
    yield f"card {gpu.index}", f"{gpu.name}: {_read(gpu.celsius, ' C')}, power {_read(gpu.power_watts, ' W')}"
    yield "", f"until it slows itself down: {_read(gpu.margin_celsius, ' C')}"
    yield "", f"memory {_bytes(gpu.memory_used_bytes, gpu.memory_total_bytes)}"
    yield "", f"busy {_share(gpu.busy_ratio)}, by others than model servers {_share(gpu.others_ratio)}"
    if gpu.throttled:
        yield "", f"slowed down because of {', '.join(gpu.throttled)}"


def _age(found: NodeDetails) -> str:
    return "" if found.report_age_seconds is None else f", {in_words(found.report_age_seconds)} old"


def _machine(found: NodeDetails) -> Iterator[Entry]:
    report = found.report
    if report is None:
        yield "", "none is stored"
        return
    if host := report.host:
        board = f" ({host.board})" if host.board else ""
        yield "system", f"{host.system} {host.release} {host.architecture}{board}"
        memory = _bytes(host.memory_total_bytes - host.memory_available_bytes, host.memory_total_bytes)
        yield "hardware", f"{host.cores} cores, memory {memory}, {host.disk_free_bytes / 2**30:.0f} GB of disk free"
        yield "load", f"processor {_share(host.cpu_ratio)}; load average per core {_read(host.load_per_core, '', 2)}"
    if used := report.activity:
        signs = (("game", used.gaming), ("full screen", used.full_screen))
        signs += (("microphone", used.microphone), ("camera", used.camera))
        yield "its people", "; ".join(f"{name}: {_yes_or_no(sign)}" for name, sign in signs)
        yield "", f"idle for: {_read(used.idle_seconds, ' s')}"
    if (skew := found.clock_skew_seconds) is not None:
        yield "clock", f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours; nothing depends on it"
    yield "agent", report.agent_version


def _work(line: NodeLine) -> Iterator[Entry]:
    if line.calls_in_flight is not None:
        yield "now", f"{line.calls_in_flight} calls in flight; {line.slots_used} of {line.slots} slots hold a step"
    if (work := line.work) is None:
        yield f"last {line.work_hours} h", "nothing is on record"
    else:
        speed = "" if line.tokens_per_second is None else f", {line.tokens_per_second:.1f} tokens/s in a call"
        failed = f"{work.failed_calls:,} failed"
        yield f"last {line.work_hours} h", f"{work.calls:,} calls, {failed}, {work.tokens_out:,} tokens{speed}"
        yield "", f"{work.steps:,} steps, {work.failed_steps:,} failed"
    for one in line.endpoints:
        yield "serves", _served(one)


def _served(one: Served) -> str:
    figures = (("slots", one.slots), ("busy", one.slots_busy), ("queued", one.queue_depth))
    told_figures = ", ".join(f"{name} {value}" for name, value in figures if value is not None)
    models = ", ".join(one.models) or "no model is loaded"
    return f"{one.kind} at {one.url}: {models}{f' ({told_figures})' if told_figures else ''}"


def _outcome(run: CollectorRun) -> str:
    reason = f": {run.reason}" if run.reason else ""
    return f"{run.outcome}{reason} ({run.took_ms:.0f} ms)"


def _history(found: NodeDetails, width: int) -> list[str]:
    if not found.history:
        return ["  no reports are on record"]
    limits: dict[str, float] = {}
    for part in found.parts:
        limits.setdefault("CPU" if part.part == CPU else "GPU", part.limit_celsius)
    return plot(
        found.history,
        begin=found.history_begin,
        end=found.history_begin + timedelta(hours=HISTORY_HOURS),
        width=min(width, _WIDEST_PLOT),
        limits=(limits.get("CPU"), limits.get("GPU")),
    )


def _audit(entries: Sequence[AuditEntry]) -> Iterator[Entry]:
    for entry in entries:
        why = str(entry.detail.get("reason", ""))
        yield _moment(entry.at), f"{entry.action} by {entry.actor}{f': {why}' if why else ''}"


def _read(reading: Reading, unit: str, digits: int = 0) -> str:
    return f"unknown ({reading.why_unknown})" if reading.value is None else f"{reading.value:.{digits}f}{unit}"


def _share(reading: Reading) -> str:
    return f"unknown ({reading.why_unknown})" if reading.value is None else f"{reading.value:.0%}"


def _bytes(used: int | None, total: int | None) -> str:
    if used is None or total is None:
        return "unknown"
    return f"{used / 2**30:.1f} of {total / 2**30:.1f} GB used"


def _yes_or_no(sign: Sign) -> str:
    return f"unknown ({sign.why_unknown})" if sign.value is None else "yes" if sign.value else "no"


def _seconds_since(at: datetime) -> float:
    return max(0.0, (datetime.now(UTC) - at).total_seconds())


def _ago(at: datetime) -> str:
    return f"{in_words(_seconds_since(at))} ago"


def _moment(at: datetime | None) -> str:
    return "unknown" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M")
