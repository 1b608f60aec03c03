"""Sets of domain values as Parquet, written and read as streams: memory does not grow with the set.

Where a set lies is layout.py's business; how Dagster stores one is io_manager.py's.
"""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl

from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import local_file, object_exists
from tip_resources.storage.parquet_schema import from_row, parquet_schema, to_row

T = TypeVar("T", bound=msgspec.Struct)

# Enough rows to compress well, few enough that one batch of long calls stays under about 50 MB.
ROWS_PER_PART = 2_000


class SetWriter:
    """Collects values in a scratch folder, a part at a time, until they are read back as one LazyFrame.

    The scratch folder belongs to the writer and is emptied first, so that a retry starts clean.
    """

    def __init__(self, kind: type[msgspec.Struct], scratch: Path) -> None:
        self._schema = parquet_schema(kind)
        self._scratch = scratch
        self._rows: list[dict[str, Any]] = []
        self._parts = 0
        self.count = 0
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)

    def write(self, value: msgspec.Struct) -> None:
        """Adds one value."""
        self._rows.append(to_row(value))
        self.count += 1
        if len(self._rows) >= ROWS_PER_PART:
            self._flush()

    def finish(self) -> pl.LazyFrame:
        """All values written, in order, as a LazyFrame over the scratch folder."""
        if self._rows or not self._parts:
            self._flush()
        return pl.scan_parquet(sorted(self._scratch.glob("part-*.parquet")))

    def _flush(self) -> None:
        frame = pl.DataFrame(self._rows, schema=self._schema)
        frame.write_parquet(self._scratch / f"part-{self._parts:06d}.parquet")
        self._parts += 1
        self._rows = []


def write_set(values: Iterable[msgspec.Struct], kind: type[msgspec.Struct], scratch: Path) -> pl.LazyFrame:
    """All `values` through a SetWriter."""
    writer = SetWriter(kind, scratch)
    for value in values:
        writer.write(value)
    return writer.finish()


def read_set(frame: pl.LazyFrame, kind: type[T]) -> Iterator[T]:
    """The values of a set in order, a batch at a time."""
    for batch in frame.collect_batches(chunk_size=ROWS_PER_PART, maintain_order=True):
        for row in batch.iter_rows(named=True):
            yield from_row(row, kind)


def sink_set(frame: pl.LazyFrame, file: Path) -> None:
    """Streams a set into a local file, safe on the disk when this returns, in groups of rows that readers can hold."""
    frame.sink_parquet(file, row_group_size=ROWS_PER_PART, compression="zstd", sync_on_close="all", mkdir=True)


def open_set_if_there(layout: Layout, name: str, dataset: str, copies: Path) -> pl.LazyFrame | None:
    """A stored set; None when there is none. One that lies in S3 is copied into `copies` first."""
    file = layout.set_file(name, dataset)
    return pl.scan_parquet(local_file(file, copies)) if object_exists(file) else None


def count_rows(frame: pl.LazyFrame) -> int:
    """Number of values in a set, from Parquet metadata where possible."""
    return int(frame.select(pl.len()).collect().item())
