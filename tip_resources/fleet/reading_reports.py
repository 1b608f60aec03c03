"""Bytes of an agent's answer -> a NodeReport that can be believed, or a BadReport that says why not. Pure.

One impossible reading becomes unknown with the reason, and the rest of the report stays. What is wrong as a whole
(not JSON, wrong types, too large, a name that is none) refuses the report. What a report means is in node_state.py.
"""

import json
import math
import re
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from node_agent.report import SCHEMA_VERSION, Activity, Gpu, Host, NodeReport, Reading, Sensor, ServedEndpoint, Thermal
from tip_resources.domain.failures import BadInput

MAX_REPORT_BYTES = 256 * 1024
_MAX_DEPTH = 12
_MAX_LENGTH = 1024  # of a list, or of the fields of an object: a server with 256 cores has some 300 sensors
_MAX_TEXT = 1000
_MAX_INTEGER = 2**63 - 1  # PostgreSQL's bigint
_YEAR_10000_UNIX_SECONDS = 253_402_300_800.0  # datetime ends there

# Host names of RFC 1123, lower case, and the underscore that Windows allows.
_NODE_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._:+-]{1,64}")

# What a thing can be; outside, the sensor or its driver errs. 65261.8 C is a real driver's "no limit".
_CELSIUS = (-40.0, 150.0)
_MARGIN_CELSIUS = (-150.0, 190.0)
_RATIO = (0.0, 1.0)
_WATTS = (0.0, 20_000.0)
_NOT_NEGATIVE = (0.0, 1e9)

# new: later than what was seen. restarted: the agent began anew. replayed: the very report that was seen last.
# older: one from before it, which must not overwrite what is known.
Novelty = Literal["new", "restarted", "replayed", "older"]


class BadReport(BadInput):
    """What an agent sent cannot be used."""


def read_report(body: bytes, *, where: str) -> NodeReport:
    """The report in `body`, with every reading believable or unknown.

    Args:
        body: As it came over the network.
        where: The address it came from, for the message.

    Raises:
        BadReport: It is no report; says what is wrong, at which field, and how to mend it.
    """
    if len(body) > MAX_REPORT_BYTES:
        raise BadReport(f"the report is larger than {MAX_REPORT_BYTES >> 10} KiB.", where=where)
    raw = _parsed(body, where)
    _refuse_other_versions(raw, where)
    try:
        report = msgspec.convert(raw, NodeReport)
    except (msgspec.ValidationError, OverflowError) as error:
        mend = "Update the agent there (pip install --upgrade), or ask that address what it serves."
        raise BadReport(
            f"the report does not have the form of version {SCHEMA_VERSION}: {error}.", where=where, mend=mend
        ) from error
    try:
        return _believable(report)
    except ValueError as error:
        raise BadReport(
            f"the report says what cannot be: {error}.", where=where, mend="Update the agent there."
        ) from error


def novelty(report: NodeReport, before: NodeReport | None) -> Novelty:
    """Whether `report` tells anything that `before`, the newest one of its node, did not."""
    if before is None:
        return "new"
    if report.boot_id != before.boot_id:
        return "restarted"
    if report.sequence == before.sequence:
        return "replayed"
    return "new" if report.sequence > before.sequence else "older"


