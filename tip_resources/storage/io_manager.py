"""How Dagster stores sets: Parquet files, handed to assets as polars LazyFrames."""

import uuid
from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from tip_resources.storage.columns import Column, column_metadata
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import put_file


class ParquetSetIOManager(dg.UPathIOManager):
    """Stores a LazyFrame by a streaming sink, atomically: a reader never sees half a file.

    Args:
        layout: Where sets lie.
        columns: What is told of the columns of each asset, by asset and column.
    """

    extension: str | None = ".parquet"

    def __init__(self, layout: Layout, columns: Mapping[str, Mapping[str, Column]]) -> None:
        self._layout, self._columns = layout, columns
        super().__init__(base_path=layout.sets)

    def dump_to_path(self, context: dg.OutputContext, obj: Any, path: UPath) -> None:
        """Streams the frame to a scratch file, then puts it in place."""
        if not isinstance(obj, pl.LazyFrame):
            raise TypeError(f"{context.step_key} must return a polars LazyFrame, not {type(obj).__name__}.")
        scratch = self._layout.scratch(context.run_id, context.step_key) / f"{uuid.uuid4().hex}.parquet"
        obj.sink_parquet(scratch, compression="zstd", sync_on_close="all", mkdir=True)
        put_file(scratch, path)

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pl.LazyFrame:
        """Opens the set without reading it."""
        return pl.scan_parquet(str(path))

    def get_metadata(self, context: dg.OutputContext, obj: Any) -> dict[str, Any]:
        """Row count, columns of what was stored, and what they were made from."""
        types = {name: str(dtype) for name, dtype in obj.collect_schema().items()}
        return {
            "dagster/row_count": int(obj.select(pl.len()).collect().item()),
            **column_metadata(types, self._columns.get(context.asset_key.to_user_string(), {})),
        }
