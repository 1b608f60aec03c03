"""A reserve on the disk, and a disk that is full all the same."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from upath import UPath

from tests.small_disk import mounted
from tip_resources.settings.models import Settings
from tip_resources.settings.upkeep_models import DiskSettings
from tip_resources.storage.atomic import atomic_file, write_atomically
from tip_resources.storage.objects import put_file, put_object
from tip_resources.upkeep import disk_room
from tip_resources.upkeep.disk_room import shortage
from tip_resources.upkeep.disk_trouble import disk_trouble

MEGABYTE = 1_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    with mounted(folder, 2 << 20):
        yield folder


def test_below_the_reserve_the_words_say_what_is_free_and_which_setting_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_room, "free_bytes", lambda _: 1_900 * MEGABYTE)
    said = shortage(tmp_path, Settings())
    assert said is not None and "1.9 GB are free" in said and "2 GB stay free (disk.reserve_gigabytes)" in said
    assert shortage(tmp_path, Settings(disk=DiskSettings(reserve_gigabytes=1.8))) is None
    assert shortage(tmp_path, Settings(disk=DiskSettings(reserve_gigabytes=0))) is None


def test_once_short_it_takes_a_tenth_more_than_the_reserve_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_room, "free_bytes", lambda _: 2_100 * MEGABYTE)
    assert shortage(tmp_path, Settings()) is None
    assert shortage(tmp_path, Settings(), was_short=True)


def test_the_disk_of_the_sets_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setattr(disk_room, "free_bytes", lambda folder: MEGABYTE if folder == elsewhere else 10**12)
    assert shortage(tmp_path, Settings()) is None
    assert shortage(tmp_path, Settings(storage_url=str(elsewhere)))


def test_free_room_is_read_of_the_disk_itself(small_disk: Path) -> None:
    assert shortage(small_disk, Settings())
    assert 0 < disk_room.free_bytes(small_disk / "not" / "there") <= 2_200_000


def test_a_full_disk_leaves_what_was_there_and_nothing_half(small_disk: Path) -> None:
    kept, new = small_disk / "kept.json", small_disk / "new.json"
    write_atomically(kept, b"x" * MEGABYTE)
    too_much = b"y" * 2 * MEGABYTE
    with pytest.raises(OSError) as by_hand:
        write_atomically(kept, too_much)
    with pytest.raises(OSError), atomic_file(new) as file:
        file.write(too_much)
    with pytest.raises(OSError) as as_object:
        put_object(UPath(new), too_much)
    assert is_full(by_hand.value) and is_full(as_object.value)
    assert [path.name for path in small_disk.iterdir()] == ["kept.json"]
    assert kept.read_bytes() == b"x" * MEGABYTE


def test_a_set_that_does_not_fit_leaves_the_earlier_one(small_disk: Path, tmp_path: Path) -> None:
    target = UPath(small_disk / "calls.parquet")
    pl.DataFrame({"id": ["a"]}).write_parquet(str(target))
    big = tmp_path / "big.parquet"
    pl.DataFrame({"noise": [os.urandom(3 * MEGABYTE)]}).write_parquet(big)
    with pytest.raises(OSError) as error:
        put_file(big, target)
    assert is_full(error.value)
    assert [path.name for path in small_disk.iterdir()] == ["calls.parquet"]
    assert pl.read_parquet(str(target))["id"].to_list() == ["a"]


def test_what_a_library_makes_of_a_full_disk_is_recognised(small_disk: Path) -> None:
    frame = pl.LazyFrame({"noise": [os.urandom(MEGABYTE) for _ in range(3)]})
    with pytest.raises(Exception) as error:
        frame.sink_parquet(small_disk / "set.parquet")
    assert is_full(error.value)


def test_a_disk_that_can_only_be_read_is_recognised(small_disk: Path) -> None:
    frame = pl.LazyFrame({"number": [1]})
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OSError) as by_hand:
        write_atomically(small_disk / "new.json", b"{}")
    with pytest.raises(Exception) as by_library:
        frame.sink_parquet(small_disk / "set.parquet")
    assert all("is read-only" in (disk_trouble(each.value) or "") for each in (by_hand, by_library))


def test_other_trouble_is_not_taken_for_the_disk() -> None:
    assert disk_trouble(OSError(errno.EACCES, "Permission denied")) is None
    assert disk_trouble(ValueError("os error 2")) is None
    wrapped = RuntimeError("the step failed")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device", "/data/x")
    assert is_full(wrapped)
    assert "/data/x" in (disk_trouble(wrapped.__cause__) or "")


def is_full(error: BaseException) -> bool:
    return "the disk is full" in (disk_trouble(error) or "")
