"""Parquet schemas and rows, derived from the domain types so that the two cannot drift apart.

Structs become Parquet structs, tuples become lists. A mapping, whose keys are open-ended, becomes a JSON
string: Parquet wants to know field names beforehand.
"""

from functools import cache
from typing import Any

import msgspec
import polars as pl
from msgspec import inspect

from tip_resources.domain.codec import to_json

_PLAIN: dict[type, pl.DataType] = {
    inspect.StrType: pl.String(),
    inspect.IntType: pl.Int64(),
    inspect.FloatType: pl.Float64(),
    inspect.BoolType: pl.Boolean(),
    inspect.DictType: pl.String(),
    inspect.AnyType: pl.String(),
}


@cache
def parquet_schema(kind: type) -> pl.Schema:
    """The columns of a set of `kind` (a msgspec Struct)."""
    return pl.Schema({field.name: _dtype(field.type) for field in _fields(kind)})


def to_row(value: msgspec.Struct) -> dict[str, Any]:
    """A domain value as a Parquet row: plain dicts and lists, mappings as JSON text."""
    return {name: _pack(getattr(value, name), kind) for name, kind in _typed_fields(type(value))}


def from_row(row: dict[str, Any], kind: type) -> Any:
    """The domain value of a Parquet row; checks types and constraints.

    Raises:
        msgspec.ValidationError: The row is not of that kind.
    """
    return msgspec.convert(_unpack_struct(row, kind), type=kind)


@cache
def _fields(kind: type) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(kind)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{kind!r} is not a msgspec Struct")
    return info.fields


@cache
def _typed_fields(kind: type) -> tuple[tuple[str, inspect.Type], ...]:
    return tuple((field.name, _without_null(field.type)) for field in _fields(kind))


@cache
def _read_fields(kind: type) -> tuple[tuple[str, inspect.Type | None], ...]:
    """The fields by name; None for one whose values need no unpacking, which is most of what a call holds."""
    return tuple((name, field if _needs_unpacking(field) else None) for name, field in _typed_fields(kind))


def _needs_unpacking(kind: inspect.Type) -> bool:
    """Whether there is JSON text in it, or a field that came or went since could be an error."""
    if isinstance(kind, inspect.StructType):
        return kind.forbid_unknown_fields or any(field is not None for _, field in _read_fields(kind.cls))
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return _needs_unpacking(_without_null(kind.item_type))
    return isinstance(kind, inspect.DictType | inspect.AnyType)


def _without_null(kind: inspect.Type) -> inspect.Type:
    if isinstance(kind, inspect.UnionType):
        options = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
        if len(options) != 1:
            raise TypeError(f"a Parquet column cannot hold {options}")
        return options[0]
    return kind


def _dtype(kind: inspect.Type) -> pl.DataType:
    kind = _without_null(kind)
    if isinstance(kind, inspect.StructType):
        return pl.Struct({field.name: _dtype(field.type) for field in kind.fields})
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return pl.List(_dtype(kind.item_type))
    if isinstance(kind, inspect.LiteralType):
        return pl.String()
    return _PLAIN[type(kind)]


def _pack(value: Any, kind: inspect.Type) -> Any:
    if value is None:
        return None
    if isinstance(kind, inspect.StructType):
        return to_row(value)
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return [_pack(item, kind.item_type) for item in value]
    if isinstance(kind, inspect.DictType | inspect.AnyType):
        return to_json(value).decode()
    return value


def _unpack_struct(row: dict[str, Any], kind: type) -> dict[str, Any]:
    # A field that came later is missing in older sets, and its default stands.
    return {
        name: row[name] if field is None else _unpack(row[name], field)
        for name, field in _read_fields(kind)
        if name in row
    }


def _unpack(value: Any, kind: inspect.Type) -> Any:
    if value is None:
        return None
    if isinstance(kind, inspect.StructType):
        return _unpack_struct(value, kind.cls)
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return [_unpack(item, kind.item_type) for item in value]
    if isinstance(kind, inspect.DictType | inspect.AnyType):
        return msgspec.json.decode(value)
    return value
