"""Promises of /metrics and of the OpenAPI document: what is unknown is absent, and the schema tells the truth."""

import json
import re
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from node_agent.metrics import HELP, render
from node_agent.openapi import openapi_document
from node_agent.report import Activity, NodeReport, Reading, Sensor, ServedEndpoint, ServedModel, Sign, Thermal
from node_agent.reporter import Reporter
from tests.unit.node_agent.parts import full_report

# https://prometheus.io/docs/instrumenting/exposition_formats/
_LABEL = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"'
_SAMPLE = re.compile(rf"([a-z_]+)(?:{{({_LABEL}(?:,{_LABEL})*)}})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")


def series(text: str) -> dict[str, float]:
    """Name and labels -> value; fails on any line that the format does not allow and on a series given twice."""
    found: dict[str, float] = {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP [a-z_]+ \S.*|TYPE [a-z_]+ gauge)", line), line
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, line
        key = line.rpartition(" ")[0]
        assert key not in found, line
        found[key] = float(match[3])
    return found


def test_every_metric_is_there_when_everything_is_known() -> None:
    found = series(render(full_report()))
    assert {key.partition("{")[0] for key in found} == set(HELP)
    assert found["tip_node_cpu_temperature_celsius"] == 61.5
    assert found['tip_node_gpu_thermal_margin_celsius{gpu="0"}'] == 13.0
    assert found['tip_node_throttled{reason="under_voltage"}'] == 1
    assert found['tip_node_user_active{signal="gaming"}'] == 1
    assert found['tip_node_user_active{signal="full_screen"}'] == 0
    assert found['tip_endpoint_inflight_requests{endpoint="http://127.0.0.1:11434"}'] == 3
    assert found['tip_endpoint_model_loaded{endpoint="http://127.0.0.1:11434",model="phi"}'] == 0
    assert found["tip_node_report_timestamp_seconds"] == 1000.5


def test_what_is_unknown_is_absent_and_never_0() -> None:
    unknown, nobody_knows = Reading.unknown("not told"), Sign.unknown("not told")
    report = replace(
        full_report(),
        host=None,
        thermal=Thermal(unknown, (Sensor("nvme", "", unknown),)),
        gpus=None,
        activity=Activity(nobody_knows, nobody_knows, nobody_knows, nobody_knows, unknown),
        endpoints=(ServedEndpoint("http://127.0.0.1:1234", "lm_studio", (ServedModel("qwen3"),)),),
    )
    found = series(render(report))
    names = {key.partition("{")[0] for key in found}
    assert names == {
        "tip_node_info",
        "tip_node_report_timestamp_seconds",
        "tip_endpoint_up",
        "tip_node_collector_success",
        "tip_node_collector_duration_seconds",
        "tip_node_collector_age_seconds",
    }
    assert 'tip_node_collector_age_seconds{collector="gpus"}' not in found


def test_names_with_quotes_backslashes_and_line_ends_do_not_break_the_page() -> None:
    models = (ServedModel('a"b\\c\nd', True), ServedModel("twice", True), ServedModel("twice", False))
    endpoint = ServedEndpoint("http://127.0.0.1:1234", "unknown", models)
    sensors = (Sensor("nvme", "Composite", Reading(40.0)), Sensor("nvme", "Composite", Reading(41.0)))
    report = replace(full_report(), endpoints=(endpoint,), thermal=Thermal(Reading(50.0), sensors))
    found = series(render(report))
    assert found['tip_endpoint_model_loaded{endpoint="http://127.0.0.1:1234",model="a\\"b\\\\c\\nd"}'] == 1
    assert found['tip_node_sensor_temperature_celsius{chip="nvme",label="Composite #2"}'] == 41.0


def validator() -> Draft202012Validator:
    document = openapi_document()
    Draft202012Validator.check_schema(document["components"]["schemas"]["NodeReport"])
    return Draft202012Validator({"$ref": "#/components/schemas/NodeReport", "components": document["components"]})


@pytest.mark.parametrize("report", [full_report(), Reporter().report()], ids=["full", "this machine"])
def test_a_report_is_as_the_openapi_document_says(report: NodeReport) -> None:
    validator().validate(json.loads(json.dumps(report.to_json_object())))


@pytest.mark.parametrize(
    ("section", "field", "wrong"),
    [
        (None, "sequence", "7"),
        (None, "schema_version", 2),
        (None, "host", {}),
        ("host", "cores", 1.5),
        ("thermal", "throttled", ["too lazy"]),
        ("thermal", "cpu_celsius", 61.5),
        ("activity", "gaming", {"value": "chess.exe", "why_unknown": ""}),
    ],
)
def test_the_openapi_document_refuses_what_is_no_report(section: str | None, field: str, wrong: object) -> None:
    document = full_report().to_json_object()
    (document[section] if section else document)[field] = wrong
    with pytest.raises(ValidationError):
        validator().validate(json.loads(json.dumps(document)))