def _parsed(body: bytes, where: str) -> Any:
    """The JSON, of sane size in every direction. The standard library's parser, because it lets NaN through: an agent
    that measured one NaN still has the rest to say."""
    mend = "Is that the address of a tip agent?"
    try:
        raw = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise BadReport(f"the answer is not JSON: {said}.", where=where, mend=mend) from error
    if not isinstance(raw, dict):
        raise BadReport("the answer is JSON, but no object.", where=where, mend=mend)
    todo: list[tuple[Any, str, int]] = [(raw, "$", 0)]
    while todo:
        value, path, depth = todo.pop()
        if fault := _fault_of_size(value, depth):
            raise BadReport(f"the report has {fault} at {path[:200]}.", where=where)
        if isinstance(value, dict):
            todo += [(key, path, depth) for key in value]
            todo += [(inner, f"{path}.{key}", depth + 1) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [(inner, f"{path}[{at}]", depth + 1) for at, inner in enumerate(value)]
    return raw


def _fault_of_size(value: Any, depth: int) -> str:
    if depth > _MAX_DEPTH:
        return f"more than {_MAX_DEPTH} levels"
    if isinstance(value, str):
        if len(value) > _MAX_TEXT:
            return f"a text of more than {_MAX_TEXT} characters"
        # Half of a surrogate pair and NUL are legal in JSON, but can be neither printed nor stored.
        return "" if value.isprintable() or _is_plain(value) else "a text with control characters"
    if isinstance(value, (list, dict)) and len(value) > _MAX_LENGTH:
        return f"more than {_MAX_LENGTH} entries"
    if isinstance(value, int) and abs(value) > _MAX_INTEGER:
        return "a number beyond 64 bits"
    return ""


def _is_plain(text: str) -> bool:
    """Printable apart from white space, such as the line ends in an error's text or a no-break space in a name."""
    return all(character.isprintable() or character.isspace() for character in text)


def _refuse_other_versions(raw: dict[str, Any], where: str) -> None:
    version = raw.get("schema_version")
    if type(version) is not int:
        raise BadReport(
            "the report does not say its schema_version.", where=where, mend="Is that the address of a tip agent?"
        )
    if version > SCHEMA_VERSION:
        raise BadReport(
            f"the report has version {version}, and this tip reads up to {SCHEMA_VERSION}.",
            where=where,
            mend="Update tip on this side; the agent is newer.",
        )
    if version < 1:
        raise BadReport(f"there is no version {version} of reports.", where=where, mend="Update the agent there.")


def _believable(report: NodeReport) -> NodeReport:
    """The report with impossible readings made unknown.

    Raises:
        ValueError: Something that is not a reading is impossible; names the field.
    """
    _require(bool(_NODE_NAME.fullmatch(report.node)), "node", "is not a host name of a-z, 0-9, '-' and '_'")
    _require(bool(_IDENTIFIER.fullmatch(report.boot_id)), "boot_id", "is not 1 to 64 letters, digits, '.', '-', '_'")
    _require(bool(_IDENTIFIER.fullmatch(report.agent_version)), "agent_version", "is not a version")
    _require(report.sequence >= 1, "sequence", "is below 1")
    clock = report.reported_at_unix_seconds
    _require(0 <= clock < _YEAR_10000_UNIX_SECONDS, "reported_at_unix_seconds", "is no time between 1970 and 9999")
    for run in report.collectors:
        for field in ("took_ms", "age_seconds"):
            value = getattr(run, field)
            _require(math.isfinite(value) and value >= 0, f"collectors.{field}", "is not 0 or more")
    for endpoint in report.endpoints or ():
        _check_endpoint(endpoint)
    return replace(
        report,
        host=None if report.host is None else _host(report.host),
        thermal=None if report.thermal is None else _thermal(report.thermal),
        gpus=None if report.gpus is None else tuple(_gpu(gpu) for gpu in report.gpus),
        activity=None if report.activity is None else _activity(report.activity),
    )


def _host(host: Host) -> Host:
    _require(1 <= host.cores <= 100_000, "host.cores", "is not 1 to 100,000")
    for field in ("memory_total_bytes", "memory_available_bytes", "disk_free_bytes"):
        _require(getattr(host, field) >= 0, f"host.{field}", "is negative")
    return replace(
        host,
        cpu_ratio=_within(host.cpu_ratio, _RATIO, ""),
        load_per_core=_within(host.load_per_core, _NOT_NEGATIVE, ""),
    )


def _thermal(thermal: Thermal) -> Thermal:
    sensors = tuple(_sensor(sensor) for sensor in thermal.sensors)
    return replace(thermal, cpu_celsius=_within(thermal.cpu_celsius, _CELSIUS, " C"), sensors=sensors)


def _sensor(sensor: Sensor) -> Sensor:
    limit = sensor.limit_celsius
    is_limit = limit is not None and _CELSIUS[0] <= limit <= _CELSIUS[1]
    return replace(sensor, celsius=_within(sensor.celsius, _CELSIUS, " C"), limit_celsius=limit if is_limit else None)


def _gpu(gpu: Gpu) -> Gpu:
    _require(gpu.index >= 0, "gpus.index", "is negative")
    for field in ("memory_total_bytes", "memory_used_bytes"):
        _require((getattr(gpu, field) or 0) >= 0, f"gpus.{field}", "is negative")
    return replace(
        gpu,
        celsius=_within(gpu.celsius, _CELSIUS, " C"),
        margin_celsius=_within(gpu.margin_celsius, _MARGIN_CELSIUS, " C"),
        power_watts=_within(gpu.power_watts, _WATTS, " W"),
        busy_ratio=_within(gpu.busy_ratio, _RATIO, ""),
        others_ratio=_within(gpu.others_ratio, _RATIO, ""),
    )


def _activity(activity: Activity) -> Activity:
    return replace(activity, idle_seconds=_within(activity.idle_seconds, _NOT_NEGATIVE, " s"))


def _check_endpoint(endpoint: ServedEndpoint) -> None:
    try:
        parts = urlsplit(endpoint.url)
        is_http = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:  # brackets that hold no IPv6 address
        is_http = False
    _require(is_http, "endpoints.url", "is not an http:// or https:// address")
    for field in ("slots", "slots_busy", "queue_depth"):
        _require((getattr(endpoint, field) or 0) >= 0, f"endpoints.{field}", "is negative")
    for model in endpoint.models:
        _require((model.context_window_tokens or 0) >= 0, "endpoints.models.context_window_tokens", "is negative")


def _within(reading: Reading, bounds: tuple[float, float], unit: str) -> Reading:
    low, high = bounds
    if reading.value is None or low <= reading.value <= high:
        return reading
    return Reading.unknown(f"reported as {reading.value:g}{unit}, which is not {low:g} to {high:g}")


def _require(is_so: bool, field: str, wrong: str) -> None:
    if not is_so:
        raise ValueError(f"{field} {wrong}")
