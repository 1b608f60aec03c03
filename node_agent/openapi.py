"""The agent's OpenAPI 3.1 document. The report's schema is read off the dataclasses in report.py."""

import inspect
import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any

from node_agent.report import SCHEMA_VERSION, NodeReport
from node_agent.version import VERSION

_PLAIN = {str: "string", bool: "boolean", int: "integer", float: "number", types.NoneType: "null"}


def openapi_document() -> dict[str, Any]:
    """The whole document, ready for JSON."""
    busy = {
        "description": "All connections are in use.",
        "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
    }

    def answers(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {"200": {"description": description, "content": {media_type: {"schema": schema}}}, "503": busy}

    report = answers("The newest report.", "application/json", {"$ref": _reference(NodeReport)})
    report["200"]["headers"] = {
        "Age": {"description": "Seconds since the report was made.", "schema": {"type": "integer", "minimum": 0}}
    }
    text = {"type": "string"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tip node agent",
            "version": VERSION,
            "description": "What one machine says of itself. Reads only; there is nothing to write.",
        },
        "paths": {
            "/v1/report": {"get": {"summary": "The machine now", "operationId": "report", "responses": report}},
            "/metrics": {
                "get": {
                    "summary": "The report for Prometheus; what is unknown is absent",
                    "operationId": "metrics",
                    "responses": answers("Prometheus text format 0.0.4.", "text/plain", text),
                }
            },
            "/healthz": {
                "get": {
                    "summary": "Whether the agent answers; measures nothing",
                    "operationId": "healthz",
                    "responses": answers("It does.", "text/plain", text),
                }
            },
            "/openapi.json": {
                "get": {
                    "summary": "This document",
                    "operationId": "openapi",
                    "responses": answers("OpenAPI 3.1.", "application/json", {"type": "object"}),
                }
            },
        },
        "components": {"schemas": report_schemas()},
    }


def report_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema (2020-12) of the report and of each value in it, by class name."""
    schemas: dict[str, dict[str, Any]] = {}
    _describe(NodeReport, schemas)
    schemas[NodeReport.__name__]["properties"]["schema_version"] = {"const": SCHEMA_VERSION}
    return dict(sorted(schemas.items()))


def _describe(kind: type, schemas: dict[str, dict[str, Any]]) -> None:
    # Entered before its fields are looked at, so that a class is described once.
    schema = schemas[kind.__name__] = {"type": "object", "description": inspect.getdoc(kind)}
    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    schema["properties"] = {name: _schema(hints[name], schemas) for name in names}
    # Also those with a default: the agent always writes every field.
    schema["required"] = names


def _schema(hint: Any, schemas: dict[str, dict[str, Any]]) -> dict[str, Any]:
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        if hint.__name__ not in schemas:
            _describe(hint, schemas)
        return {"$ref": _reference(hint)}
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(parts)}
    if origin is tuple and len(parts) == 2 and parts[1] is Ellipsis:
        return {"type": "array", "items": _schema(parts[0], schemas)}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_schema(part, schemas) for part in parts]}
    raise TypeError(f"no JSON Schema for {hint}")


def _reference(kind: type) -> str:
    return f"#/components/schemas/{kind.__name__}"
