"""What an agent sends is bad input until it was checked."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.report import NodeReport, ServedEndpoint, ServedModel
from tests.unit.resources.fleet.reports import as_sent, gpu, report
from tip_resources.domain.failures import BadInput
from tip_resources.fleet.reading_reports import MAX_REPORT_BYTES, BadReport, novelty, read_report

WHERE = "http://10.0.0.7:8090"
ENDPOINT = ServedEndpoint("http://127.0.0.1:1234/v1", "lm_studio", (ServedModel("qwen", True, 4096),), slots=4)
FULL = report(gpus=(gpu(),), endpoints=(ENDPOINT,))


def changed(path: str, value: Any) -> bytes:
    """The full report with one field, `a.0.b`, set to something else."""
    whole: Any = json.loads(as_sent(FULL))
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    inner = whole
    for part in parents:
        inner = inner[part]
    inner[last] = value
    return json.dumps(whole).encode()


def test_what_an_agent_sends_is_read_as_it_was_meant() -> None:
    assert read_report(as_sent(FULL), where=WHERE) == FULL


def test_fields_of_a_newer_agent_are_ignored() -> None:
    assert read_report(changed("host.fans", [{"rpm": 900}]), where=WHERE) == FULL


@pytest.mark.parametrize("celsius", [999, -41, 150.5, float("nan"), float("inf")])
def test_one_impossible_temperature_is_unknown_and_the_rest_stays(celsius: float) -> None:
    read = read_report(changed("thermal.cpu_celsius.value", celsius), where=WHERE)
    assert read.thermal is not None
    assert FULL.thermal is not None
    assert read.thermal.cpu_celsius.value is None
    assert read.thermal.cpu_celsius.why_unknown.endswith("which is not -40 to 150")
    assert replace(read, thermal=None) == replace(FULL, thermal=None)
    assert read.thermal.sensors == FULL.thermal.sensors


@pytest.mark.parametrize(
    ("path", "value", "read_of"),
    [
        ("host.cpu_ratio.value", 1.2, lambda r: r.host.cpu_ratio),
        ("host.load_per_core.value", -1, lambda r: r.host.load_per_core),
        ("gpus.0.busy_ratio.value", -0.1, lambda r: r.gpus[0].busy_ratio),
        ("gpus.0.power_watts.value", 1e9, lambda r: r.gpus[0].power_watts),
        ("thermal.sensors.0.celsius.value", 65261.8, lambda r: r.thermal.sensors[0].celsius),
        ("activity.idle_seconds.value", -5, lambda r: r.activity.idle_seconds),
    ],
)
def test_other_impossible_readings_are_unknown_too(path: str, value: float, read_of: Callable[[Any], Any]) -> None:
    reading = read_of(read_report(changed(path, value), where=WHERE))
    assert reading.value is None
    assert f"reported as {value:g}" in reading.why_unknown


def test_a_limit_that_no_driver_can_mean_is_no_limit() -> None:
    read = read_report(changed("thermal.sensors.0.limit_celsius", 65261.8), where=WHERE)
    assert read.thermal is not None
    assert read.thermal.sensors[0].limit_celsius is None


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("node", "PI 4", "node is not a host name"),
        ("node", "../etc", "node is not a host name"),
        ("node", "", "node is not a host name"),
        ("node", 7, r"Expected `str`, got `int` - at `\$.node`"),
        ("boot_id", "a\nb", "boot_id is not 1 to 64"),
        ("sequence", 0, "sequence is below 1"),
        ("sequence", 2**70, r"a number beyond 64 bits at \$.sequence"),
        ("sequence", True, "got `bool`"),
        ("reported_at_unix_seconds", float("nan"), "is no time"),
        ("reported_at_unix_seconds", 1e18, "is no time"),
        ("host.memory_total_bytes", -1, "host.memory_total_bytes is negative"),
        ("gpus.0.memory_used_bytes", -1, "gpus.memory_used_bytes is negative"),
        ("gpus.0.vendor", "acme", r"Invalid enum value 'acme' - at `\$.gpus\[0\].vendor`"),
        ("endpoints.0.url", "file:///etc/passwd", "endpoints.url is not an http"),
        ("endpoints.0.url", "http://[x", "endpoints.url is not an http"),
        ("endpoints.0.queue_depth", -3, "endpoints.queue_depth is negative"),
        ("thermal.cpu_celsius", {"value": None, "why_unknown": ""}, "either a value or a reason"),
        ("collectors.0.age_seconds", float("inf"), "collectors.age_seconds"),
        ("host.release", "x" * 1001, r"a text of more than 1000 characters at \$.host.release"),
        ("host.release", "\x00", r"control characters at \$.host.release"),
        ("host.release", "\ud800", r"control characters at \$.host.release"),
        ("thermal.sensors", [None] * 1025, r"more than 1024 entries at \$.thermal.sensors"),
    ],
)
def test_what_is_wrong_as_a_whole_is_refused_with_the_field(path: str, value: Any, said: str) -> None:
    with pytest.raises(BadReport, match=said) as caught:
        read_report(changed(path, value), where=WHERE)
    assert caught.value.where == WHERE


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "no object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"schema_version": 1, "sequence": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"a":' * 20 + b"1" + b"}" * 20, "more than 12 levels"),
        (b'{"node": "pi"}', "does not say its schema_version"),
        (b'{"schema_version": 1, "node": "pi"}', "missing required field `boot_id`"),
        (b" " * (MAX_REPORT_BYTES + 1), "larger than 256 KiB"),
    ],
)
def test_bytes_that_are_no_report_are_refused(body: bytes, said: str) -> None:
    with pytest.raises(BadReport, match=said):
        read_report(body, where=WHERE)


def test_a_report_from_the_future_says_which_side_to_update() -> None:
    with pytest.raises(BadReport, match=r"version 2, and this tip reads up to 1\. Update tip on this side"):
        read_report(changed("schema_version", 2), where=WHERE)
    with pytest.raises(BadReport, match=r"no version 0 .* Update the agent there"):
        read_report(changed("schema_version", 0), where=WHERE)


def test_replayed_and_older_reports_are_told_from_new_ones() -> None:
    last = report(sequence=5)
    assert novelty(last, None) == "new"
    assert novelty(report(sequence=6), last) == "new"
    assert novelty(report(sequence=5), last) == "replayed"
    assert novelty(report(sequence=4), last) == "older"
    assert novelty(report(sequence=1, boot_id="b-2"), last) == "restarted"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _paths(value: Any, before: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, inner in items for path in (f"{before}{key}", *_paths(inner, f"{before}{key}."))]


def _report_or_bad_input(body: bytes) -> None:
    try:
        read = read_report(body, where=WHERE)
    except BadInput as failure:
        assert failure.what
    else:
        assert isinstance(read, NodeReport)
        assert read_report(as_sent(read), where=WHERE) == read, "what was believed once is believed again"


@given(st.binary(max_size=300))
def test_any_bytes_give_a_report_or_bad_input(body: bytes) -> None:
    _report_or_bad_input(body)


@given(st.sampled_from(_paths(json.loads(as_sent(FULL)))), json_values)
def test_any_value_in_any_field_gives_a_report_or_bad_input(path: str, value: Any) -> None:
    _report_or_bad_input(changed(path, value))


@given(st.integers(0, len(as_sent(FULL))), st.binary(max_size=8))
def test_any_damage_to_a_report_gives_a_report_or_bad_input(at: int, damage: bytes) -> None:
    body = as_sent(FULL)
    _report_or_bad_input(body[:at] + damage + body[at + len(damage) :])
