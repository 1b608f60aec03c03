"""What a column of a set holds and which columns it was made from, as Dagster shows it on an asset's page; its version.

The words and origins themselves are in tip_assets/columns.py.
"""

from collections.abc import Mapping
from typing import Any, cast

import dagster as dg
import msgspec
import polars as pl

# Enough of a data version to tell it from any other. The pages break no line in it, and 64 digits are wider than they.
SHOWN_DIGITS = 12
SCHEMA_KEY, LINEAGE_KEY = "dagster/column_schema", "dagster/column_lineage"


class Column(msgspec.Struct, frozen=True):
    """`words` say what it holds; `made_from` names the columns behind it, each as `asset.column`."""

    words: str
    made_from: tuple[str, ...] = ()


def column_metadata(types: Mapping[str, str], columns: Mapping[str, Column]) -> dict[str, Any]:
    """The columns with type, words and what they were made from, and the lineage of the latter.

    The lineage stands in the words too: Dagster's open-source pages show no lineage of columns.

    Args:
        types: Every column's type by name, in the order they stand in.
        columns: What is known of them; a column may be missing.
    """
    shown = [
        dg.TableColumn(name, kind, description=_in_words(columns[name]) if name in columns else None)
        for name, kind in types.items()
    ]
    made = {
        name: [_dependency(origin) for origin in column.made_from]
        for name, column in columns.items()
        if column.made_from
    }
    return {
        SCHEMA_KEY: dg.TableSchema(columns=shown),
        **({LINEAGE_KEY: dg.TableColumnLineage(made)} if made else {}),
    }


def version_metadata(version: str, command: str) -> dict[str, Any]:
    """A data version as a page has room for it (all of it is among the tags), and the command that gives it."""
    return {"data_version": version[:SHOWN_DIGITS], "data_version_by": command}


def shown_type(dtype: pl.DataType) -> str:
    """A column's type in a few words: a nested one in full leaves the page no room for what the column holds."""
    if isinstance(dtype, pl.List):
        return f"List({shown_type(cast(pl.DataType, dtype.inner))})"
    return "Struct" if isinstance(dtype, pl.Struct) else str(dtype)


def _in_words(column: Column) -> str:
    """What the column holds, and the columns behind it by asset."""
    behind: dict[str, list[str]] = {}
    for origin in column.made_from:
        asset, _, name = origin.partition(".")
        behind.setdefault(asset, []).append(name)
    origins = "; ".join(f"{asset}: {', '.join(names)}" for asset, names in behind.items())
    return f"{column.words} From {origins}." if origins else column.words


def _dependency(origin: str) -> dg.TableColumnDep:
    asset, _, column = origin.partition(".")
    return dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=column)
