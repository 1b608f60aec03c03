"""How Dagster stores sets: Parquet files, handed to assets as polars LazyFrames."""

import shlex
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from tip_resources.launch.step_failures import clear_failures
from tip_resources.storage.checksums import sha256_of
from tip_resources.storage.columns import Column, column_metadata, shown_type, version_metadata
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import local_file, object_exists, put_file
from tip_resources.storage.places import is_local
from tip_resources.storage.sets import sink_set


class ParquetSetIOManager(dg.UPathIOManager):
    """Stores a LazyFrame by a streaming sink, atomically: a reader never sees half a file.

    What lies in S3 is copied into the run's scratch folder to be read. `close` removes the copies of this process.

    Args:
        layout: Where sets lie.
        columns: What is told of the columns of each asset, by asset and column.
    """

    extension: str | None = ".parquet"

    def __init__(self, layout: Layout, columns: Mapping[str, Mapping[str, Column]]) -> None:
        self._layout, self._columns = layout, columns
        self._copies: dict[str, Path] = {}
        super().__init__(base_path=layout.sets)

    def dump_to_path(self, context: dg.OutputContext, obj: Any, path: UPath) -> None:
        """Streams the frame to a scratch file, then puts it in place. Its checksum is the data version."""
        if not isinstance(obj, pl.LazyFrame):
            raise TypeError(f"{context.step_key} must return a polars LazyFrame, not {type(obj).__name__}.")
        scratch = self._layout.scratch(context.run_id, context.step_key) / f"{uuid.uuid4().hex}.parquet"
        with clear_failures():
            sink_set(obj, scratch)
            version = sha256_of(scratch)
            put_file(scratch, path)
        if context._step_context is not None:  # the property raises where there is none
            context.step_context.set_data_version(context.asset_key, dg.DataVersion(version))
        shown = shlex.quote(self._layout.shown(path))
        by = f"sha256sum {shown}" if is_local(path) else f"aws s3 cp {shown} - | sha256sum"
        context.add_output_metadata(version_metadata(version, by))

    def load_from_path(self, context: dg.InputContext, path: UPath) -> pl.LazyFrame:
        """Opens the set without reading it into memory, unless nobody would remove its copy."""
        if context._step_context is not None:  # the property raises where there is none
            with clear_failures():
                return pl.scan_parquet(local_file(path, self._copies_of(context.step_context.run_id)))
        with tempfile.TemporaryDirectory() as copies:
            file = local_file(path, Path(copies))
            return pl.scan_parquet(file) if file == Path(path.path) else pl.read_parquet(file).lazy()

    def path_exists(self, path: UPath) -> bool:
        """Whether a set is there."""
        return object_exists(path)

    def make_directory(self, path: UPath) -> None:
        """Nothing: whatever puts a file makes its folder, and in S3 there are none (s3fs would make a bucket)."""

    def get_metadata(self, context: dg.OutputContext, obj: Any) -> dict[str, Any]:
        """Row count, columns of what was stored, and what they were made from."""
        asset = context.asset_key.to_user_string()
        types = {name: shown_type(dtype) for name, dtype in obj.collect_schema().items()}
        return {
            "path": self._layout.shown(self._layout.set_file(asset, context.asset_partition_key)),
            "dagster/row_count": int(obj.select(pl.len()).collect().item()),
            **column_metadata(types, self._columns.get(asset, {})),
        }

    def close(self) -> None:
        """Removes what was copied."""
        for folder in self._copies.values():
            shutil.rmtree(folder, ignore_errors=True)
        self._copies.clear()

    def _copies_of(self, run_id: str) -> Path:
        """A folder of this process's own: another step of the run may end while this one still reads."""
        return self._copies.setdefault(run_id, self._layout.scratch(run_id, f"copies-{uuid.uuid4().hex[:8]}"))
