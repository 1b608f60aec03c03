"""Sets are written in parts and read in slices: everything once, in order, whatever their size."""

import errno
from pathlib import Path

import polars as pl
import pytest

from tests.small_disk import fill, mounted
from tip_resources.domain.reject import Reject
from tip_resources.storage.sets import ROWS_PER_PART, SetWriter, count_rows, read_set, sink_set, write_set


def rejects(count: int) -> list[Reject]:
    return [Reject(dataset="d", index=place, reason="rs"[place % 2], detail="", raw_text="é") for place in range(count)]


@pytest.mark.parametrize("count", [0, 1, 200, 201, ROWS_PER_PART, ROWS_PER_PART + 1, 2 * ROWS_PER_PART + 300])
def test_what_is_written_is_read(count: int, tmp_path: Path) -> None:
    frame = write_set(iter(rejects(count)), Reject, tmp_path / "scratch")
    assert list(read_set(frame, Reject)) == rejects(count)
    assert len(list((tmp_path / "scratch").iterdir())) == max(1, -(-count // ROWS_PER_PART))
    sink_set(frame, tmp_path / "set.parquet")
    stored = pl.scan_parquet(tmp_path / "set.parquet")
    assert count_rows(stored) == count and list(read_set(stored, Reject)) == rejects(count)


def test_values_are_chosen_while_reading(tmp_path: Path) -> None:
    frame = write_set(rejects(ROWS_PER_PART + 10), Reject, tmp_path / "scratch")
    odd = [one for one in rejects(ROWS_PER_PART + 10) if one.reason == "s"]
    assert list(read_set(frame, Reject, where=pl.col("reason") == "s")) == odd
    assert list(read_set(frame.filter(pl.col("reason") == "s"), Reject)) == odd
    assert list(read_set(frame, Reject, where=pl.col("reason") == "none")) == []


def test_a_second_writer_in_the_same_folder_starts_clean(tmp_path: Path) -> None:
    write_set(rejects(2 * ROWS_PER_PART), Reject, tmp_path)
    writer = SetWriter(Reject, tmp_path)
    writer.write(rejects(1)[0])
    assert list(read_set(writer.finish(), Reject)) == rejects(1) and writer.count == 1


def test_a_disk_without_room_for_the_end_of_a_file_is_told_as_full(tmp_path: Path) -> None:
    frame = write_set(rejects(10), Reject, tmp_path / "scratch")
    disk = tmp_path / "disk"
    disk.mkdir()
    with mounted(disk, 1 << 20):
        fill(disk / "ballast")
        with pytest.raises(OSError) as full:
            sink_set(frame, disk / "set.parquet")
    assert full.value.errno == errno.ENOSPC
