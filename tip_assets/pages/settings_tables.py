"""The tables of docs/settings.md, from the models of the settings: nothing about a setting is written twice."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from tip_assets.pages.markdown import code, table
from tip_resources.settings.environment import PREFIX
from tip_resources.settings.keys import Key, all_keys
from tip_resources.settings.models import Settings

_HEAD = ("setting", "default", "allowed", "what it does", "environment variable")
_ENTRY_HEAD = ("field", "default", "allowed", "what it is")
# The unit is the end of a setting's name.
_UNITS = {
    "_seconds": "seconds",
    "_ms": "milliseconds",
    "_celsius": "degrees Celsius",
    "_tokens": "tokens",
    "_megabytes": "megabytes",
    "_gb": "gigabytes",
    "_days": "days",
    "_hours": "hours",
}
_KINDS = {"boolean": "true, false", "string": "text", "integer": "whole number", "number": "number"}


def settings_tables() -> str:
    """A heading and a table for each group of settings."""
    schema = Settings.model_json_schema()
    parts: list[str] = []
    for group, keys in groupby(all_keys().values(), key=_group):
        title = f"### {group}\n\n{_charter(group)}" if group else "### General"
        parts.append(f"{title}\n\n{table(_HEAD, [_row(key, schema) for key in keys])}")
    return "\n\n".join(parts)


def entry_tables() -> str:
    """A table of the fields of an entry, for every setting that is a list of entries."""
    schema = Settings.model_json_schema()
    parts: list[str] = []
    for key in all_keys().values():
        entry = _entry(_property(schema, key.name), schema)
        if entry is None:
            continue
        rows = [
            (
                code(name),
                _entry_default(name, field, entry),
                _allowed(name, field, schema),
                field.get("description", ""),
            )
            for name, field in entry["properties"].items()
        ]
        parts.append(f"### An entry of {key.name}\n\n{entry.get('description', '')}\n\n{table(_ENTRY_HEAD, rows)}")
    return "\n\n".join(parts)


def variable(key: Key) -> str:
    """The environment variable that sets it: dots become two underscores."""
    return "TIP_LLM_API_KEY" if key.is_secret else PREFIX + key.name.upper().replace(".", "__")


def _row(key: Key, schema: Mapping[str, Any]) -> tuple[str, ...]:
    name = f"{key.name}.NAME" if key.is_map else key.name
    allowed = _allowed(key.name, _property(schema, key.name), schema)
    return code(name), code(_default(key)), allowed, key.description, code(variable(key))


def _group(key: Key) -> str:
    return key.name.partition(".")[0] if "." in key.name else ""


def _charter(group: str) -> str:
    """What the group is for, from its model."""
    annotation = Settings.model_fields[group].annotation
    return (annotation.__doc__ or "").strip()


def _default(key: Key) -> str:
    return "none" if key.is_secret else _shown(key.default)


def _entry_default(name: str, field: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    return "must be given" if name in entry.get("required", ()) else code(_shown(field.get("default")))


def _shown(default: Any) -> str:
    """A default as a person would write it."""
    if isinstance(default, str) and default:
        return default
    return "none" if default is None else json.dumps(default)


def _allowed(name: str, field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """The values a setting takes, with the unit that its name tells."""
    words = ", ".join(dict.fromkeys(_words(field, schema)))
    unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")
    return f"{words} ({unit})" if unit else words


def _words(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    field = _resolved(field, schema)
    for option in field.get("anyOf", ()):
        yield from _words(option, schema)
    kind = field.get("type")
    if "enum" in field:
        yield ", ".join(map(str, field["enum"]))
    elif kind == "array":
        yield "list"
    elif kind == "object":
        yield "one value a name"
    elif kind == "null":
        yield "none"
    elif kind in {"integer", "number"} and (bounds := _bounds(field)):
        yield bounds
    elif kind == "string" and field.get("format") == "time":
        yield "a time such as 09:00"
    elif kind:
        yield _KINDS[kind]


def _bounds(field: Mapping[str, Any]) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"{low:g} or more"
    if "exclusiveMinimum" in field:
        return f"more than {field['exclusiveMinimum']:g}"
    return f"up to {high:g}" if high is not None else ""


def _entry(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What an entry of a list looks like; None for what is no list of entries."""
    items = _resolved(field, schema).get("items", {})
    entry = _resolved(items, schema)
    return entry if "properties" in entry else None


def _property(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema
    for part in key.split("."):
        found = _resolved(found, schema)["properties"][part]
    return found


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition that the field points at, or itself."""
    reference = field.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else field
