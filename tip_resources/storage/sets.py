"""Sets of domain values as Parquet, written and read as streams: memory does not grow with the set.

Where a set lies is layout.py's business; how Dagster stores one is io_manager.py's.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import polars as pl

from tip_resources.storage.disk import free_bytes
from tip_resources.storage.layout import Layout
from tip_resources.storage.objects import local_file, object_exists
from tip_resources.storage.parquet_schema import from_row, parquet_schema, to_row

T = TypeVar("T", bound=msgspec.Struct)

# Enough rows to compress well, few enough that one batch of long calls stays under about 50 MB.
ROWS_PER_PART = 2_000
# Rows that are Python objects at once; as such they take some ten times as much as in a frame.
_ROWS_AT_ONCE = 200
# Of a disk with less than this a failure to write is no riddle.
_NO_ROOM_BYTES = 1 << 20


class SetWriter:
    """Collects values in a scratch folder, a part at a time, until they are read back as one LazyFrame.

    The scratch folder belongs to the writer and is emptied first, so that a retry starts clean.
    """

    def __init__(self, kind: type[msgspec.Struct], scratch: Path) -> None:
        self._schema = parquet_schema(kind)
        self._scratch = scratch
        self._rows: list[dict[str, Any]] = []
        self._frames: list[pl.DataFrame] = []
        self._parts = 0
        self.count = 0
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)

    def write(self, value: msgspec.Struct) -> None:
        """Adds one value."""
        self._rows.append(to_row(value))
        self.count += 1
        if len(self._rows) == _ROWS_AT_ONCE:
            self._pack()
        if self.count % ROWS_PER_PART == 0:
            self._flush()

    def finish(self) -> pl.LazyFrame:
        """All values written, in order, as a LazyFrame over the scratch folder."""
        self._pack()
        if self._frames:
            self._flush()
        return pl.scan_parquet(sorted(self._scratch.glob("part-*.parquet")))

    def _pack(self) -> None:
        if self._rows or not self.count:  # an empty set has its columns too
            self._frames.append(pl.DataFrame(self._rows, schema=self._schema))
            self._rows = []

    def _flush(self) -> None:
        with _full_disk_told(self._scratch):
            pl.concat(self._frames, rechunk=True).write_parquet(self._scratch / f"part-{self._parts:06d}.parquet")
        self._parts += 1
        self._frames = []


def write_set(values: Iterable[msgspec.Struct], kind: type[msgspec.Struct], scratch: Path) -> pl.LazyFrame:
    """All `values` through a SetWriter."""
    writer = SetWriter(kind, scratch)
    for value in values:
        writer.write(value)
    return writer.finish()


def read_set(frame: pl.LazyFrame, kind: type[T], where: pl.Expr | None = None) -> Iterator[T]:
    """The values of a set in order, as many at a time as lie together in its file.

    Args:
        frame: The set. `collect_batches` would read ahead: 20 to 150 MB more, the more the larger the set is.
        kind: What a row is.
        where: Only values of which this is true. Where many are: a filter on `frame` itself is worked out for each
            batch anew.
    """
    for start in range(0, count_rows(frame), ROWS_PER_PART):
        batch = frame.slice(start, ROWS_PER_PART)
        if where is not None:
            batch = batch.filter(where)
        for row in batch.collect().iter_rows(named=True, buffer_size=_ROWS_AT_ONCE):
            yield from_row(row, kind)


def sink_set(frame: pl.LazyFrame, file: Path) -> None:
    """Streams a set into a local file, safe on the disk when this returns, in groups of rows that readers can hold."""
    with _full_disk_told(file.parent):
        frame.sink_parquet(file, row_group_size=ROWS_PER_PART, compression="zstd", sync_on_close="all", mkdir=True)


def open_set_if_there(layout: Layout, name: str, dataset: str, copies: Path) -> pl.LazyFrame | None:
    """A stored set; None when there is none. One that lies in S3 is copied into `copies` first."""
    file = layout.set_file(name, dataset)
    return pl.scan_parquet(local_file(file, copies)) if object_exists(file) else None


def count_rows(frame: pl.LazyFrame) -> int:
    """Number of values in a set, from Parquet metadata where possible."""
    return int(frame.select(pl.len()).collect().item())


@contextmanager
def _full_disk_told(folder: Path) -> Iterator[None]:
    """polars says "Invalid thrift: transport error" where only the end of a file finds no room.

    Raises:
        OSError: ENOSPC, in place of what polars says on a full disk.
    """
    try:
        yield
    except pl.exceptions.PolarsError as error:
        if free_bytes(folder) < _NO_ROOM_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        raise
